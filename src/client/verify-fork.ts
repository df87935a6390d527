/**
 * Checks evidence of a fork offline, with nothing but the network id, and names whom it is against.
 *
 * In: the text of a `objects/fork.ts`. Out: a verdict in words. The common block is proven from the network id, each
 * branch from the common block; every signature is checked.
 *
 * Whom it names:
 * - Who has signed two blocks in one round has contradicted itself: `equivocation`, proven.
 * - Who has signed both in different rounds may have forgotten its lock, or been misled by those who did: `both`. The
 *   messages of that height tell them apart (`tautline blame`).
 * - Who has signed a block whose validators nothing leads to, in the place of those that the other branch shows:
 *   `impossible`. No honest validator votes with a set that isn't the ledger's.
 */
import { parseJson } from '../codec/json.ts'
import { TautlineError } from '../errors.ts'
import { signsForHonest } from '../light/step.ts'
import { refuseFinality, type Walked, walkFromGenesis, walkHops } from '../node/finality.ts'
import { hashHeader } from '../objects/block.ts'
import { type Branch, type Fork, forkSchema } from '../objects/fork.ts'
import { networkIdOf } from '../objects/genesis.ts'
import { type ValidatorSet, validatorSet } from '../objects/validators.ts'
import type { Verifier } from '../ports/keys.ts'
import {
  type Address,
  type Amount,
  amount,
  type BlockHash,
  type Height,
  height,
  type NetworkId,
} from '../units.ts'
import { checkLightBlock } from './check-header.ts'
import { portableVerifier } from './portable-verifier.ts'
import { maxProofLength } from './verify-proof.ts'

export type Charge = 'equivocation' | 'both' | 'impossible'

export interface Accused {
  readonly validator: Address
  /** By the set that follows the common block. */
  readonly stake: Amount
  readonly charge: Charge
}

export type ForkVerdict =
  | {
      readonly ok: true
      readonly kind: 'fork'
      /** Of the two blocks. */
      readonly height: Height
      readonly blocks: readonly [BlockHash, BlockHash]
      /** The block that both lead back to; at height 0 it is the genesis. */
      readonly common: { readonly height: Height; readonly hash: BlockHash }
      /** Sorted by validator. */
      readonly accused: readonly Accused[]
      readonly accusedStake: Amount
      readonly totalStake: Amount
      /** What is proven, as a sentence. */
      readonly proves: string
    }
  | { readonly ok: false; readonly reason: string }

export interface ForkExpectation {
  readonly network: NetworkId
  readonly verifier?: Verifier
}

/** @param text - JSON, in any spelling */
export const verifyFork = async (
  text: string,
  { network, verifier = portableVerifier }: ForkExpectation,
): Promise<ForkVerdict> => {
  const fork = readFork(text)
  const found = typeof fork === 'string' ? fork : await examine(verifier, fork, network)
  return typeof found === 'string' ? { ok: false, reason: found } : found
}

const readFork = (text: string): Fork | string => {
  if (text.length > maxProofLength)
    return `the text is longer than any evidence, ${maxProofLength} characters`
  try {
    const parsed = forkSchema.safeParse(parseJson(text))
    if (parsed.success) return parsed.data
    const { path, message } = parsed.error.issues[0]!
    return `not the form of a fork: ${path.length === 0 ? '' : `${path.join('.')}: `}${message}`
  } catch (error) {
    if (error instanceof TautlineError) return error.message
    throw error
  }
}

/** A block and how it was reached. */
interface Common extends Walked {
  readonly hash: BlockHash
}

const examine = async (verifier: Verifier, fork: Fork, network: NetworkId): Promise<ForkVerdict | string> => {
  if (fork.network !== network) return `the evidence is of network ${fork.network}, not of ${network}`
  const common = await walkToCommon(verifier, fork.common, network)
  if (typeof common === 'string') return `the common block: ${common}`
  const first = await walkBranch(verifier, fork.first, common, network)
  if (typeof first === 'string') return `the first branch: ${first}`
  if (!first.isWhole) return 'the first branch: nothing leads from the common block to its validators'
  const second = await walkBranch(verifier, fork.second, common, network)
  if (typeof second === 'string') return `the second branch: ${second}`
  if (first.height !== second.height)
    return `the branches end at different heights, ${first.height} and ${second.height}`
  if (first.hash === second.hash) return 'both branches end at the same block'
  const accused = nameAccused(common.set, fork, second.isWhole)
  if (accused.length === 0)
    return 'nobody is named by it: no validator has signed both, so show the first height at which they differ'
  return verdictOf(common, first, second, accused)
}

const walkToCommon = async (
  verifier: Verifier,
  { genesis, hops, block }: Fork['common'],
  network: NetworkId,
): Promise<Common | string> => {
  const finality = { genesis, hops, ...(block && { header: block.header, certificate: block.certificate }) }
  const flaw = await refuseFinality(verifier, finality, network)
  if (flaw !== undefined) return flaw
  if (!block) return { ...walkFromGenesis(genesis), hash: networkIdOf(genesis) }
  const checked = await checkLightBlock(verifier, network, block)
  if (typeof checked === 'string') return checked
  const { header, validators, nextValidators } = checked
  return { set: validatorSet(nextValidators ?? validators), height: header.height, hash: hashHeader(header) }
}

interface WalkedBranch {
  readonly height: Height
  readonly hash: BlockHash
  /** Its validators are those that the common block leads to. */
  readonly isWhole: boolean
}

const walkBranch = async (
  verifier: Verifier,
  { hops, block }: Branch,
  common: Common,
  network: NetworkId,
): Promise<WalkedBranch | string> => {
  const checked = await checkLightBlock(verifier, network, block)
  if (typeof checked === 'string') return checked
  const { header } = checked
  if (header.height <= common.height)
    return `it ends at height ${header.height}, and the common block is of height ${common.height}`
  const walked = await walkHops(verifier, common, hops, network)
  if (typeof walked === 'string') return walked
  const reached = { height: header.height, hash: hashHeader(header) }
  if (header.validatorsHash === walked.set.hash && header.height > walked.height) {
    const follows = header.height > common.height + 1 || header.parent === common.hash
    return follows
      ? { ...reached, isWhole: true }
      : `block ${header.height} does not follow from the common one`
  }
  if (hops.length > 0) return 'its hops do not lead to the validators of its block'
  if (!signsForHonest(checked, common.set))
    return 'its validators are unknown, and no third of the stake at the common block has signed it: anybody could have made it up'
  return { ...reached, isWhole: false }
}

const nameAccused = (set: ValidatorSet, { first, second }: Fork, isWhole: boolean): readonly Accused[] => {
  const [one, other] = [first.block.certificate, second.block.certificate]
  const signedFirst = new Set(one.precommits.map(({ validator }) => validator))
  const both: Charge = one.round === other.round ? 'equivocation' : 'both'
  return other.precommits.flatMap(({ validator }) => {
    const stake = set.stakes.get(validator)
    const charge = signedFirst.has(validator) ? both : isWhole ? undefined : 'impossible'
    if (charge === undefined || (stake === undefined && charge === 'impossible')) return []
    return [{ validator, stake: amount(stake ?? 0n), charge }]
  })
}

const verdictOf = (
  common: Common,
  first: WalkedBranch,
  second: WalkedBranch,
  accused: readonly Accused[],
): ForkVerdict => {
  const named = accused.reduce((sum, { stake }) => sum + BigInt(stake), 0n)
  const { total } = common.set
  const after = common.height === 0 ? 'the genesis' : `block ${common.height} (${common.hash})`
  return {
    ok: true,
    kind: 'fork',
    height: first.height,
    blocks: [first.hash, second.hash],
    common: { height: height(common.height), hash: common.hash },
    accused,
    accusedStake: amount(named),
    totalStake: amount(total),
    proves: `after ${after}, validators with ${named} of ${total} staked units have signed two chains: ${first.hash} and ${second.hash} are both block ${first.height}`,
  }
}
