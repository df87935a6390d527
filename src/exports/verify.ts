/**
 * `tautline/verify`: what a node says, checked without one. A proof, offline, with nothing but the network's id; evidence
 * of a fork; and a light client that follows the network, so that proofs are of its present. Runs in browsers too.
 */

export {
  createLightClient,
  type LightAccount,
  type LightClient,
  type LightHead,
  type LightOptions,
  LightRefusal,
  type LightTransaction,
} from '../client/light-client.ts'
export { RequestError } from '../client/request-error.ts'
export { type Accused, type ForkVerdict, verifyFork } from '../client/verify-fork.ts'
export { maxProofLength, type ProofExpectation, type Verdict, verifyProof } from '../client/verify-proof.ts'
export { type RevealVerdict, verifyReveal } from '../client/verify-reveal.ts'
export { TautlineError } from '../errors.ts'
export type { RefusalCode } from '../light/light.ts'
export type { Fork } from '../objects/fork.ts'
export type * from '../units.ts'
