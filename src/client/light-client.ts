/**
 * A light client over HTTP: it follows a network from node to node, keeps a few headers in memory, and answers from
 * them what accounts hold and what became of transactions, verified.
 *
 * In: a join string, and URLs of witnesses. Out: headers, accounts and transactions that the network has decided, or a
 * {@link LightRefusal} that says why nothing can be believed. Decides nothing itself (`light/light.ts` does), and never
 * believes the node that it asks. Runs wherever there is `fetch`.
 */
import { canonicalize, type Json } from '../codec/json.ts'
import {
  type Answer,
  begin,
  type Followed,
  follow,
  type LightState,
  maxWitnesses,
  type RefusalCode,
  type Request,
  refuse,
  type Steps,
  type Wish,
} from '../light/light.ts'
import type { AccountView, TransactionView } from '../node/service.ts'
import type { Fork } from '../objects/fork.ts'
import { type JoinString, parseJoinString } from '../objects/join-string.ts'
import type { Verifier } from '../ports/keys.ts'
import type { Address, BlockHash, Height, NetworkId, TransactionId, UnixMs } from '../units.ts'
import { checkHeader } from './check-header.ts'
import { type Client, type ClientOptions, createClient } from './client.ts'
import { portableVerifier } from './portable-verifier.ts'
import { RequestError } from './request-error.ts'
import { verifyFork } from './verify-fork.ts'
import { verifyProof } from './verify-proof.ts'

/** Most calls that wait for the look before theirs. */
const maxWaiting = 256
/** Longest look: a source may be slow, and many requests slow in turn. */
const maxLookMs = 5 * 60_000
/** Longest wait for one answer, if nothing else is said. */
const defaultTimeoutMs = 20_000

export interface LightOptions extends Pick<ClientOptions, 'token' | 'fetch' | 'timeoutMs'> {
  /** Whom to follow, and what to trust: `https://node.example#<network id>`, with `@<height>:<hash>` behind it or without. */
  readonly join: string | JoinString
  /** URLs of other nodes of the network, which must say the same. */
  readonly witnesses?: readonly string[]
  /** Milliseconds since the Unix epoch. */
  readonly now?: () => number
  /** A faster one, if the runtime has it. */
  readonly verifier?: Verifier
}

export interface LightHead {
  /** 0: the network has no block yet. */
  readonly height: Height
  readonly hash: BlockHash
  readonly time: UnixMs
  /** False: it is proven by the network id alone, from a genesis older than the trusting period. */
  readonly isPinned: boolean
  /** What is wrong with witnesses, or with the followed node by what they have. */
  readonly complaints: readonly { readonly url: string; readonly code: string; readonly reason: string }[]
}

export type LightAccount = Omit<AccountView, 'proof'> & { readonly block: LightHead }
export type LightTransaction = Omit<TransactionView, 'proof'> & {
  /** Absent while it is pending: that is the node's word, and no more. */
  readonly block?: LightHead
}

export interface LightClient {
  readonly network: NetworkId
  /** Follows the network to the present. */
  update(): Promise<LightHead>
  /** What it holds now. */
  account(address: Address): Promise<LightAccount>
  transaction(id: TransactionId): Promise<LightTransaction>
  /** Requests that were made so far. */
  readonly requests: number
}

/** Nothing can be believed, and why. */
export class LightRefusal extends Error {
  override readonly name = 'LightRefusal'
  readonly code: RefusalCode | 'forked' | 'false-proof'
  /** Of code `forked`: to be kept, and shown to others. */
  readonly fork?: Fork

  constructor(code: LightRefusal['code'], message: string, fork?: Fork) {
    super(message)
    this.code = code
    if (fork) this.fork = fork
  }
}

/** All methods reject with {@link LightRefusal}, or with a {@link RequestError} when a node has refused. */
export const createLightClient = (options: LightOptions): LightClient => {
  const light = new Light(options)
  return {
    network: light.network,
    update: () => light.inTurn(() => light.update()),
    account: (address) => light.inTurn(() => light.account(address)),
    transaction: (id) => light.inTurn(() => light.transaction(id)),
    get requests() {
      return light.requests
    },
  }
}

class Light {
  readonly network: NetworkId
  requests = 0
  readonly #trust: JoinString
  readonly #sources: readonly Client[]
  readonly #verifier: Verifier
  readonly #now: () => number
  #state: LightState | undefined
  #turn: Promise<unknown> = Promise.resolve()
  #waiting = 0
  /** Of the look that is going on. */
  #endMs = 0

  constructor({
    join,
    witnesses = [],
    now = Date.now,
    verifier = portableVerifier,
    ...options
  }: LightOptions) {
    if (witnesses.length > maxWitnesses)
      throw new RangeError(`${witnesses.length} witnesses, and at most ${maxWitnesses} are compared`)
    this.#trust = typeof join === 'string' ? parseJoinString(join) : join
    this.network = this.#trust.network
    this.#sources = [this.#trust.url, ...witnesses].map((url) =>
      createClient({ timeoutMs: defaultTimeoutMs, ...options, url }),
    )
    this.#verifier = verifier
    this.#now = now
  }

  /** One look after the other: each begins with what the one before has verified. */
  async inTurn<Result>(look: () => Promise<Result>): Promise<Result> {
    if (this.#waiting >= maxWaiting)
      throw new LightRefusal('too-many-requests', `${maxWaiting} calls wait already: wait for some of them`)
    this.#waiting++
    const turn = this.#turn.then(() => {
      this.#endMs = Date.now() + maxLookMs
      return look()
    })
    this.#turn = turn.catch(() => undefined)
    return turn.finally(() => this.#waiting--)
  }

  async update(): Promise<LightHead> {
    return this.#follow({})
  }

  async account(address: Address): Promise<LightAccount> {
    const text = await this.#proof((client) => client.accountProof(address))
    const { proof: _, ...account } = readAnswer<AccountView>(text)
    const block = await this.#follow({ height: account.height, isNewest: true })
    await this.#expectProof(text, block)
    return { ...account, block }
  }

  async transaction(id: TransactionId): Promise<LightTransaction> {
    const text = await this.#proof((client) => client.transactionProof(id))
    const { proof: _, ...transaction } = readAnswer<TransactionView>(text)
    if (transaction.id !== id)
      throw new LightRefusal('false-proof', `asked for transaction ${id}, it gave ${transaction.id}`)
    if (transaction.status === 'pending') return transaction
    const block = await this.#follow({ height: transaction.height })
    await this.#expectProof(text, block)
    return { ...transaction, block }
  }

  #proof(read: (client: Client) => Promise<string>): Promise<string> {
    this.requests++
    return read(this.#sources[0]!)
  }

  async #expectProof(text: string, { hash }: LightHead): Promise<void> {
    const verdict = await verifyProof(text, { network: this.network, block: hash })
    if (!verdict.ok) throw new LightRefusal('false-proof', `the proof does not hold: ${verdict.reason}`)
  }

  async #follow(wish: Pick<Wish, 'height' | 'isNewest'>): Promise<LightHead> {
    const nowMs = this.#now()
    this.#state ??= await this.#begin(nowMs)
    const witnesses = this.#sources.length - 1
    const outcome = await this.#run(follow(this.#state, { ...wish, nowMs, witnesses }))
    if (outcome.kind === 'refused') throw this.#refusal(outcome)
    if (outcome.kind === 'forked') throw await this.#forked(outcome)
    this.#state = outcome.state
    return this.#headOf(outcome)
  }

  async #begin(nowMs: number): Promise<LightState> {
    const begun = await this.#run(begin(this.#trust, nowMs))
    if (begun.kind === 'refused') throw this.#refusal(begun)
    return begun.state
  }

  async #run<Result>(steps: Steps<Result>): Promise<Result> {
    let step = steps.next()
    while (!step.done) step = steps.next(await this.#ask(step.value))
    return step.value
  }

  async #ask({ source, at, origin }: Request): Promise<Answer> {
    if (Date.now() > this.#endMs)
      return refuse('too-many-requests', `it takes longer than ${maxLookMs / 60_000} minutes to find out`)
    this.requests++
    try {
      const view = await this.#sources[source]!.header(at, { proof: origin })
      return await checkHeader(this.#verifier, this.network, view)
    } catch (error) {
      if (error instanceof RequestError) return answerOf(error)
      throw error
    }
  }

  #headOf({ at: { height, hash, time }, isPinned, complaints }: Followed): LightHead {
    const named = complaints.map(({ source, code, reason }) => ({
      url: this.#sources[source]!.url,
      code,
      reason,
    }))
    return { height, hash, time, isPinned, complaints: named }
  }

  #refusal({ code, reason }: { code: RefusalCode; reason: string }): LightRefusal {
    return new LightRefusal(code, `${this.#sources[0]!.url}: ${reason}`)
  }

  async #forked({ fork, source }: { fork: Fork; source: number }): Promise<LightRefusal> {
    const [followed, witness] = [this.#sources[0]!.url, this.#sources[source]!.url]
    const verdict = await verifyFork(canonicalize(fork as unknown as Json), {
      network: this.network,
      verifier: this.#verifier,
    })
    return verdict.ok
      ? new LightRefusal(
          'forked',
          `${followed} and ${witness} are of different chains: ${verdict.proves}`,
          fork,
        )
      : new LightRefusal(
          'contradicted',
          `${followed} and ${witness} show different blocks, and what they give for it is no evidence: ${verdict.reason}`,
        )
  }
}

const answerOf = ({ code, message, details: { problem } }: RequestError): Answer => {
  if (code === 'not-found') return { kind: 'absent' }
  const next = problem && 'next' in problem ? problem.next : undefined
  if (code === 'pruned' && Number.isSafeInteger(next)) return { kind: 'pruned', next: next as Height }
  return { kind: 'refused', code: code === 'pruned' ? 'pruned' : 'unreachable', reason: message }
}

/** Whatever it says is checked by its proof afterwards. */
const readAnswer = <View extends { readonly height?: unknown } | TransactionView>(text: string): View => {
  const value: unknown = readJson(text)
  if (typeof value === 'object' && value !== null && isHeight(value)) return value as View
  throw new LightRefusal('false-proof', 'the answer is none of a node: it has no height')
}

const isHeight = (value: object): boolean =>
  ('status' in value && value.status === 'pending') ||
  ('height' in value && Number.isSafeInteger(value.height) && (value.height as number) >= 0)

const readJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
