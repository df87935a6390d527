/** Spending from the node's own account: it fills in what its operator left out, signs, and submits. */
import type { Json } from '../codec/json.ts'
import { withMinimumFee } from '../ledger/fees.ts'
import type { Mempool } from '../mempool/mempool.ts'
import type { Operation } from '../objects/operation.ts'
import { decodeTransaction, signingText } from '../objects/transaction.ts'
import type { Clock } from '../ports/clock.ts'
import type { Signer } from '../ports/keys.ts'
import type { Chain } from './chain.ts'
import type { Door } from './door.ts'
import type { Submission } from './service.ts'

/** How long a transaction of the wallet may wait for a block. */
export const walletValidityMs = 10 * 60 * 1_000

export interface WalletParts {
  readonly chain: Chain
  readonly mempool: Mempool
  readonly door: Door
  readonly signer: Signer
  readonly clock: Clock
}

export class Wallet {
  readonly #parts: WalletParts
  /** Calls take turns, so that each gets a nonce of its own. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(parts: WalletParts) {
    this.#parts = parts
  }

  spend(request: { readonly operations: readonly Operation[]; readonly memo?: string }): Promise<Submission> {
    const turn = this.#turn.then(() => this.#spend(request))
    this.#turn = turn.catch(() => undefined)
    return turn
  }

  async #spend({
    operations,
    memo,
  }: {
    readonly operations: readonly Operation[]
    readonly memo?: string
  }): Promise<Submission> {
    const { chain, mempool, door, signer, clock } = this.#parts
    const from = signer.address
    // Read without waiting, or else a block could use the nonce up in between.
    let account = chain.peekAccount(from)
    while (!account) {
      await chain.account(from)
      account = chain.peekAccount(from)
    }
    const unsigned = withMinimumFee(
      {
        network: chain.network,
        from,
        nonce: mempool.nextNonce(from, account.nonce),
        validUntil: Math.ceil((Math.max(clock.now(), chain.head.time) + walletValidityMs) / 1_000),
        ...(memo === undefined ? {} : { memo }),
        operations: [...operations],
      },
      chain.genesis.parameters,
    )
    const signature = await signer.sign(signingText(unsigned))
    return door.submitOwn(
      decodeTransaction({ ...unsigned, signatures: [{ key: from, signature }] } as unknown as Json),
    )
  }
}
