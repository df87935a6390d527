/**
 * Private payloads over connections: the ledger holds a commitment, the payload goes to the other end alone, which looks
 * the commitment up on its own ledger and signs a receipt.
 */
import { canonicalize, type Json } from '../../codec/json.ts'
import { type Content, makePayload, makeReceipt, type Payload } from '../../connections/connections.ts'
import { commitmentOf, saltBytes, signStatement } from '../../didcomm/didcomm.ts'
import { TautlineError } from '../../errors.ts'
import type { Random } from '../../ports/random.ts'
import type { Hash } from '../../units.ts'
import type { NodeService } from '../service.ts'
import type { ConnectionStore } from './connection-store.ts'
import { standingOf, toKept } from './payloads.ts'
import { requireFits } from './refusals.ts'
import type { InboxMessage, KeptPayload, Reveal, Said, Standing } from './service.ts'

/** How long a commitment may take to become final. */
const commitMs = 30_000
/** How often a commitment that isn't on the own ledger yet is looked up again, and for how long. */
const lookAgainMs = 1_000
const lookAgainTimes = 60

export interface PrivatePayloadsParts {
  readonly store: ConnectionStore
  readonly node: Pick<NodeService, 'spend' | 'waitUntilFinal' | 'transaction'>
  readonly random: Random
  /** Steps of connections take turns. */
  readonly inTurn: <Value>(act: () => Promise<Value>) => Promise<Value>
  /** Within a turn. */
  readonly say: (id: string, content: Content) => Promise<Said>
  readonly later: (name: string, delayMs: number, act: () => Promise<unknown>) => void
}

export class PrivatePayloads {
  readonly #parts: PrivatePayloadsParts

  constructor(parts: PrivatePayloadsParts) {
    this.#parts = parts
  }

  /** Waits until the commitment is final, and only then sends. @throws TautlineError `transaction-dropped` */
  async say(id: string, payload: Uint8Array, mediaType: string): Promise<Said> {
    const { node, store, random, inTurn, say } = this.#parts
    const salt = random.bytes(saltBytes)
    const c = commitmentOf(salt, payload)
    const draft: Payload = { salt, payload, mediaType, c, transaction: '0'.repeat(64) }
    requireFits(makePayload(draft))
    const submission = await node.spend({ operations: [{ type: 'anchor', data: c }] })
    const final = await node.waitUntilFinal(submission.id, commitMs)
    if (final.status !== 'committed')
      throw new TautlineError(
        'transaction-dropped',
        `the commitment isn't on the ledger yet (transaction ${final.id} is ${final.status}), so the payload was not sent: try again`,
        { id: final.id },
      )
    const whole = { ...draft, transaction: final.id }
    return inTurn(async () => {
      await store.keepPayload(id, toKept(whole))
      return { ...(await say(id, makePayload(whole))), c, transaction: final.id }
    })
  }

  /** One was taken: its commitment may come to the own ledger later than the payload. */
  expect(id: string, c: Hash): void {
    this.#look(id, c, lookAgainTimes)
  }

  /** As the own ledger has it now. */
  async standingNow(id: string, message: InboxMessage): Promise<InboxMessage> {
    const { payload } = message
    const kept = payload && (await this.#parts.store.payloadOf(id, payload.c))
    return kept ? { ...message, payload: { ...payload, standing: await this.#judge(id, kept) } } : message
  }

  /** @throws TautlineError `not-found` */
  async reveal(c: Hash): Promise<Reveal> {
    const { store, node } = this.#parts
    const kept = await store.findPayload(c)
    if (!kept)
      throw new TautlineError('not-found', `no connection of this node has a payload with commitment ${c}`)
    const view = await node.transaction(kept.transaction, { proof: true })
    if (view?.proof === undefined)
      throw new TautlineError(
        'not-found',
        `this node's ledger has no proof of transaction ${kept.transaction}, which carries the commitment: ask again when it has`,
      )
    return { ...kept, kind: 'reveal', proof: canonicalize(view as unknown as Json) }
  }

  #look(id: string, c: Hash, times: number): void {
    this.#parts.later(`payload ${c}`, times === lookAgainTimes ? 0 : lookAgainMs, async () => {
      const kept = await this.#parts.store.payloadOf(id, c)
      const standing = kept && (await this.#judge(id, kept))
      if (standing === 'not-on-ledger' && times > 0) this.#look(id, c, times - 1)
    })
  }

  /** Who finds a payload's commitment on its ledger signs a receipt for it, once. */
  async #judge(id: string, kept: KeptPayload): Promise<Standing> {
    const view = await this.#parts.node.transaction(kept.transaction, { proof: false })
    const standing = standingOf(kept, view)
    if (standing === 'verified' && kept.receipt === undefined)
      await this.#parts.inTurn(() => this.#sign(id, kept.c))
    return standing
  }

  async #sign(id: string, c: Hash): Promise<void> {
    const { store, say } = this.#parts
    const { identity, phase } = store.entries.get(id)?.connection ?? {}
    const kept = await store.payloadOf(id, c)
    if (!identity || phase?.state !== 'active' || !kept || kept.receipt !== undefined) return
    const statement = { c, transaction: kept.transaction }
    const receipt = signStatement('receipt', statement, { identity, did: identity.did })
    await store.keepPayload(id, { ...kept, receipt })
    await say(id, makeReceipt(receipt))
  }
}
