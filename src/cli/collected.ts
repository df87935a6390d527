/**
 * Consensus messages that somebody collected, as JSON lines in files.
 *
 * A line is a proposal, a vote, a certificate, or what a node answers to `GET /v1/blocks/{height}` or
 * `GET /v1/validators?height={height}`. Only what its validator has signed, for the given network, is taken.
 */
import * as z from 'zod'
import { type Json, parseJson } from '../codec/json.ts'
import { TautlineError } from '../errors.ts'
import { consensusMessageSchema } from '../objects/evidence.ts'
import { amountField, blockHashField, heightField } from '../objects/fields.ts'
import { isSortedByAddress, type ValidatorSet, validatorSchema, validatorSet } from '../objects/validators.ts'
import { type Verified, verified } from '../objects/verified.ts'
import {
  type ConsensusMessage,
  certificateSchema,
  messageSigningText,
  precommitsOf,
} from '../objects/vote.ts'
import type { Verifier } from '../ports/keys.ts'
import type { Height, NetworkId } from '../units.ts'
import { readLines } from './lines.ts'

/** Most messages that are looked into at once. */
export const maxCollected = 1_000_000
/** Signatures that are checked side by side. */
const checkedAtOnce = 256

export interface Collected {
  readonly messages: readonly Verified<ConsensusMessage>[]
  /** Who votes on a height, for those heights that a file tells. */
  readonly validators: ReadonlyMap<Height, ValidatorSet>
  /** Messages of other networks, and those whose signatures aren't their validators'. */
  readonly leftOut: number
}

const committedSchema = z.strictObject({
  hash: blockHashField,
  block: z.unknown(),
  certificate: certificateSchema,
})
const validatorsSchema = z.strictObject({
  height: heightField,
  totalStake: amountField,
  validators: z
    .array(validatorSchema)
    .min(1)
    .refine(isSortedByAddress, 'expected validators sorted by address, each once'),
})

/**
 * @throws TautlineError `malformed-json` or `malformed-request`, with file and line, for what is no collected
 *   message, or when there are more than {@link maxCollected}
 */
export const readCollected = async (
  files: readonly string[],
  network: NetworkId,
  verifier: Verifier,
): Promise<Collected> => {
  const unchecked: ConsensusMessage[] = []
  const validators = new Map<Height, ValidatorSet>()
  for (const file of files) {
    let number = 0
    for await (const line of readLines(file, () => undefined)) {
      number++
      if (line.trim() !== '') takeLine(line, `${file}, line ${number}`, { network, unchecked, validators })
    }
  }
  const messages: Verified<ConsensusMessage>[] = []
  for (let at = 0; at < unchecked.length; at += checkedAtOnce)
    messages.push(...(await keepSigned(unchecked.slice(at, at + checkedAtOnce), network, verifier)))
  return { messages, validators, leftOut: unchecked.length - messages.length }
}

interface Found {
  readonly network: NetworkId
  readonly unchecked: ConsensusMessage[]
  readonly validators: Map<Height, ValidatorSet>
}

const takeLine = (line: string, place: string, { network, unchecked, validators }: Found): void => {
  const value = parseLine(line, place)
  const has = (member: string): boolean => typeof value === 'object' && value !== null && member in value
  if (has('validators')) {
    const { height, validators: list } = expectForm(validatorsSchema, value, place)
    validators.set(height, validatorSet(list))
  } else if (has('certificate')) {
    unchecked.push(...precommitsOf(network, expectForm(committedSchema, value, place).certificate))
  } else if (has('precommits')) {
    unchecked.push(...precommitsOf(network, expectForm(certificateSchema, value, place)))
  } else {
    unchecked.push(expectForm(consensusMessageSchema, value, place))
  }
  if (unchecked.length > maxCollected)
    throw malformed(`${place}: more than ${maxCollected} messages: look into fewer heights at once`)
}

const parseLine = (line: string, place: string): Json => {
  try {
    return parseJson(line)
  } catch (error) {
    if (error instanceof TautlineError) throw new TautlineError(error.code, `${place}: ${error.message}`)
    throw error
  }
}

const expectForm = <Value>(schema: z.ZodType<Value>, value: Json, place: string): Value => {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const { path, message } = parsed.error.issues[0]!
  const where = path.length === 0 ? '' : `${path.join('.')}: `
  throw malformed(
    `${place}: ${where}${message}; a line is a proposal, a vote, a certificate, or a node's answer for a block or for its validators`,
  )
}

const malformed = (what: string): TautlineError => new TautlineError('malformed-request', what)

const keepSigned = async (
  messages: readonly ConsensusMessage[],
  network: NetworkId,
  verifier: Verifier,
): Promise<readonly Verified<ConsensusMessage>[]> => {
  const own = messages.filter((message) => message.network === network)
  const verdicts = await Promise.all(
    own.map((message) => verifier.verify(message.validator, messageSigningText(message), message.signature)),
  )
  return own.filter((_, at) => verdicts[at]).map(verified)
}
