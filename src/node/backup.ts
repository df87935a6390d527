/**
 * A backup: a ledger as text that proves itself, and the node's key.
 *
 * NDJSON: a first line `{"backup":{"genesis","key"}}`, a line `{"block","certificate"}` for each block, and a last
 * line `{"end":{"hash","height"}}`. Whoever restores it believes nothing but replays every block. What the key
 * has signed is left out on purpose: an old copy of that is how a validator contradicts itself.
 */
import { z } from 'zod'
import { canonicalize, type Json, parseJson } from '../codec/json.ts'
import { TautlineError } from '../errors.ts'
import { blockHashField, heightField } from '../objects/fields.ts'
import { type Genesis, genesisSchema } from '../objects/genesis.ts'
import type { Verifier } from '../ports/keys.ts'
import type { ObjectStore } from '../ports/object-store.ts'
import { height as asHeight, type BlockHash, type Height } from '../units.ts'
import { Chain } from './chain.ts'
import { replayBlock, type UncheckedBlock } from './replay.ts'

/** Blocks that are read side by side. */
const readAhead = 16

const keyField = z.string().regex(/^[0-9a-f]{64}$/)
const firstLine = z.strictObject({ backup: z.strictObject({ genesis: genesisSchema, key: keyField }) })
const blockLine = z.strictObject({ block: z.unknown(), certificate: z.unknown() })
const lastLine = z.strictObject({ end: z.strictObject({ hash: blockHashField, height: heightField }) })

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
  let restored: { chain: Chain; key: string } | undefined
  for await (const line of lines) {
    const value = parseLine(line)
    if (!restored) {
      const { genesis, key } = expectLine(firstLine, value, 'the first line is not that of a backup').backup
      restored = { chain: await Chain.create(store, genesis), key }
      continue
    }
    const end = lastLine.safeParse(value)
    if (end.success) return requireEnd(restored, end.data.end)
    const { block, certificate } = expectLine(
      blockLine,
      value,
      `the line after block ${restored.chain.head.height} is not that of a block`,
    )
    await replayBlock(restored.chain, verifier, { block: block as Json, certificate: certificate as Json })
    onBlock(restored.chain.head.height)
  }
  throw damaged(
    `it ends after block ${restored?.chain.head.height ?? 0}, without its last line: it was cut off`,
  )
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

const requireEnd = <Restored extends { chain: Chain }>(
  restored: Restored,
  end: { hash: BlockHash; height: Height },
): Restored => {
  const { height, hash } = restored.chain.head
  if (height === end.height && hash === end.hash) return restored
  throw damaged(
    `its blocks lead to height ${height} and ${hash}, and it names ${end.height} and ${end.hash} as its end`,
  )
}

const damaged = (what: string): TautlineError =>
  new TautlineError('ledger-mismatch', `this is no whole backup: ${what}; use another copy`)
