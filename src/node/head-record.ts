/**
 * The head on the disk: the one thing in the ledger that changes. Its write is the commit of a block.
 *
 * It names the newest block and the oldest that is kept, the checkpoint of the state from which the blocks since
 * are run again, and the snapshots that others may fetch.
 */
import * as z from 'zod'
import { decodeUtf8, encodeUtf8 } from '../codec/bytes.ts'
import { canonicalize, parseCanonical } from '../codec/json.ts'
import { TautlineError } from '../errors.ts'
import type { PageLocation } from '../ledger/state/page.ts'
import { openState, type State } from '../ledger/state/state.ts'
import { blockHashField, hashField, heightField, unixMsField, wholeField } from '../objects/fields.ts'
import type { BlockHash, Hash, Height, UnixMs } from '../units.ts'

/** The newest one, and the one before for those who are just fetching it. */
export const maxSnapshots = 2

const rootSchema = z.strictObject({ hash: hashField, count: wholeField, location: z.string() })

const schema = z.strictObject({
  height: heightField,
  hash: blockHashField,
  oldest: heightField,
  blockBytes: wholeField,
  snapshots: z.array(z.strictObject({ height: heightField, state: rootSchema })).max(maxSnapshots),
  stale: z.strictObject({ first: wholeField, next: wholeField, pages: wholeField }),
  checkpoint: z.strictObject({
    height: heightField,
    hash: blockHashField,
    time: unixMsField,
    hops: wholeField,
    /** Of the set that votes on the block after the checkpoint. */
    validatorsHash: hashField,
    state: rootSchema,
  }),
})

/** Which blocks lie in the ledger. */
export interface Kept {
  /** Height of the first one; one above the head when there is none. */
  readonly oldest: Height
  /** Bytes of their canonical texts. */
  readonly blockBytes: number
}

/** The state after a block, whole, and readable for as long as the head names it. */
export interface Snapshot {
  readonly height: Height
  readonly state: State
}

/** States that can be read besides the head's. */
export interface Readable {
  /** In the order of their heights. */
  readonly snapshots: readonly Snapshot[]
  /** Lists of pages that wait to be removed, by their numbers, and how many pages there are in all of them. */
  readonly stale: { readonly first: number; readonly next: number; readonly pages: number }
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

export interface HeadRecord extends Kept, Readable {
  readonly height: Height
  readonly hash: BlockHash
  readonly checkpoint: Checkpoint
}

export const encodeHead = ({
  height,
  hash,
  oldest,
  blockBytes,
  snapshots,
  stale,
  checkpoint,
}: HeadRecord): Uint8Array => {
  const record = {
    height,
    hash,
    oldest,
    blockBytes,
    snapshots: snapshots.map(({ height, state }) => ({ height, state: rootOf(state) })),
    stale,
    checkpoint: { ...checkpoint, state: rootOf(checkpoint.state) },
  }
  return encodeUtf8(canonicalize(record))
}

/** @param state - that is stored */
const rootOf = ({ hash, count, at }: State) => ({ hash, count, location: at as PageLocation })

/** @throws TautlineError `damaged-folder` */
export const decodeHead = (bytes: Uint8Array): HeadRecord => {
  const parsed = schema.safeParse(parseCanonical(decodeUtf8(bytes)))
  if (!parsed.success) {
    throw new TautlineError(
      'damaged-folder',
      'the head of the ledger is whole but not of a form that this version writes: use the version that wrote it',
    )
  }
  const { checkpoint, snapshots, ...head } = parsed.data
  return {
    ...head,
    snapshots: snapshots.map(({ height, state }) => ({ height, state: stateAt(state) })),
    checkpoint: { ...checkpoint, state: stateAt(checkpoint.state) },
  }
}

const stateAt = ({ hash, count, location }: z.output<typeof rootSchema>): State =>
  openState({ hash, count, location: location as PageLocation })
