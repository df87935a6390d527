/** Verdicts on what others sent: never an exception, always a code and a sentence. */

export type RefusalCode =
  // before any key is touched
  | 'too-large'
  | 'not-json'
  | 'not-encrypted'
  | 'malformed-envelope'
  | 'unsupported-algorithm'
  | 'wrong-apv'
  | 'wrong-apu'
  | 'unknown-key'
  | 'unknown-sender'
  // after the key agreement
  | 'undecryptable'
  | 'nested-encryption'
  | 'malformed-message'
  | 'invalid-signature'
  | 'anonymous'
  | 'spoofed-from'
  | 'wrong-to'
  | 'expired'
  // by what is known of the connection
  | 'stranger'
  | 'wrong-invitation'
  | 'malformed-from-prior'
  | 'foreign-from-prior'
  | 'stale-from-prior'
  // of invitations and signed statements
  | 'malformed-invitation'
  | 'unresolvable-did'
  | 'wrong-statement'

export interface Refused {
  readonly kind: 'refused'
  readonly code: RefusalCode
  /** What was wrong and what was expected. Holds nothing that the sender wrote, so it can go into a log as it is. */
  readonly detail: string
}

export const refused = (code: RefusalCode, detail: string): Refused => ({ kind: 'refused', code, detail })

export const isRefused = (value: { readonly kind?: unknown }): value is Refused => value.kind === 'refused'
