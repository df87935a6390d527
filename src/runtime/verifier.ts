/**
 * Verifiers for all runtimes: the signature rule around whatever native verification there is.
 *
 * In: a runtime's own Ed25519 verification. Out: a {@link Verifier} whose verdict is the rule's, or else the
 * portable one. Must never trust a native verdict that the edge vectors haven't confirmed on this machine:
 * Node alone has changed its verdicts twice between versions.
 */
import { decodeAddress, encodeAddress } from '../codec/address.ts'
import { decodeHex, decodeUtf8, encodeHex, encodeUtf8 } from '../codec/bytes.ts'
import { passesPrechecks, verifyPortable } from '../crypto/ed25519.ts'
import { selfTest } from '../crypto/edge-vectors.ts'
import type { Verifier } from '../ports/keys.ts'
import type { Log } from '../ports/log.ts'
import type { Address, Signature } from '../units.ts'

/** That a key has signed a message. */
export interface Claim {
  readonly key: Address
  /** What the address stands for. */
  readonly publicKey: Uint8Array
  readonly message: Uint8Array<ArrayBuffer>
  readonly signature: Uint8Array<ArrayBuffer>
}

export interface Equation {
  /** For the log and the metrics. */
  readonly name: string
  /** Decides what the prechecks let through. May throw or reject: an exception is a rejection. */
  holds(claim: Claim): Promise<boolean>
}

const portable: Equation = {
  name: 'portable',
  holds: async ({ publicKey, message, signature }) => verifyPortable(publicKey, message, signature),
}

/** Imported keys that a native verifier keeps, of 1.2 KiB each (`node:crypto`): an import takes a twentieth of a verification. */
export const maxCachedKeys = 4_096

/**
 * The first native equation, within the rule, that passes the self-test; the portable one when none does.
 *
 * @param natives - the fastest first
 */
export const createVerifier = async (natives: readonly Equation[], log: Log): Promise<Verifier> => {
  for (const native of natives) {
    const verifier = applyRule(native)
    const surprises = await selfTest((publicKey, message, signature) =>
      verifier.verify(encodeAddress(publicKey), decodeUtf8(message), encodeHex(signature) as Signature),
    )
    if (surprises.length === 0) return verifier
    log.warn(
      `${native.name} disagrees with the network's signature rule, so signatures are checked by slower code: use another version of it`,
      { verifier: native.name, vectors: surprises.join(', ') },
    )
  }
  return applyRule(portable)
}

const applyRule = (equation: Equation): Verifier => ({
  name: equation.name,
  verify: (key, text, signature) => {
    const claim = readClaim(key, text, signature)
    return claim ? judge(equation, claim) : Promise.resolve(false)
  },
})

const readClaim = (key: Address, text: string, signature: Signature): Claim | undefined => {
  const publicKey = decodeAddress(key)
  if (!publicKey || !signaturePattern.test(signature)) return undefined
  return { key, publicKey, message: encodeUtf8(text), signature: decodeHex(signature) }
}

const signaturePattern = /^[0-9a-f]{128}$/

/** The rule's verdict, its equation solved by the given means. */
export const judge = async (equation: Equation, claim: Claim): Promise<boolean> => {
  try {
    return passesPrechecks(claim.publicKey, claim.signature) && (await equation.holds(claim))
  } catch {
    return false
  }
}
