/** In place of `runtime/node/keys.ts`: the node in a Durable Object verifies by WebCrypto. Tests sign by `node:crypto`, which workerd has. */
import { createWebEquation, createWebVerifier } from '../../../src/runtime/web/keys.ts'

export { createNodeSigner, nativeHash } from '../../../src/runtime/node/keys.ts'
export const createNodeVerifier = createWebVerifier
export const nodeEquations = () => [createWebEquation()]
