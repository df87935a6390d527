/**
 * How far a ledger has come that is arriving as a snapshot: what lies in place of the head until it is whole.
 *
 * So an interrupted arrival goes on where it was; and nobody takes a ledger that is half there for one.
 */
import * as z from 'zod'
import { decodeUtf8, encodeUtf8 } from '../codec/bytes.ts'
import { canonicalize, type Json, parseJson } from '../codec/json.ts'
import type { PageLocation } from '../ledger/state/page.ts'
import type { StoredSubtree, StoredSubtrees } from '../ledger/state/subtree.ts'
import { hashField, networkIdField, wholeField } from '../objects/fields.ts'
import type { ObjectStore } from '../ports/object-store.ts'
import type { NetworkId } from '../units.ts'

export interface ArrivalRecord {
  readonly network: NetworkId
  /** First ordinal that no page of this arrival has, whatever its height. */
  readonly next: number
  readonly stored: StoredSubtrees
  /** Pages that are stored and belong to no state: to be removed in the end. */
  readonly outdated: readonly StoredSubtree[]
}

const subtreeSchema = z.strictObject({
  hash: hashField,
  count: wholeField,
  at: z.string(),
  first: wholeField,
})

const schema = z.strictObject({
  arriving: z.strictObject({
    network: networkIdField,
    next: wholeField,
    stored: z.record(z.string(), subtreeSchema),
    outdated: z.array(subtreeSchema),
  }),
})

export const encodeArrival = ({ stored, outdated, ...record }: ArrivalRecord): Uint8Array => {
  const arriving = { ...record, stored: Object.fromEntries(stored), outdated: [...outdated] }
  return encodeUtf8(canonicalize({ arriving } as unknown as Json))
}

/** @returns undefined when no ledger is arriving: there is one, or none at all */
export const readArrival = async (store: ObjectStore): Promise<ArrivalRecord | undefined> => {
  const bytes = await store.readHead()
  const parsed = schema.safeParse(bytes && parseJson(decodeUtf8(bytes)))
  if (!parsed.success) return undefined
  const { stored, outdated, ...record } = parsed.data.arriving
  return {
    ...record,
    stored: new Map(Object.entries(stored).map(([way, subtree]) => [way, located(subtree)])),
    outdated: outdated.map(located),
  }
}

const located = ({ at, ...subtree }: z.output<typeof subtreeSchema>): StoredSubtree => ({
  ...subtree,
  at: at as PageLocation,
})

/** Where all pages of a stored subtree lie: its root page is the last of them. */
export const locationsOf = ({ at, first }: StoredSubtree): readonly PageLocation[] => {
  const [, height, last] = at.split(':')
  return Array.from(
    { length: Number(last) - first + 1 },
    (_, index) => `page:${height}:${first + index}` as PageLocation,
  )
}
