/**
 * The sign record: what this node's key has signed last, with the blocks that its promises are about.
 *
 * It is durable before any message that it speaks of leaves, so whatever happens, the key repeats itself and
 * never contradicts itself. A lock is worth nothing without its data, so the blocks lie in the same record.
 * In bytes: one line of canonical JSON, then one line for each block's canonical text.
 */
import * as z from 'zod'
import { decodeUtf8, encodeUtf8 } from '../codec/bytes.ts'
import { canonicalize, type Json, parseCanonical } from '../codec/json.ts'
import { type SignState, signStateSchema } from '../consensus/sign-state.ts'
import { TautlineError } from '../errors.ts'
import type { SignRecordStore } from '../ports/sign-record-store.ts'

export interface SignRecord {
  /** Absent until the key has signed for the first time. */
  readonly signed?: SignState
  /** Canonical texts of the blocks that the state names. */
  readonly blocks: readonly string[]
}

const lineSchema = z.strictObject({ signed: signStateSchema.optional() })

/** The record of a key that has not signed anything; made together with the key. */
export const freshSignRecord: SignRecord = { blocks: [] }

export const encodeSignRecord = ({ signed, blocks }: SignRecord): Uint8Array =>
  encodeUtf8([canonicalize({ signed } as unknown as Json), ...blocks].join('\n'))

export const writeSignRecord = (store: SignRecordStore, record: SignRecord): Promise<void> =>
  store.write(encodeSignRecord(record))

/** @returns undefined when this key has no record */
export const readSignRecord = async (store: SignRecordStore): Promise<SignRecord | undefined> => {
  const bytes = await store.read()
  if (!bytes) return undefined
  const [line, ...blocks] = decodeUtf8(bytes).split('\n')
  const parsed = lineSchema.safeParse(parseCanonical(line!))
  if (!parsed.success) {
    throw new TautlineError(
      'damaged-folder',
      'the sign record is whole but not of a form that this version writes: use the version that wrote it',
    )
  }
  const { signed } = parsed.data
  return signed ? { signed, blocks } : { blocks }
}
