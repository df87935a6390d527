/**
 * What keeps a network from moving, in plain sentences, from what one node knows.
 *
 * In: the answers of its doors and the time. Out: sentences, and whether somebody has to do something.
 */
import type { ConsensusStatus, Status } from '../node/service.ts'
import { isQuorum, type Validator } from '../objects/validators.ts'
import type { Address, UnixMs } from '../units.ts'

/** A step that takes longer is late: as long as the first round waits for its proposal. */
export const lateMs = 1_000

export interface Findings {
  readonly moves: boolean
  readonly sentences: readonly string[]
}

/** Whom the present step has been waiting for long enough to call it late. */
export const lateValidators = (
  consensus: ConsensusStatus,
  status: Status,
  now: UnixMs,
): readonly Address[] =>
  isLate(consensus, status, now) ? awaited(consensus).map(({ address }) => address) : []

export const diagnose = (consensus: ConsensusStatus, status: Status, now: UnixMs): Findings => {
  const { height, round, since } = consensus
  if (isBehind(status)) return catchingUp(status)
  if (!isUnderWay(consensus, status))
    return moving(`Nothing waits to be decided: block ${height} begins with the next transaction.`)
  if (!isLate(consensus, status, now)) return moving(`Block ${height} is being decided, in round ${round}.`)
  const waited = `since ${new Date(since).toISOString()}, ${duration(now - since)} ago`
  return {
    moves: false,
    sentences: [
      `Block ${height} is not decided: round ${round} waits for ${whatFor(consensus)}, ${waited}.`,
      ...whoIsMissing(consensus, status),
      ...loneliness(consensus, status),
    ],
  }
}

const isBehind = ({ syncing, sync, head }: Status): boolean =>
  syncing || (sync !== undefined && sync.target > head.height)

const catchingUp = (status: Status): Findings => ({
  moves: status.sync === undefined || status.sync.sources > 0,
  sentences: [
    `This node is catching up: ${describeSync(status)}. Ask one that is not behind about the votes.`,
  ],
})

/** How far a node that is behind has come. */
export const describeSync = ({ head, sync }: Status): string => {
  if (sync === undefined) return `it is at height ${head.height}`
  const { target, sources, refused } = sync
  const asked = sources === 0 ? 'nobody can be asked for the rest' : `${sources} can be asked for the rest`
  const why =
    refused === undefined ? '' : `; ${refused.peer} is left alone for a while, since ${refused.reason}`
  return `it is at height ${head.height} of ${target}, and ${asked}${why}`
}

const moving = (sentence: string): Findings => ({ moves: true, sentences: [sentence] })

/** Nodes that don't vote never say that they are active, but they hear others vote. */
const isUnderWay = ({ active, prevotes, precommits }: ConsensusStatus, { mempool }: Status): boolean =>
  active || prevotes.values.length > 0 || precommits.values.length > 0 || mempool.transactions > 0

const isLate = (consensus: ConsensusStatus, status: Status, now: UnixMs): boolean =>
  isUnderWay(consensus, status) && (consensus.round > 0 || now - consensus.since >= lateMs)

/** Whom the present step waits for. */
const awaited = ({ step, proposer, prevotes, precommits }: ConsensusStatus): readonly Validator[] => {
  if (step === 'precommit') return precommits.missing
  if (step === 'prevote') return prevotes.missing
  return prevotes.missing.filter(({ address }) => address === proposer)
}

const whatFor = ({ step }: ConsensusStatus): string => (step === 'propose' ? 'a proposal' : `${step}s`)

const whoIsMissing = (consensus: ConsensusStatus, status: Status): readonly string[] => {
  const missing = awaited(consensus)
  if (missing.length === 0) return ['All votes of this step are here; it ends with its timeout.']
  const total = BigInt(consensus.totalStake)
  const stake = missing.reduce((sum, validator) => sum + BigInt(validator.stake), 0n)
  return [
    `Missing ${missing.length === 1 ? 'is' : 'are'}:`,
    ...missing.map((validator) => `  ${describeMissing(validator, total, consensus, status)}`),
    `That is ${share(stake, total)} of the stake.${consequence(consensus, stake, total)}`,
  ]
}

const describeMissing = (
  { address, stake }: Validator,
  total: bigint,
  { linked }: ConsensusStatus,
  { node }: Status,
): string => {
  const who = `${address}, with ${share(BigInt(stake), total)} of the stake`
  if (address === node.address) return `${who}: this node itself, whose log says why it signs nothing`
  return `${who}, ${linked.includes(address) ? 'linked with this node' : 'not linked with this node'}`
}

const consequence = ({ step }: ConsensusStatus, missing: bigint, total: bigint): string => {
  if (step === 'propose') return ' Another validator proposes in the next round.'
  if (isQuorum(total - missing, total)) return ' The others are enough, if they vote for the same.'
  return ' A block takes more than two thirds, so none is made until some of these are back; reads go on.'
}

const loneliness = (
  { linked, proposer }: ConsensusStatus,
  { node, validators }: Status,
): readonly string[] => {
  const isAllThereIs = validators === 1 && proposer === node.address
  if (linked.length > 0 || isAllThereIs) return []
  return [
    'This node has no link to anybody, so it hears no votes: `tautline peers` says whom it tries to reach.',
  ]
}

const share = (stake: bigint, total: bigint): string => `${stake} of ${total} (${percentOf(stake, total)} %)`

/** With one decimal. */
export const percentOf = (part: bigint, total: bigint): string =>
  (Number((part * 1_000n) / total) / 10).toFixed(1)

const duration = (ms: number): string => {
  const seconds = Math.max(0, Math.round(ms / 1_000))
  if (seconds < 120) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h`
}
