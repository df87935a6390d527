import type { DidDocument } from './did-document.ts'
import { resolveDidKey } from './did-key.ts'
import { resolvePeer2 } from './did-peer-2.ts'
import { resolvePeer4 } from './did-peer-4.ts'

/**
 * The document of a DID that holds its own: did:peer:4 in its long form, did:peer:2, did:key.
 *
 * @returns undefined for any other, and for a short form: whoever uses one has said the long one before
 */
export const resolveDid = (did: string): DidDocument | undefined =>
  resolvePeer4(did) ?? resolvePeer2(did) ?? resolveDidKey(did)
