/**
 * A backup: a ledger as text that proves itself, and the node's key.
 *
 * NDJSON: a first line `{"backup":{"genesis","key"}}`, a line `{"block","certificate"}` for each block, and a last
 * line `{"end":{"hash","height"}}`. Whoever restores it believes nothing but replays every block. What the key
 * has signed is left out on purpose: an old copy of that is how a validator contradicts itself.
 */
import * as z from 'zod'
import { canonicalize, type Json, parseJson } from '../codec/json.ts'
import { TautlineError } from '../errors.ts'
import { blockHashField, heightField } from '../objects/fields.ts'
import { type Genesis, genesisSchema } from '../objects/genesis.ts'
import type { Verifier } from '../ports/keys.ts'
import type { ObjectStore } from '../ports/object-store.ts'
import { height as asHeight, type BlockHash, type Height } from '../units.ts'
import { chainSink } from './block-sink.ts'
import { Chain } from './chain.ts'
import { replayAll, type UncheckedBlock } from './replay.ts'

/** Blocks that are read side by side. */
const readAhead = 16

const keyField = z.string().regex(/^[0-9a-f]{64}$/)
const firstLine = z.strictObject({ backup: z.strictObject({ genesis: genesisSchema, key: keyField }) })
const blockLine = z.strictObject({ block: z.unknown(), certificate: z.unknown() })
const lastLine = z.strictObject({ end: z.strictObject({ hash: blockHashField, height: heightField }) })
type End = z.output<typeof lastLine>['end']

/** Where blocks are read from: a folder, or a running node. */
export interface BackupSource {
  readonly genesis: Genesis
  readonly head: { readonly height: Height; readonly hash: BlockHash }
  readonly block: (height: Height) => Promise<UncheckedBlock>
}

/**
 * The lines of a backup, without their line feeds.
 *
 * @param key - the node's secret key, 64 hex digits
 */
export async function* writeBackup(
  { genesis, head, block }: BackupSource,
  key: string,
): AsyncGenerator<string> {
  yield canonicalize({ backup: { genesis, key } })
  const reading: Promise<UncheckedBlock>[] = []
  for (let at = 1, asked = 0; at <= head.height; at++) {
    while (asked < Math.min(head.height, at + readAhead)) reading.push(quietly(block(asHeight(++asked))))
    const read = await reading.shift()!
    yield canonicalize({ block: read.block, certificate: read.certificate })
  }
  yield canonicalize({ end: { hash: head.hash, height: head.height } })
}

/** A block that is read ahead may fail before anybody waits for it; who then does is told. */
const quietly = <Value>(promise: Promise<Value>): Promise<Value> => {
  promise.catch(() => undefined)
  return promise
}

/**
 * Replays a backup into an empty store.
 *
 * @param onBlock - told after each block
 * @returns the ledger, and the key that the backup holds
 * @throws TautlineError `ledger-mismatch` when the backup is damaged, cut off, or proves something else
 */
export const readBackup = async (
  lines: AsyncIterable<string>,
  store: ObjectStore,
  verifier: Verifier,
  onBlock: (height: Height) => void,
): Promise<{ chain: Chain; key: string }> => {
  const rest = lines[Symbol.asyncIterator]()
  const first = await rest.next()
  if (first.done) throw cutOff(0)
  const opening = expectLine(firstLine, parseLine(first.value), 'the first line is not that of a backup')
  const { genesis, key } = opening.backup
  const chain = await Chain.create(store, genesis)
  let end: End | undefined
  await replayAll(
    readBlocks(rest, (named) => {
      end = named
    }),
    {
      sink: chainSink(chain),
      network: chain.network,
      verifier,
      onApplied: ({ header }) => onBlock(header.height),
    },
  )
  if (!end) throw cutOff(chain.head.height)
  requireEnd(chain, end)
  return { chain, key }
}

async function* readBlocks(
  rest: AsyncIterator<string>,
  onEnd: (end: End) => void,
): AsyncIterable<UncheckedBlock> {
  let blocks = 0
  for await (const line of { [Symbol.asyncIterator]: () => rest }) {
    const value = parseLine(line)
    const end = lastLine.safeParse(value)
    if (end.success) return onEnd(end.data.end)
    const read = expectLine(blockLine, value, `the line after block ${blocks++} is not that of a block`)
    yield read as UncheckedBlock
  }
}

const parseLine = (line: string): Json => {
  try {
    return parseJson(line)
  } catch {
    throw damaged('a line of it is not JSON: it was cut off or changed')
  }
}

const expectLine = <Line>(schema: z.ZodType<Line>, value: Json, otherwise: string): Line => {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw damaged(otherwise)
}

const requireEnd = ({ head: { height, hash } }: Chain, end: End): void => {
  if (height === end.height && hash === end.hash) return
  throw damaged(
    `its blocks lead to height ${height} and ${hash}, and it names ${end.height} and ${end.hash} as its end`,
  )
}

const cutOff = (height: number): TautlineError =>
  damaged(`it ends after block ${height}, without its last line: it was cut off`)

const damaged = (what: string): TautlineError =>
  new TautlineError('ledger-mismatch', `this is no whole backup: ${what}; use another copy`)
