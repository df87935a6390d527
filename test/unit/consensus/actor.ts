/** One machine on a stage: whoever holds its key signs at once, and all other parts are played by the test. */
import { encodeAddress } from '../../../src/codec/address.ts'
import { encodeHex } from '../../../src/codec/bytes.ts'
import { Consensus } from '../../../src/consensus/consensus.ts'
import type { Effect } from '../../../src/consensus/effect.ts'
import type { Input } from '../../../src/consensus/input.ts'
import { proposersOf } from '../../../src/consensus/proposer.ts'
import type { SignState } from '../../../src/consensus/sign-state.ts'
import type { Step } from '../../../src/consensus/timeouts.ts'
import { hashCanonical } from '../../../src/crypto/hash.ts'
import { type ValidatorSet, validatorSet } from '../../../src/objects/validators.ts'
import { type Verified, verified } from '../../../src/objects/verified.ts'
import { type ConsensusMessage, messageSigningText, type UnsignedMessage } from '../../../src/objects/vote.ts'
import {
  type Address,
  amount,
  round as asRound,
  type BlockHash,
  firstHeight,
  type NetworkId,
  type Round,
  type Signature,
} from '../../../src/units.ts'

export const network = 'ab'.repeat(32) as NetworkId
export const height = firstHeight

/** Sixteen addresses in their order. */
export const addresses: readonly Address[] = Array.from({ length: 16 }, (_, at) =>
  encodeAddress(new Uint8Array(32).fill(at + 16)),
).sort()

export const setOf = (...stakes: readonly number[]): ValidatorSet =>
  validatorSet(stakes.map((stake, at) => ({ address: addresses[at]!, stake: amount(BigInt(stake)) })))

/** The hash of a block with this name of one letter. */
export const block = (name: string): BlockHash =>
  encodeHex(new Uint8Array(32).fill(name.charCodeAt(0))) as BlockHash

/** A stand-in for Ed25519: different for each key and text, and the same every time. */
export const signatureOf = (message: UnsignedMessage): Signature =>
  hashCanonical(message.kind, `${message.validator} ${messageSigningText(message)}`).repeat(2) as Signature

export const sign = (message: UnsignedMessage): Verified<ConsensusMessage> =>
  verified({ ...message, signature: signatureOf(message) } as ConsensusMessage)

const at = (validator: Address, round: number) => ({ network, height, round: asRound(round), validator })

export const hear = (message: Verified<ConsensusMessage>, valid = true, timely = true): Input =>
  message.kind === 'proposal' ? { kind: 'proposal', message, valid, timely } : { kind: 'vote', message }

interface ProposalOptions {
  readonly polkaRound?: number
  readonly valid?: boolean
  readonly timely?: boolean
}

export const proposal = (
  validator: Address,
  round: number,
  name: string,
  { polkaRound, valid, timely }: ProposalOptions = {},
): Input => {
  const cites = polkaRound === undefined ? {} : { polkaRound: asRound(polkaRound) }
  const message = { kind: 'proposal', ...at(validator, round), block: block(name), ...cites } as const
  return hear(sign(message), valid, timely)
}

/** @param name - of the block; absent for nil */
export const prevote = (validator: Address, round: number, name?: string, polkaRound?: number): Input => {
  const cites = polkaRound === undefined ? {} : { polkaRound: asRound(polkaRound) }
  const value = name === undefined ? {} : { block: block(name) }
  return hear(sign({ kind: 'prevote', ...at(validator, round), ...value, ...cites }))
}

/** @param name - of the block; absent for nil */
export const precommit = (validator: Address, round: number, name?: string): Input => {
  const value = name === undefined ? {} : { block: block(name) }
  return hear(sign({ kind: 'precommit', ...at(validator, round), ...value }))
}

export const pending: Input = { kind: 'pending', has: true }
export const nothingPending: Input = { kind: 'pending', has: false }

export const value = (round: number, name: string): Input => ({
  kind: 'value',
  round: asRound(round),
  block: block(name),
})

export const timeout = (kind: Step, round: number): Input => ({
  kind: 'timeout',
  timeout: { kind, height, round: asRound(round) },
})

export interface Cast {
  readonly validators: ValidatorSet
  readonly self?: Address
  readonly restored?: SignState
}

export class Actor {
  readonly machine: Consensus
  /** The newest sign record: what a restart begins with. */
  record: SignState | undefined

  constructor(cast: Cast) {
    this.machine = new Consensus({ network, height, ...cast })
    this.record = cast.restored
  }

  /** Gives inputs one after the other, own messages right behind what caused them. */
  give(...inputs: readonly Input[]): readonly Effect[] {
    return inputs.flatMap((input) => {
      const effects = this.machine.step(input)
      return effects.flatMap((effect) => [effect, ...this.#follow(effect)])
    })
  }

  #follow(effect: Effect): readonly Effect[] {
    if (effect.kind !== 'sign') return []
    this.record = effect.state
    return this.give(hear(sign(effect.message)))
  }
}

/** What was signed, written short: `prevote 0 A`, `precommit 1 nil`, `proposal 2 A since 1`. */
export const said = (effects: readonly Effect[]): readonly string[] =>
  effects.flatMap((effect) => (effect.kind === 'sign' ? [brief(effect.message)] : []))

export const brief = (message: UnsignedMessage): string => {
  const name =
    message.block === undefined ? 'nil' : String.fromCharCode(Number(`0x${message.block.slice(0, 2)}`))
  const since =
    'polkaRound' in message && message.polkaRound !== undefined ? ` since ${message.polkaRound}` : ''
  return `${message.kind} ${message.round} ${name}${since}`
}

/** What was scheduled, written short: `prevote 0`. */
export const scheduled = (effects: readonly Effect[]): readonly string[] =>
  effects.flatMap((effect) =>
    effect.kind === 'schedule' ? [`${effect.timeout.kind} ${effect.timeout.round}`] : [],
  )

export const roundsBegun = (effects: readonly Effect[]): readonly Round[] =>
  effects.flatMap((effect) => (effect.kind === 'round' ? [effect.round] : []))

export const kinds = (effects: readonly Effect[]): readonly string[] => effects.map(({ kind }) => kind)

/** The effects of one kind. */
export const only = <Kind extends Effect['kind']>(effects: readonly Effect[], kind: Kind) =>
  effects.filter((effect): effect is Extract<Effect, { kind: Kind }> => effect.kind === kind)

/** Validators in the order in which they propose. */
export const proposersIn = (validators: ValidatorSet): Address[] => {
  const proposerOf = proposersOf(network, height, validators)
  return validators.list.map((_, place) => proposerOf(asRound(place)))
}
