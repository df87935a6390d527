/**
 * Comparing with a witness, and finding out what is the matter where it differs.
 *
 * By halving, the last block is found that both sources have, and the first that they don't; blocks are linked by
 * hashes, so chains that differ once differ for ever. Then each is asked for what leads from the network id to its own
 * block. If both can show that, the network is split, and that is evidence. Who can't has made its block up: that is
 * evidence too if a third of the stake has signed it, and otherwise a lie that nobody else has part in.
 *
 * @see arXiv:2010.07031 §5, and CometBFT's "Light client attack detector"
 */
import { hashHeader } from '../objects/block.ts'
import type { Branch, Fork } from '../objects/fork.ts'
import type { LightBlock, Origin } from '../objects/light-block.ts'
import type { Verified } from '../objects/verified.ts'
import { height as asHeight, type Height } from '../units.ts'
import { ask } from './ask.ts'
import { maxLagMs } from './limits.ts'
import {
  type Answer,
  type Complaint,
  type Forked,
  followed,
  type Look,
  type Refusal,
  type RefusalCode,
  refuse,
  type Source,
  type Steps,
  type Trusted,
} from './protocol.ts'
import { middleOf, skip } from './skip.ts'
import { signsForHonest, trustedOf } from './step.ts'

type Block = Verified<LightBlock>

export type Comparison =
  | { readonly kind: 'agreed' }
  | { readonly kind: 'complaint'; readonly complaint: Complaint }
  | Forked
  /** The source that is followed is the one to blame. */
  | Refusal

export interface Compared {
  readonly block: Block
  /** It is given for the newest: a witness that has had a newer one for a while says so. */
  readonly isNewest: boolean
  /** Verified headers of the followed source, the genesis first. */
  readonly bases: readonly Trusted[]
}

export function* compareWitness(look: Look, witness: Source, compared: Compared): Steps<Comparison> {
  if (compared.isNewest) return yield* compareNewest(look, witness, compared)
  const { block, bases } = compared
  const { height } = block.header
  const answer = yield* ask(look, { source: witness, at: height, origin: false })
  switch (answer.kind) {
    case 'block':
      return yield* compareBlocks(look, witness, bases, { mine: block, theirs: answer.block })
    case 'refused':
      return complain(witness, answer.code, answer.reason)
    case 'absent':
      return complain(witness, 'not-found', `it has no block ${height} yet`)
    default:
      return complain(witness, 'pruned', `it keeps no header ${height} any more`)
  }
}

/** At the height that both have reached. */
function* compareNewest(look: Look, witness: Source, compared: Compared): Steps<Comparison> {
  const { block, bases } = compared
  const { height } = block.header
  const theirs = yield* ask(look, { source: witness, at: 'latest', origin: false })
  if (theirs.kind === 'refused') return complain(witness, theirs.code, theirs.reason)
  if (theirs.kind === 'genesis') return agreedSoFar(look, witness, block, asHeight(0))
  if (theirs.kind !== 'block') return complain(witness, 'unreachable', 'it has no newest header')
  const at = theirs.block.header.height
  if (at > height) return yield* compareAhead(look, witness, compared, theirs.block)
  if (at === height) return yield* compareBlocks(look, witness, bases, { mine: block, theirs: theirs.block })
  const mine = yield* ask(look, { source: followed, at, origin: false })
  if (mine.kind !== 'block') return complain(witness, 'pruned', `its newest block, ${at}, can't be compared`)
  const below = yield* compareBlocks(look, witness, bases, { mine: mine.block, theirs: theirs.block })
  return below.kind === 'agreed' ? agreedSoFar(look, witness, block, at) : below
}

/** A witness that has no block above some height; of one that is far behind, that says little. */
const agreedSoFar = (look: Look, witness: Source, newest: Block, at: Height): Comparison => {
  const ageMs = look.nowMs - newest.header.time
  return ageMs < maxLagMs
    ? { kind: 'agreed' }
    : complain(witness, 'stale', lagsBehind(at, newest.header.height, ageMs))
}

const lagsBehind = (at: Height, newer: Height, ageMs: number): string =>
  `its newest block is ${at}, and others have had block ${newer} for ${Math.floor(ageMs / 1_000)} s`

/** A witness that has a newer block: if that is no news, the followed source is behind, or keeps it from us. */
function* compareAhead(
  look: Look,
  witness: Source,
  { block, bases }: Compared,
  newer: Block,
): Steps<Comparison> {
  const compared = yield* compareWitness(look, witness, { block, bases, isNewest: false })
  const ageMs = look.nowMs - newer.header.time
  if (compared.kind !== 'agreed' || ageMs < maxLagMs) return compared
  const skipped = yield* skip(look, witness, trustedOf(block), newer)
  if (skipped.kind === 'refused') return complain(witness, skipped.code, skipped.reason)
  return complain(followed, 'stale', lagsBehind(block.header.height, newer.header.height, ageMs))
}

interface Pair {
  readonly mine: Block
  readonly theirs: Block
}

function* compareBlocks(
  look: Look,
  witness: Source,
  bases: readonly Trusted[],
  top: Pair,
): Steps<Comparison> {
  if (isSame(top.mine, top.theirs)) return { kind: 'agreed' }
  const base = yield* findBase(look, witness, bases, top.mine.header.height)
  const split = yield* halve(look, witness, base, top)
  return yield* settle(look, witness, split, bases)
}

const isSame = (one: Block, other: Block): boolean => hashHeader(one.header) === hashHeader(other.header)

const complain = (source: Source, code: RefusalCode, reason: string): Comparison => ({
  kind: 'complaint',
  complaint: { source, code, reason },
})

/** The newest verified header that the witness has too, if it has it; else the genesis, which all of a network have. */
function* findBase(look: Look, witness: Source, bases: readonly Trusted[], below: Height): Steps<Trusted> {
  const newest = bases.findLast(({ height }) => height < below)!
  if (newest.height === 0) return newest
  const answer = yield* ask(look, { source: witness, at: newest.height, origin: false })
  return answer.kind === 'block' && trustedOf(answer.block).hash === newest.hash ? newest : bases[0]!
}

interface Split extends Pair {
  /** The last that both have; the lowest other blocks of both are above it. */
  readonly common: Trusted
}

function* halve(look: Look, witness: Source, base: Trusted, top: Pair): Steps<Split> {
  let [common, { mine, theirs }] = [base, top]
  let ceiling = mine.header.height
  while (ceiling - common.height > 1) {
    const { at, answers } = yield* askBoth(look, witness, middleOf(common.height, ceiling), ceiling)
    const [ours, others] = answers.map((answer) => (answer.kind === 'block' ? answer.block : undefined))
    if (ours && others && isSame(ours, others)) common = trustedOf(ours)
    else {
      ceiling = at
      mine = ours ?? mine
      theirs = others ?? theirs
    }
  }
  return { common, mine, theirs }
}

/** At some height; or at the next one that both keep, if that is still of use. */
function* askBoth(
  look: Look,
  witness: Source,
  at: Height,
  ceiling: Height,
): Steps<{ readonly at: Height; readonly answers: readonly [Answer, Answer] }> {
  const answers = yield* askPair(look, witness, at)
  const next = Math.max(...answers.map((answer) => (answer.kind === 'pruned' ? answer.next : 0)))
  if (next === 0 || next >= ceiling) return { at, answers }
  const later = yield* askPair(look, witness, asHeight(next))
  return later.some(({ kind }) => kind === 'pruned')
    ? { at, answers }
    : { at: asHeight(next), answers: later }
}

function* askPair(look: Look, witness: Source, at: Height): Steps<readonly [Answer, Answer]> {
  const mine = yield* ask(look, { source: followed, at, origin: false })
  return [mine, yield* ask(look, { source: witness, at, origin: false })]
}

interface Whole {
  readonly source: Source
  readonly block: Block
  readonly origin: Verified<Origin>
}

/** Who can show what leads from the network id to its block, and what follows from that. */
function* settle(
  look: Look,
  witness: Source,
  { common, mine, theirs }: Split,
  bases: readonly Trusted[],
): Steps<Comparison> {
  const height = asHeight(Math.max(mine.header.height, theirs.header.height))
  const ours = yield* askWhole(look, followed, height)
  const others = yield* askWhole(look, witness, height)
  if (ours && others) {
    if (isSame(ours.block, others.block))
      return complain(witness, 'contradicted', `it shows two blocks of height ${height}`)
    return yield* testify(look, witness, common, ours, branchOf(others, common))
  }
  const below = [...bases.filter((base) => base.height < common.height), common]
  if (ours) {
    const torn = yield* askTorn(look, witness, height, theirs, below)
    if (torn) return yield* testify(look, witness, torn.common, ours, torn.branch)
    return complain(
      witness,
      'wrong-validators',
      `it shows a block ${height} of validators whom nothing leads to, and who hold no third of the stake`,
    )
  }
  if (others) {
    const torn = yield* askTorn(look, followed, height, mine, below)
    if (torn) return yield* testify(look, witness, torn.common, others, torn.branch)
  }
  return refuse(
    'contradicted',
    `a witness has another block ${height}, and nothing leads from the network id to the validators of the one that is shown`,
  )
}

function* askWhole(look: Look, source: Source, at: Height): Steps<Whole | undefined> {
  const answer = yield* ask(look, { source, at, origin: true })
  return answer.kind === 'block' && answer.origin
    ? { source, block: answer.block, origin: answer.origin }
    : undefined
}

/**
 * A block of which a source can't show where its validators come from, if it is more than that source's own lie: after
 * some block that both have, a third of the stake has signed it.
 */
function* askTorn(
  look: Look,
  source: Source,
  height: Height,
  known: Block,
  below: readonly Trusted[],
): Steps<{ readonly branch: Branch; readonly common: Trusted } | undefined> {
  let block: Block | undefined = known
  if (known.header.height !== height) {
    const answer = yield* ask(look, { source, at: height, origin: false })
    block = answer.kind === 'block' ? answer.block : undefined
  }
  const common = below.findLast(({ next }) => block && signsForHonest(block, next))
  return block && common ? { branch: { hops: [], block }, common } : undefined
}

const branchOf = ({ block, origin }: Whole, common: Trusted): Branch => ({
  hops: origin.hops.filter(({ header }) => header.height > common.height),
  block,
})

function* testify(
  look: Look,
  witness: Source,
  common: Trusted,
  whole: Whole,
  second: Branch,
): Steps<Comparison> {
  const { genesis } = whole.origin
  const shared = common.height === 0 ? undefined : yield* askWhole(look, whole.source, common.height)
  if (common.height > 0 && !shared)
    return refuse('contradicted', `nothing leads from the network id to block ${common.height}`)
  const fork: Fork = {
    kind: 'fork',
    network: whole.block.header.network,
    common: { genesis, hops: [...(shared?.origin.hops ?? [])], ...(shared && { block: shared.block }) },
    first: branchOf(whole, common),
    second,
  }
  return { kind: 'forked', fork, source: witness }
}
