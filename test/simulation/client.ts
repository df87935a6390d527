/** Somebody with an account, who sends one transaction after the other to whichever machine answers. */

import type { Json } from '../../src/codec/json.ts'
import { TautlineError } from '../../src/errors.ts'
import { withMinimumFee } from '../../src/ledger/fees.ts'
import type { Node } from '../../src/node/node.ts'
import type { FinalTransaction } from '../../src/node/service.ts'
import type { Operation } from '../../src/objects/operation.ts'
import { type DecodedTransaction, decodeTransaction, signingText } from '../../src/objects/transaction.ts'
import type { Chance, Span } from './chance.ts'
import type { InstantSigner } from './keys.ts'
import { beginning, type VirtualTime } from './virtual-time.ts'

/** How long it waits for one before it asks elsewhere. */
const patienceMs = 3_000
const validityMs = 3_600_000

export interface ClientParts {
  readonly signer: InstantSigner
  readonly time: VirtualTime
  readonly chance: Chance
  /** Between a transaction and the next. */
  readonly pauseMs: Span
  /** A node that runs now, if any does. */
  readonly findNode: () => Node | undefined
  readonly nextOperations: () => readonly Operation[]
  readonly onFinal: (final: FinalTransaction) => void
}

export class Client {
  readonly #parts: ClientParts
  readonly signer: InstantSigner
  isStopped = false

  constructor(parts: ClientParts) {
    this.#parts = parts
    this.signer = parts.signer
  }

  async run(): Promise<void> {
    const { time, chance, pauseMs } = this.#parts
    while (!this.isStopped) {
      await time.wait(chance.between(pauseMs))
      const node = this.#parts.findNode()
      if (!this.isStopped && node) await Promise.race([this.#spend(node), time.wait(patienceMs + 1_000)])
    }
  }

  async #spend(node: Node): Promise<void> {
    try {
      const decoded = await this.#sign(node)
      const { id } = await node.submit(decoded)
      const submission = await node.waitUntilFinal(id, patienceMs)
      if (submission.status !== 'pending') this.#parts.onFinal(submission)
    } catch (error) {
      // What a machine in trouble answers; anything else is a bug of the node.
      if (!(error instanceof TautlineError)) throw error
    }
  }

  async #sign(node: Node): Promise<DecodedTransaction> {
    const { signer, nextOperations, time } = this.#parts
    const { nonce } = await node.account(signer.address, { proof: false })
    const unsigned = withMinimumFee(
      {
        network: node.network,
        from: signer.address,
        nonce,
        validUntil: Math.ceil((beginning + time.nowMs + validityMs) / 1_000),
        operations: [...nextOperations()],
      },
      node.genesis.parameters,
    )
    const signature = signer.sign(signingText(unsigned))
    return decodeTransaction({
      ...unsigned,
      signatures: [{ key: signer.address, signature }],
    } as unknown as Json)
  }
}
