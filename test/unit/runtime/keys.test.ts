import { hashes, verify } from '@noble/ed25519'
import { sha512 } from '@noble/hashes/sha2.js'
import { describe, expect, test } from 'vitest'
import { decodeAddress, encodeAddress } from '../../../src/codec/address.ts'
import { decodeHex, encodeHex, encodeUtf8 } from '../../../src/codec/bytes.ts'
import { verifyPortable } from '../../../src/crypto/ed25519.ts'
import { selfTest } from '../../../src/crypto/edge-vectors.ts'
import { accelerateHash } from '../../../src/crypto/hash.ts'
import type { Signer, Verifier } from '../../../src/ports/keys.ts'
import type { Log } from '../../../src/ports/log.ts'
import {
  createNodeSigner,
  createNodeVerifier,
  nativeHash,
  nodeEquations,
} from '../../../src/runtime/node/keys.ts'
import { maxBatch } from '../../../src/runtime/node/verification-pool.ts'
import { generateSecretKey } from '../../../src/runtime/secret-key.ts'
import { createVerifier, type Equation } from '../../../src/runtime/verifier.ts'
import { createWebSigner, createWebVerifier } from '../../../src/runtime/web/keys.ts'
import type { Address, Signature } from '../../../src/units.ts'

hashes.sha512 = sha512

const collectWarnings = (): { log: Log; warnings: string[] } => {
  const warnings: string[] = []
  const nothing = (): void => undefined
  return {
    warnings,
    log: { debug: nothing, info: nothing, error: nothing, warn: (text) => warnings.push(text) },
  }
}

/** RFC 8032 §7.1, TEST 2. */
const rfc = {
  secretKey: decodeHex('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb'),
  publicKey: decodeHex('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c'),
  text: 'r',
  signature:
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
}

describe.for<[string, (log: Log) => Promise<Verifier>, (secretKey: Uint8Array) => Signer | Promise<Signer>]>([
  ...nodeEquations().map((equation): [string, (log: Log) => Promise<Verifier>, typeof createNodeSigner] => [
    equation.name,
    (log) => createVerifier([equation], log),
    createNodeSigner,
  ]),
  ['WebCrypto', createWebVerifier, createWebSigner],
])('%s', ([name, createRuntimeVerifier, createSigner]) => {
  test('signs and verifies as RFC 8032 does', async () => {
    const { log, warnings } = collectWarnings()
    const verifier = await createRuntimeVerifier(log)
    const signer = await createSigner(rfc.secretKey)
    expect(signer.address).toBe(encodeAddress(rfc.publicKey))
    expect(await signer.sign(rfc.text)).toBe(rfc.signature)
    expect(await verifier.verify(signer.address, rfc.text, rfc.signature as Signature)).toBe(true)
    expect(await verifier.verify(signer.address, 's', rfc.signature as Signature)).toBe(false)
    expect([verifier.name, warnings]).toEqual([name, []])
  })

  test('what is no address or no signature is rejected, not thrown', async () => {
    const verifier = await createRuntimeVerifier(collectWarnings().log)
    const address = encodeAddress(rfc.publicKey)
    const flaws = [
      '',
      'x',
      'zz'.repeat(64),
      rfc.signature.toUpperCase(),
      `${rfc.signature}0`,
      rfc.signature.slice(1),
    ]
    for (const flaw of flaws) expect(await verifier.verify(address, rfc.text, flaw as Signature)).toBe(false)
    for (const flaw of ['', 'taut1', address.slice(1), address.toUpperCase()]) {
      expect(await verifier.verify(flaw as Address, rfc.text, rfc.signature as Signature)).toBe(false)
    }
  })

  test('more at once than the threads are given are all answered, each for itself', async () => {
    const verifier = await createRuntimeVerifier(collectWarnings().log)
    const signer = await createSigner(generateSecretKey())
    const count = maxBatch * 5 + 1
    const signatures = await Promise.all(Array.from({ length: count }, (_, at) => signer.sign(`${at}`)))
    const verdicts = signatures.map((signature, at) =>
      verifier.verify(signer.address, at % 3 === 0 ? 'another' : `${at}`, signature),
    )
    expect(await Promise.all(verdicts)).toEqual(signatures.map((_, at) => at % 3 !== 0))
  })

  test.for([0, 31, 33, 64])('a secret key of %i bytes is refused', async (length) => {
    const create = async (): Promise<Signer> => createSigner(new Uint8Array(length))
    await expect(create()).rejects.toMatchObject({ code: 'damaged-folder' })
  })
})

test('the fastest native verifier that keeps to the rule is taken', async () => {
  const { log, warnings } = collectWarnings()
  const right = { name: 'right', holds: nodeEquations()[0]!.holds }
  const verifier = await createVerifier(
    [{ name: 'strange', holds: async () => true }, right, { ...right, name: 'slower' }],
    log,
  )
  expect(verifier.name).toBe('right')
  expect(warnings).toEqual([expect.stringContaining('strange disagrees')])
})

test('a node takes the first of the libraries that are here', async () => {
  const { log, warnings } = collectWarnings()
  const verifier = await createNodeVerifier(log)
  expect([verifier.name, warnings]).toEqual([nodeEquations()[0]!.name, []])
})

describe('a native verifier that differs from the rule', () => {
  const cofactored: Equation['holds'] = async ({ publicKey, message, signature }) =>
    verify(signature, message, publicKey)

  test.for<[string, Equation['holds']]>([
    ['multiplies by the cofactor', cofactored],
    ['rejects everything', async () => false],
    ['takes everything', async () => true],
    [
      'throws',
      () => {
        throw new Error('no Ed25519 here')
      },
    ],
  ])('one that %s is replaced by the portable code, and the log says so', async ([, holds]) => {
    const { log, warnings } = collectWarnings()
    const verifier = await createVerifier([{ name: 'strange', holds }], log)
    expect(verifier.name).toBe('portable')
    expect(warnings).toEqual([expect.stringContaining('strange disagrees')])
    const surprises = await selfTest((key, message, signature) =>
      verifier.verify(
        encodeAddress(key),
        new TextDecoder().decode(message),
        encodeHex(signature) as Signature,
      ),
    )
    expect(surprises).toEqual([])
  })
})

test('secret keys are made at random, and their signatures have the portable verdict', () => {
  const secretKey = generateSecretKey()
  const signer = createNodeSigner(secretKey)
  const signature = decodeHex(signer.sign('a text of ä€😀') as Signature)
  expect(secretKey).toHaveLength(32)
  expect(secretKey).not.toEqual(generateSecretKey())
  expect(verifyPortable(decodeAddress(signer.address)!, encodeUtf8('a text of ä€😀'), signature)).toBe(true)
})

test('the native hash is accepted in place of the portable one, a wrong one is not', () => {
  expect(() => accelerateHash(nativeHash)).not.toThrow()
  expect(() => accelerateHash((text) => nativeHash(`${text} `))).toThrow('broken invariant')
})
