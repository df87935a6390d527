/**
 * The head on the disk: the one thing in the ledger that changes. Its write is the commit of a block.
 *
 * It names the newest block and the oldest that is kept, and the checkpoint of the state from which the blocks
 * since are run again.
 */
import * as z from 'zod'
import { decodeUtf8, encodeUtf8 } from '../codec/bytes.ts'
import { canonicalize, parseCanonical } from '../codec/json.ts'
import { TautlineError } from '../errors.ts'
import type { PageLocation } from '../ledger/state/page.ts'
import { openState, type State } from '../ledger/state/state.ts'
import { blockHashField, hashField, heightField, unixMsField, wholeField } from '../objects/fields.ts'
import type { BlockHash, Hash, Height, UnixMs } from '../units.ts'

const schema = z.strictObject({
  height: heightField,
  hash: blockHashField,
  oldest: heightField,
  blockBytes: wholeField,
  checkpoint: z.strictObject({
    height: heightField,
    hash: blockHashField,
    time: unixMsField,
    hops: wholeField,
    /** Of the set that votes on the block after the checkpoint. */
    validatorsHash: hashField,
    state: z.strictObject({ hash: hashField, count: wholeField, location: z.string() }),
  }),
})

/** Which blocks lie in the ledger. */
export interface Kept {
  /** Height of the first one; one above the head when there is none. */
  readonly oldest: Height
  /** Bytes of their canonical texts. */
  readonly blockBytes: number
}

/** A head whose state is stored. */
export interface Checkpoint {
  readonly height: Height
  readonly hash: BlockHash
  readonly time: UnixMs
  readonly hops: number
  readonly validatorsHash: Hash
  readonly state: State
}

export interface HeadRecord extends Kept {
  readonly height: Height
  readonly hash: BlockHash
  readonly checkpoint: Checkpoint
}

export const encodeHead = ({ height, hash, oldest, blockBytes, checkpoint }: HeadRecord): Uint8Array => {
  const { hash: root, count, at } = checkpoint.state
  const state = { hash: root, count, location: at as PageLocation }
  return encodeUtf8(canonicalize({ height, hash, oldest, blockBytes, checkpoint: { ...checkpoint, state } }))
}

/** @throws TautlineError `damaged-folder` */
export const decodeHead = (bytes: Uint8Array): HeadRecord => {
  const parsed = schema.safeParse(parseCanonical(decodeUtf8(bytes)))
  if (!parsed.success) {
    throw new TautlineError(
      'damaged-folder',
      'the head of the ledger is whole but not of a form that this version writes: use the version that wrote it',
    )
  }
  const { checkpoint, ...head } = parsed.data
  const { hash, count, location } = checkpoint.state
  return {
    ...head,
    checkpoint: { ...checkpoint, state: openState({ hash, count, location: location as PageLocation }) },
  }
}
