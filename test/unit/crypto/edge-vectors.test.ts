import { hashes, verify } from '@noble/ed25519'
import { sha512 } from '@noble/hashes/sha2.js'
import { expect, test } from 'vitest'
import { passesPrechecks, verifyPortable } from '../../../src/crypto/ed25519.ts'
import { edgeVectors, selfTest } from '../../../src/crypto/edge-vectors.ts'
import { deriveEdgeVectors } from './derive-edge-vectors.ts'

hashes.sha512 = sha512

test('the frozen vectors are those that the definition of the curve leads to', () => {
  expect(edgeVectors).toEqual(deriveEdgeVectors())
})

test('the portable verification passes the self-test', async () => {
  expect(await selfTest(verifyPortable)).toEqual([])
})

test('the equation times the cofactor is found out, by every vector whose torsion it hides', async () => {
  const cofactored = (key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean =>
    passesPrechecks(key, signature) && verify(signature, message, key)
  const hidden = edgeVectors.filter(({ name, valid }) => name.includes('torsion') && !valid)
  expect(hidden.length).toBe(8)
  expect(await selfTest(cofactored)).toEqual(hidden.map(({ name }) => name))
})

test('a verification without the prechecks is found out', async () => {
  const surprises = await selfTest((key, message, signature) => verify(signature, message, key))
  expect(surprises).toContain('key is the identity with the sign bit set')
  expect(surprises).toContain('R is the identity')
})

test('one that refuses everything, or throws, or takes everything, is found out', async () => {
  const valid = edgeVectors.filter((vector) => vector.valid).map(({ name }) => name)
  const refused = edgeVectors.filter((vector) => !vector.valid).map(({ name }) => name)
  expect(await selfTest(() => false)).toEqual(valid)
  expect(await selfTest(() => Promise.reject(new Error('no Ed25519 here')))).toEqual(valid)
  expect(await selfTest(() => true)).toEqual(refused)
})
