/**
 * DIDs as text, and the ids of their keys.
 *
 * A did:peer:4 has a long form, which holds its document, and a short one, which is the hash of that. Both
 * name the same thing, and a peer may use either at any time; so whatever is compared or looked up is
 * the short form. Other DIDs have one form only.
 */
import type { Branded } from '../units.ts'
import { maxDidChars, maxDidUrlChars } from './limits.ts'

/** A DID in the form that it is compared in: short for did:peer:4, as it is for others. */
export type ShortDid = Branded<string, 'ShortDid'>
/** `<short DID>#<fragment>`: what a key is looked up by. */
export type KeyId = Branded<string, 'KeyId'>

const did = /^did:[a-z0-9]+:[A-Za-z0-9._:%-]*[A-Za-z0-9._%-]$/
const longPeer4 = /^(did:peer:4z[1-9A-HJ-NP-Za-km-z]+):z[1-9A-HJ-NP-Za-km-z]+$/

export const isDid = (text: string): boolean => text.length <= maxDidChars && did.test(text)

/** Says nothing about whether the long form's hash is right: resolving does. */
export const shortDid = (text: string): ShortDid => (longPeer4.exec(text)?.[1] ?? text) as ShortDid

export const isSameDid = (one: string, other: string): boolean => shortDid(one) === shortDid(other)

/** A key's id as somebody wrote it. */
export interface DidUrl {
  readonly did: string
  /** With its `#`. */
  readonly fragment: string
}

/** @returns undefined when the text is no DID with a fragment */
export const parseDidUrl = (text: string): DidUrl | undefined => {
  if (text.length > maxDidUrlChars) return undefined
  const at = text.indexOf('#')
  if (at === -1 || at === text.length - 1) return undefined
  const parsed = { did: text.slice(0, at), fragment: text.slice(at) }
  return isDid(parsed.did) ? parsed : undefined
}

export const keyId = ({ did, fragment }: DidUrl): KeyId => `${shortDid(did)}${fragment}` as KeyId
