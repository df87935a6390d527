/** Nodes that are asked for a snapshot, and why some of them are not asked any more. */
import * as z from 'zod'
import { parseJson } from '../../codec/json.ts'
import { printable } from '../../messages/printable.ts'
import { headerSchema } from '../../objects/block.ts'
import { blockHashField, hashField, heightField, wholeField } from '../../objects/fields.ts'
import type { BlockPin } from '../../objects/join-string.ts'
import { finalitySchema } from '../../objects/proof.ts'
import type { Log } from '../../ports/log.ts'
import type { Transport } from '../../ports/transport.ts'
import type { Height } from '../../units.ts'
import { maxAnswerBytes, maxDetail, timeoutMs } from './limits.ts'

const snapshotsSchema = z.object({
  snapshots: z.array(
    z.object({ height: heightField, hash: blockHashField, stateRoot: hashField, entries: wholeField }),
  ),
})
const pagesSchema = z.object({ pages: z.array(z.string()).min(1) })
const blockSchema = z.object({ block: z.object({ header: headerSchema }) })

/** A node was no good, for a reason. */
export class SourceFault extends Error {}

export class Source {
  readonly url: string
  readonly #transport: Pick<Transport, 'request'>
  readonly #log: Log
  /** Why it isn't asked any more. */
  fault: string | undefined

  constructor(url: string, transport: Pick<Transport, 'request'>, log: Log) {
    this.url = url
    this.#transport = transport
    this.#log = log
  }

  /** @throws SourceFault, as all of these */
  async snapshots() {
    return (await this.#get('/v1/snapshots', snapshotsSchema)).snapshots
  }

  proof(height: Height) {
    return this.#get(`/v1/snapshots/${height}`, finalitySchema)
  }

  async pages(height: Height, way: string): Promise<readonly string[]> {
    return (await this.#get(`/v1/snapshots/${height}/pages/${way || 'root'}`, pagesSchema)).pages
  }

  async header({ height }: BlockPin) {
    return (await this.#get(`/v1/blocks/${height}`, blockSchema)).block.header
  }

  /** Is not asked any more. */
  drop(reason: string): void {
    if (this.fault !== undefined) return
    this.fault = reason
    this.#log.warn(`a node is not asked for the snapshot any more: ${reason}`, { url: this.url })
  }

  async #get<Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.output<Schema>> {
    const parsed = schema.safeParse(await this.#read(path))
    if (parsed.success) return parsed.data
    const { path: member, message } = parsed.error.issues[0]!
    throw new SourceFault(
      `what it answers to ${path} is not as expected (${printable(`${member.join('.')}: ${message}`, maxDetail)})`,
    )
  }

  async #read(path: string): Promise<unknown> {
    const request = { method: 'GET', path, maxBytes: maxAnswerBytes, timeoutMs } as const
    const { status, text } = await this.#transport.request(this.url, request).catch((cause: unknown) => {
      throw new SourceFault(`it does not answer (${cause instanceof Error ? cause.message : String(cause)})`)
    })
    if (status !== 200) throw new SourceFault(`it answers ${status}: ${printable(text, maxDetail)}`)
    try {
      return parseJson(text)
    } catch {
      throw new SourceFault(`what it answers to ${path} is no JSON`)
    }
  }
}
