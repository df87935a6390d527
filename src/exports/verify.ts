/** `tautline/verify`: checks a proof offline, with nothing but the network's id. */

export { maxProofLength, type Verdict, verifyProof } from '../client/verify-proof.ts'
export type { NetworkId } from '../units.ts'
