/** What happened: lines to read, and one digest over all of them. */
import { createHash } from 'node:crypto'

/** Lines that are kept when nobody wants all of them. */
const tailLines = 400

export class Trace {
  readonly #keepsAll: boolean
  readonly #hash = createHash('sha256')
  readonly #lines: string[] = []

  constructor(keepsAll: boolean) {
    this.#keepsAll = keepsAll
  }

  note(atMs: number, what: string): void {
    const line = `${atMs} ${what}\n`
    this.#hash.update(line)
    this.#lines.push(line)
    if (!this.#keepsAll && this.#lines.length > 2 * tailLines) this.#lines.splice(0, tailLines)
  }

  /** The last of it, or all. */
  text(): string {
    return (this.#keepsAll ? this.#lines : this.#lines.slice(-tailLines)).join('')
  }

  /** Ends the trace. */
  digest(): string {
    return this.#hash.digest('hex').slice(0, 16)
  }
}

/** As much of a hash or address as tells it from others. */
export const short = (text: string | undefined): string => (text === undefined ? 'nil' : text.slice(-6))
