/**
 * The door: what every transaction passes before the mempool.
 *
 * In order of cost: form (done already), what needs no state, the account, the signature, and last a run of
 * the operations against the head plus the sender's own pending transactions. A signature is verified once
 * in a transaction's life on this node; what the door let in isn't verified again when a block includes it.
 */
import { TautlineError } from '../errors.ts'
import type { Account } from '../ledger/account.ts'
import { type Refusal, refuseWithoutState } from '../ledger/transact.ts'
import type { Admission, Dropped, Mempool } from '../mempool/mempool.ts'
import { type DecodedTransaction, signedTextOf } from '../objects/transaction.ts'
import type { Clock } from '../ports/clock.ts'
import type { Verifier } from '../ports/keys.ts'
import { type Address, nextHeight, type UnixMs, unixMs } from '../units.ts'
import { Bell } from './bell.ts'
import type { Chain } from './chain.ts'
import { readFinal } from './finals.ts'
import { Projections } from './projections.ts'
import type { Submission, SubmissionResult } from './service.ts'

/** Most transactions that are at the door at a time; more are told to come later. */
export const maxAtDoor = 16_384
/** How long a stream waits for room in the mempool before its line fails. */
export const roomTimeoutMs = 30_000

export interface DoorParts {
  readonly chain: Chain
  readonly mempool: Mempool
  readonly verifier: Verifier
  readonly clock: Clock
  /** Called after a transaction was admitted. @param from - the peer that brought it, if one did */
  readonly onAdmitted: (transaction: DecodedTransaction, from: Address | undefined) => void
  /** Called with what had to make room. */
  readonly onDropped: (dropped: readonly Dropped[]) => void
}

export class Door {
  readonly #parts: DoorParts
  readonly #projections = new Projections()
  /** Rings when nothing is at the door any more. */
  readonly #emptied = new Bell()
  #atDoor = 0
  #closed = false
  verified = 0
  refused = 0

  constructor(parts: DoorParts) {
    this.#parts = parts
  }

  get isEmpty(): boolean {
    return this.#atDoor === 0
  }

  /** From now on nobody is let in. */
  close(): void {
    this.#closed = true
  }

  /** Resolves when everyone who is at the door now and shortly after has passed, or when the signal aborts. */
  async empty(signal: AbortSignal): Promise<void> {
    while (this.#atDoor > 0 && !signal.aborted) await this.#emptied.rings(signal)
  }

  /** @throws TautlineError with what speaks against the transaction */
  async submit(transaction: DecodedTransaction): Promise<Submission> {
    return this.#pass(
      1,
      async (leave) => (await this.#examine(transaction)) ?? this.#admit(transaction, leave),
    )
  }

  /** As {@link submit}, for one whose signature this node made itself a moment ago. */
  async submitOwn(transaction: DecodedTransaction): Promise<Submission> {
    return this.#pass(1, (leave) => this.#admit(transaction, leave))
  }

  /** Examines side by side and admits in order, waiting for room. */
  async submitAll(
    transactions: readonly DecodedTransaction[],
    signal: AbortSignal,
  ): Promise<readonly SubmissionResult[]> {
    return this.#passInOrder(transactions, (transaction, leave) =>
      this.#admitWithPatience(transaction, leave, signal),
    )
  }

  /** As {@link submitAll} for what a peer brings, but never waiting for room: peers repeat what is lacking. */
  async takeFrom(
    peer: Address | undefined,
    transactions: readonly DecodedTransaction[],
  ): Promise<readonly SubmissionResult[]> {
    return this.#passInOrder(transactions, async (transaction, leave) => {
      const { value, error } = await settle(this.#admit(transaction, leave, peer))
      return value ? { submission: value } : { error }
    })
  }

  async #passInOrder(
    transactions: readonly DecodedTransaction[],
    admit: (transaction: DecodedTransaction, leave: () => void) => Promise<SubmissionResult>,
  ): Promise<readonly SubmissionResult[]> {
    return this.#pass(transactions.length, async (leave) => {
      const examined = transactions.map((transaction) => settle(this.#examine(transaction)))
      const results: SubmissionResult[] = []
      for (const [at, transaction] of transactions.entries()) {
        const { value: known, error } = await examined[at]!
        if (error !== undefined) results.push({ error })
        else if (known) results.push({ submission: known })
        else results.push(await admit(transaction, leave))
      }
      return results
    })
  }

  /** @param steps - are given what to call once for each that is admitted: it isn't at the door any more */
  async #pass<Result>(count: number, steps: (leave: () => void) => Promise<Result>): Promise<Result> {
    if (this.#closed)
      throw new TautlineError(
        'shutting-down',
        'this node is shutting down: send it to another, or again later',
      )
    if (this.#atDoor + count > maxAtDoor) {
      throw new TautlineError(
        'mempool-full',
        `${this.#atDoor} transactions are being checked already: send this one again in a moment`,
      )
    }
    let present = count
    const leave = (leaving = 1): void => {
      present -= leaving
      this.#goAway(leaving)
    }
    this.#atDoor += count
    try {
      return await steps(leave)
    } finally {
      leave(present)
    }
  }

  #goAway(count: number): void {
    this.#atDoor -= count
    if (this.#atDoor === 0) this.#emptied.ring()
  }

  /** Everything but the run on the state; resolves with the answer when the transaction is known already. */
  async #examine(decoded: DecodedTransaction): Promise<Submission | undefined> {
    const { chain, mempool, verifier } = this.#parts
    const { id, transaction } = decoded
    if (mempool.has(id)) return { id, status: 'pending' }
    const { nonce } = chain.peekAccount(transaction.from) ?? (await chain.account(transaction.from))
    if (transaction.nonce < nonce) return this.#answerUsedNonce(decoded, nonce)
    const refusal = refuseWithoutState(decoded, chain.network, chain.genesis.parameters, this.#time())
    if (refusal) throw this.#refusal(refusal)
    const { key, signature } = transaction.signatures[0]!
    this.verified++
    if (await verifier.verify(key, signedTextOf(decoded), signature)) return undefined
    throw this.#refusal({
      code: 'invalid-signature',
      message: `this is no signature of ${key} over this transaction: sign the domain tag and the canonical JSON without \`signatures\``,
      details: { id },
    })
  }

  async #admit(decoded: DecodedTransaction, leave: () => void, peer?: Address): Promise<Submission> {
    const { chain } = this.#parts
    const { from } = decoded.transaction
    for (;;) {
      const account = chain.peekAccount(from)
      // Nothing waits between the peek and the mempool, so what was read is the state of the head.
      const admission = account && this.#admitNow(decoded, account)
      if (admission?.kind === 'refused') return this.#refuseAdmission(decoded, admission)
      if (admission) {
        leave()
        if (admission.kind === 'added') this.#parts.onAdmitted(decoded, peer)
        return { id: decoded.id, status: 'pending' }
      }
      await chain.account(from)
    }
  }

  #admitNow(decoded: DecodedTransaction, account: Account): Admission {
    const { chain, mempool } = this.#parts
    const { from } = decoded.transaction
    const refusal =
      !mempool.has(decoded.id) &&
      this.#projections.refuse(decoded, {
        head: chain.head.hash,
        account,
        common: chain.head.common,
        time: this.#time(),
        height: nextHeight(chain.head.height),
        parameters: chain.genesis.parameters,
        pending: () => mempool.pendingOf(from),
        nextNonce: mempool.nextNonce(from, account.nonce),
      })
    if (refusal) return { kind: 'refused', ...refusal, dropped: [] }
    const admission = mempool.add(decoded, account.nonce)
    for (const { transaction } of admission.dropped) this.#projections.forget(transaction.transaction.from)
    if (admission.dropped.length > 0) this.#parts.onDropped(admission.dropped)
    return admission
  }

  async #admitWithPatience(
    decoded: DecodedTransaction,
    leave: () => void,
    signal: AbortSignal,
  ): Promise<SubmissionResult> {
    const deadline = this.#parts.clock.now() + roomTimeoutMs
    for (;;) {
      const { value, error } = await settle(this.#admit(decoded, leave))
      if (value) return { submission: value }
      const timeLeftMs = deadline - this.#parts.clock.now()
      if (!isFull(error) || timeLeftMs <= 0 || signal.aborted || this.#closed) return { error }
      this.#goAway(1) // who waits for blocks must not be waited for by them
      await this.#nextBlock(timeLeftMs, signal)
      this.#atDoor++
    }
  }

  async #nextBlock(timeoutMs: number, signal: AbortSignal): Promise<void> {
    const over = new AbortController()
    const cancel = this.#parts.clock.schedule(timeoutMs, () => over.abort())
    await this.#parts.chain.committed.rings(AbortSignal.any([over.signal, signal]))
    cancel()
  }

  async #refuseAdmission(
    decoded: DecodedTransaction,
    { code, message, details }: Admission & { kind: 'refused' },
  ): Promise<Submission> {
    if (code === 'nonce-used') return this.#answerUsedNonce(decoded, Number(details.nonce))
    throw this.#refusal({ code, message, details })
  }

  /** A used nonce is the transaction's own when it is submitted again after it became final. */
  async #answerUsedNonce({ id, transaction }: DecodedTransaction, nonce: number): Promise<Submission> {
    const final = await readFinal(this.#parts.chain, id)
    if (final) return final
    throw this.#refusal({
      code: 'nonce-used',
      message: `nonce ${transaction.nonce} is used, the account's next is ${nonce}: sign it again with that`,
      details: { nonce },
    })
  }

  #refusal({ code, message, details }: Refusal): TautlineError {
    this.refused++
    return new TautlineError(code, message, details)
  }

  /** A transaction must fit a block that comes after the head, made by this clock. */
  #time(): UnixMs {
    const { chain, clock } = this.#parts
    return unixMs(Math.max(clock.now(), chain.head.time))
  }
}

const settle = <Value>(promise: Promise<Value>): Promise<{ value?: Value; error?: unknown }> =>
  promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  )

const isFull = (error: unknown): boolean => error instanceof TautlineError && error.code === 'mempool-full'
