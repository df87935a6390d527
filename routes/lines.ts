/**
 * A stream of bytes as lines, in batches: what came in one piece belongs together, so that a fast sender's
 * lines are worked on side by side and a slow sender's at once.
 */

/** Most lines of a batch. */
export const maxBatchLines = 256

export interface Line {
  /** From 1. */
  readonly number: number
  /** Without the line feed. Absent when the line is longer than the limit. */
  readonly bytes?: Uint8Array
}

const lineFeed = 0x0a

/**
 * What follows the last line feed is a line only if there is something.
 *
 * @param limitBytes - of one line: a longer one is counted and skipped
 */
export async function* readLines(
  chunks: AsyncIterable<Uint8Array>,
  limitBytes: number,
): AsyncGenerator<readonly Line[]> {
  const line = new PartialLine(limitBytes)
  let number = 0
  for await (const chunk of chunks) {
    let batch: Line[] = []
    let from = 0
    for (let at = chunk.indexOf(lineFeed); at !== -1; at = chunk.indexOf(lineFeed, from)) {
      line.add(chunk.subarray(from, at))
      batch.push(line.take(++number))
      from = at + 1
      if (batch.length === maxBatchLines) {
        yield batch
        batch = []
      }
    }
    line.add(chunk.subarray(from))
    if (batch.length > 0) yield batch
  }
  if (line.sizeBytes > 0) yield [line.take(++number)]
}

/** A line whose end hasn't come in yet. */
class PartialLine {
  readonly #limitBytes: number
  #pieces: Uint8Array[] = []
  sizeBytes = 0

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes
  }

  add(piece: Uint8Array): void {
    this.sizeBytes += piece.length
    if (this.sizeBytes <= this.#limitBytes) this.#pieces.push(piece)
    else this.#pieces = []
  }

  take(number: number): Line {
    const line =
      this.sizeBytes > this.#limitBytes
        ? { number }
        : { number, bytes: joinBytes(this.#pieces, this.sizeBytes) }
    this.#pieces = []
    this.sizeBytes = 0
    return line
  }
}

export const joinBytes = (pieces: readonly Uint8Array[], sizeBytes: number): Uint8Array => {
  if (pieces.length === 1) return pieces[0]!
  const whole = new Uint8Array(sizeBytes)
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}
