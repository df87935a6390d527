/** No runtime's own verification is trusted with a verdict here: the portable one is the same everywhere. */
import { decodeAddress } from '../codec/address.ts'
import { decodeHex, encodeUtf8 } from '../codec/bytes.ts'
import { verifyPortable } from '../crypto/ed25519.ts'
import type { Verifier } from '../ports/keys.ts'

export const portableVerifier: Verifier = {
  name: 'portable',
  verify: async (key, text, signature) =>
    verifyPortable(decodeAddress(key)!, encodeUtf8(text), decodeHex(signature)),
}
