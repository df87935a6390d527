/**
 * Coming into a network by join strings: the genesis is asked for where they point, and believed for its hash
 * alone; so is the recent block that they may name.
 *
 * In: join strings of one network. Out: its genesis, or why none of the URLs could give it.
 */
import { parseJson } from '../codec/json.ts'
import { TautlineError } from '../errors.ts'
import { networkOf } from '../ledger/genesis.ts'
import { hashHeader, headerSchema } from '../objects/block.ts'
import { type Genesis, genesisSchema } from '../objects/genesis.ts'
import type { BlockPin, JoinString } from '../objects/join-string.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { PlainAnswer, Transport } from '../ports/transport.ts'

/** Twice what a genesis with the most accounts takes, and a full block. */
const maxAnswerBytes = 16 * 1024 * 1024
const timeoutMs = 30_000

export interface JoinParts {
  readonly joins: readonly JoinString[]
  readonly transport: Pick<Transport, 'request'>
  readonly clock: Pick<Clock, 'now'>
  readonly log: Log
}

/** @throws TautlineError `bad-configuration` when no URL leads into the network, with the reason of each */
export const joinNetwork = async ({ joins, ...parts }: JoinParts): Promise<Genesis> => {
  const reasons: string[] = []
  for (const join of joins) {
    try {
      return await joinAt(join, parts)
    } catch (error) {
      if (!(error instanceof TautlineError)) throw error
      reasons.push(error.message)
    }
  }
  throw new TautlineError('bad-configuration', `this network can't be joined: ${reasons.join('; ')}`)
}

const joinAt = async (
  { url, network, pin }: JoinString,
  { transport, clock, log }: Omit<JoinParts, 'joins'>,
): Promise<Genesis> => {
  const genesis = await fetchGenesis(transport, url)
  const found = networkOf(genesis)
  if (found !== network) {
    throw refused(
      `${url} is of network ${found}, and the join string of ${network}: ask for another join string`,
    )
  }
  if (pin === undefined) {
    log.warn(
      `how recent the history is that ${url} hands out is taken on its word: a join string that ends with @<height>:<hash> pins it`,
      { network },
    )
    return genesis
  }
  const time = await fetchPinnedTime(transport, url, pin)
  if (time + genesis.parameters.trustingPeriodMs < clock.now()) {
    log.warn(
      'the block in the join string is older than the trusting period, so it pins nothing: ask for a newer one',
      {
        height: pin.height,
      },
    )
  }
  return genesis
}

const fetchGenesis = async (transport: JoinParts['transport'], url: string): Promise<Genesis> => {
  const answer = await get(transport, url, '/v1/genesis')
  const parsed = genesisSchema.safeParse(readJson(answer))
  if (parsed.success) return parsed.data
  throw refused(`${url} answers ${answer.status} and no genesis: is it the URL of a Tautline node?`)
}

/** The time of the pinned block, which its hash vouches for. */
const fetchPinnedTime = async (
  transport: JoinParts['transport'],
  url: string,
  { height, hash }: BlockPin,
): Promise<number> => {
  const answer = await get(transport, url, `/v1/blocks/${height}`)
  if (answer.status === 404)
    throw refused(`${url} has no block ${height} yet, which the join string names: try again when it has`)
  const { block } = (readJson(answer) ?? {}) as { block?: { header?: unknown } }
  const header = headerSchema.safeParse(block?.header)
  if (!header.success) throw refused(`${url} answers ${answer.status} and no block ${height}`)
  const found = hashHeader(header.data)
  if (found === hash) return header.data.time
  throw refused(
    `block ${height} of ${url} is ${found}, and the join string says ${hash}: one of them is of another history`,
  )
}

const get = async (transport: JoinParts['transport'], url: string, path: string): Promise<PlainAnswer> => {
  try {
    return await transport.request(url, { method: 'GET', path, maxBytes: maxAnswerBytes, timeoutMs })
  } catch (cause) {
    throw refused(`${url} gives no answer (${cause instanceof Error ? cause.message : String(cause)})`)
  }
}

const readJson = ({ text }: PlainAnswer): unknown => {
  try {
    return parseJson(text)
  } catch {
    return undefined
  }
}

const refused = (why: string): TautlineError => new TautlineError('bad-configuration', why)
