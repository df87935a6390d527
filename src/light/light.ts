/**
 * A light client: somebody who keeps a few headers, and knows from them what a whole network agrees on.
 *
 * In: what is trusted (a network's id, or a recent block's hash as well), the time, and answers to its requests, with
 * every signature in them checked already. Out: requests, and then a verdict: a header of the network's, why there is
 * none, or evidence that the network is split. Must never read a clock, wait, or believe a source: what it gives for
 * true, more than a third of stake has signed that can still be slashed for a lie (`step.ts`).
 *
 * It is written as generators, since it is a conversation: {@link begin} and {@link follow} yield requests, and go on
 * with the answers. `client/light-client.ts` runs them over HTTP.
 *
 * - Steps and skips are those of the light client of Tendermint: arXiv:2010.07031 §4.
 * - Witnesses are asked for the same header. Where one has another, the last block that both have is searched for, and
 *   what each has after it (`fork-search.ts`).
 * - A block older than the trusting period can't be skipped from. A network's id alone pins its genesis, which may be
 *   older than that; then every change of the validators since is gone through, as in a proof, and `isPinned` is false.
 */
import { networkIdOf } from '../objects/genesis.ts'
import type { LightBlock } from '../objects/light-block.ts'
import type { Verified } from '../objects/verified.ts'
import { height as asHeight, type BlockHash, type Height } from '../units.ts'
import { ask } from './ask.ts'
import { compareWitness } from './fork-search.ts'
import { maxRequests, maxTrusted, maxWitnesses } from './limits.ts'
import {
  type Answer,
  type Complaint,
  type Followed,
  followed,
  type LightState,
  type Look,
  type Outcome,
  type Refusal,
  refuse,
  type Steps,
  type Trust,
  type Trusted,
} from './protocol.ts'
import { skip } from './skip.ts'
import { describeDays, isYoung, trustedGenesis, trustedOf } from './step.ts'

export * from './limits.ts'
export * from './protocol.ts'

/** What there is to go on from, by what is trusted. */
export function* begin(trust: Trust, nowMs: number): Steps<{ kind: 'begun'; state: LightState } | Refusal> {
  const first = yield { source: followed, at: asHeight(0), origin: false }
  if (first.kind !== 'genesis') return asRefusal(first, 'it has no genesis')
  const { network, pin } = trust
  const { genesis } = first
  const started = networkIdOf(genesis)
  if (started !== network)
    return refuse('wrong-network', `it is of network ${started}, and ${network} was expected`)
  const { parameters } = genesis
  const look = { parameters, nowMs, left: maxRequests }
  const own = trustedGenesis(genesis)
  const begun = (trusted: Trusted, isPinned: boolean) =>
    ({ kind: 'begun', state: { network, parameters, genesis: own, trusted: [trusted], isPinned } }) as const

  if (pin === undefined && isYoung(own, look)) return begun(own, true)
  const at = pin?.height ?? 'latest'
  const answer = yield* ask(look, { source: followed, at, origin: pin === undefined })
  if (answer.kind === 'genesis') return staleSince(own, look)
  if (answer.kind !== 'block') return asRefusal(answer, `it has no block ${at}`)
  const trusted = trustedOf(answer.block)
  if (pin === undefined) return isYoung(trusted, look) ? begun(trusted, false) : staleSince(trusted, look)
  if (trusted.hash !== pin.hash)
    return refuse('other-block', `its block ${at} is ${trusted.hash}, and you trust ${pin.hash}`)
  return begun(trusted, true)
}

export interface Wish {
  readonly nowMs: number
  /** Absent: the newest. */
  readonly height?: Height
  /** It is given for the newest: it must be no older than any before. Without a height it always is. */
  readonly isNewest?: boolean
  /** How many sources are compared with the first. */
  readonly witnesses?: number
}

/** A header of the network's: the newest, or one of some height. */
export function* follow(
  state: LightState,
  { nowMs, height, isNewest = height === undefined, witnesses = 0 }: Wish,
): Steps<Outcome> {
  const look: Look = { parameters: state.parameters, nowMs, left: maxRequests }
  const newest = state.trusted.at(-1)!
  if (!isYoung(newest, look)) return expired(newest, look)
  const at = height ?? 'latest'
  const answer = yield* ask(look, { source: followed, at, origin: false })
  if (answer.kind === 'genesis') return followedGenesis(state)
  if (answer.kind !== 'block') return asRefusal(answer, `it has no block ${at}`)
  const { block } = answer
  const known = trustedOf(block)
  if (isNewest && known.height < newest.height)
    return refuse(
      'time-travel',
      `the newest block that it shows is ${known.height}, and it has shown block ${newest.height} before`,
    )
  const reached = yield* reach(state, look, block)
  if (reached.kind === 'refused') return reached
  const bases = [state.genesis, ...reached.state.trusted.filter(({ height }) => height > 0)]
  const complaints: Complaint[] = []
  for (let source = 1; source <= Math.min(witnesses, maxWitnesses); source++) {
    const compared = yield* compareWitness(look, source, { block, bases, isNewest })
    if (compared.kind === 'forked' || compared.kind === 'refused') return compared
    if (compared.kind === 'complaint') complaints.push(compared.complaint)
  }
  return { ...reached, kind: 'followed', block, at: known, complaints }
}

type Reached = Pick<Followed, 'state' | 'isPinned'> & { readonly kind: 'reached' }

/** From the nearest trusted header below it. */
function* reach(state: LightState, look: Look, block: Verified<LightBlock>): Steps<Reached | Refusal> {
  const at = trustedOf(block)
  const below = state.trusted.findLast(({ height }) => height <= at.height)
  if (below === undefined || (below.height < at.height && !isYoung(below, look)))
    return yield* reachFromGenesis(state, look, at)
  if (below.height === at.height)
    return below.hash === at.hash
      ? { kind: 'reached', state, isPinned: state.isPinned }
      : contradiction(at.height, at.hash, below.hash)
  const skipped = yield* skip(look, followed, below, block)
  if (skipped.kind === 'refused') return skipped
  return { kind: 'reached', state: withTrusted(state, skipped.trusted), isPinned: state.isPinned }
}

/** By every change of the validators, where nothing lies below that can be skipped from. */
function* reachFromGenesis(state: LightState, look: Look, at: Trusted): Steps<Reached | Refusal> {
  const answer = yield* ask(look, { source: followed, at: at.height, origin: true })
  if (answer.kind !== 'block') return asRefusal(answer, `it has no block ${at.height}`)
  const { hash } = trustedOf(answer.block)
  if (hash !== at.hash) return contradiction(at.height, hash, at.hash)
  const above = state.trusted.find(({ height }) => height > at.height)
  if (above && at.time >= above.time)
    return refuse(
      'time-travel',
      `block ${at.height} says it is of ${at.time}, no earlier than block ${above.height} of ${above.time}: time runs backwards`,
    )
  return { kind: 'reached', state, isPinned: false }
}

const followedGenesis = (state: LightState): Outcome => {
  const newest = state.trusted.at(-1)!
  if (newest.height === 0)
    return { kind: 'followed', state, at: newest, isPinned: state.isPinned, complaints: [] }
  return refuse('time-travel', `it has no block yet, it says, and it has shown block ${newest.height} before`)
}

const withTrusted = (state: LightState, more: readonly Trusted[]): LightState => {
  const trusted = [...state.trusted, ...more].sort((one, other) => one.height - other.height)
  return { ...state, trusted: trusted.slice(-maxTrusted) }
}

const asRefusal = (answer: Answer, otherwise: string): Refusal => {
  switch (answer.kind) {
    case 'refused':
      return answer
    case 'pruned':
      return refuse('pruned', `${otherwise} any more: ask a node that keeps more`)
    default:
      return refuse('not-found', otherwise)
  }
}

const staleSince = ({ height, time }: Trusted, { parameters }: Look): Refusal =>
  refuse(
    'stale',
    `the newest block that it shows, ${height}, is of ${time}, longer ago than the trusting period, ${describeDays(parameters.trustingPeriodMs)}: the network has stopped, or newer blocks are kept from you`,
  )

const expired = ({ height, time }: Trusted, { parameters }: Look): Refusal =>
  refuse(
    'expired-trust',
    `the block that you trust, ${height}, is of ${time}, longer ago than the trusting period, ${describeDays(parameters.trustingPeriodMs)}: get the height and hash of a recent block from somebody whom you trust`,
  )

const contradiction = (height: Height, shown: BlockHash, trusted: BlockHash): Refusal =>
  refuse('contradicted', `it shows block ${height} as ${shown}, and ${trusted} is verified`)
