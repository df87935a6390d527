/**
 * The short code: two people read it to each other, and know that nobody sits between their ends.
 *
 * Who does so has a DID of its own towards each of them, and would have to find one that gives the same code
 * after it has seen the other's: 20 digits are 2^66 hashes, to be done while the two are waiting.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { encodeHex, encodeUtf8 } from '../codec/bytes.ts'
import { shortDid } from './did.ts'

const groups = 4
const digitsPerGroup = 5

/** @returns four groups of five digits; the same whichever of the two asks */
export const shortCode = (ours: string, theirs: string): string => {
  const dids = [shortDid(ours), shortDid(theirs)].sort()
  const hash = BigInt(`0x${encodeHex(sha256(encodeUtf8(['tautline/short-code/1', ...dids].join('\n'))))}`)
  const digits = (hash % 10n ** BigInt(groups * digitsPerGroup))
    .toString()
    .padStart(groups * digitsPerGroup, '0')
  return Array.from({ length: groups }, (_, at) =>
    digits.slice(at * digitsPerGroup, (at + 1) * digitsPerGroup),
  ).join(' ')
}
