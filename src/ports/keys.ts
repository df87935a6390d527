/** Signing and checking of signatures, by whatever the runtime has for it. */
import type { Address, Signature } from '../units.ts'

export interface Signer {
  readonly address: Address
  /** Ed25519 over the UTF-8 of the text. */
  sign(text: string): Signature | Promise<Signature>
}

export interface Verifier {
  /** Which implementation answers, for the log and the metrics. */
  readonly name: string
  /** The verdict of the network's signature rule (`crypto/ed25519.ts`) over the UTF-8 of the text. */
  verify(key: Address, text: string, signature: Signature): Promise<boolean>
}
