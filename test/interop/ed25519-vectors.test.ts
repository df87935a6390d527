import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { encodeAddress } from '../../src/codec/address.ts'
import { decodeHex } from '../../src/codec/bytes.ts'
import { verifyPortable } from '../../src/crypto/ed25519.ts'
import { nodeEquations } from '../../src/runtime/node/keys.ts'
import { type Equation, judge } from '../../src/runtime/verifier.ts'
import { createWebEquation } from '../../src/runtime/web/keys.ts'

const file = join(import.meta.dirname, '../../../shared/vectors/ed25519.json')
const isHere = existsSync(file)

interface Vector {
  readonly id: string
  readonly pk: string
  readonly msg: string
  readonly sig: string
  readonly valid: boolean
}

type Verdict = (
  publicKey: Uint8Array,
  message: Uint8Array<ArrayBuffer>,
  signature: Uint8Array<ArrayBuffer>,
) => unknown

const byRule =
  (equation: Equation): Verdict =>
  (publicKey, message, signature) =>
    judge(equation, { key: encodeAddress(publicKey), publicKey, message, signature })

const mismatches = async (vectors: readonly Vector[], verdict: Verdict): Promise<readonly string[]> => {
  const wrong: string[] = []
  for (const { id, pk, msg, sig, valid } of vectors) {
    if ((await verdict(decodeHex(pk), decodeHex(msg), decodeHex(sig))) !== valid) wrong.push(id)
  }
  return wrong
}

describe('speccheck, ZIP215 and Wycheproof vectors have the verdict of the rule', () => {
  test.for<[string, Verdict]>([
    ['portable', verifyPortable],
    ...[...nodeEquations(), createWebEquation()].map((equation): [string, Verdict] => [
      equation.name,
      byRule(equation),
    ]),
  ])('%s', async ([, verdict], context) => {
    context.skip(!isHere, `${file} is not here: the vectors of others are not copied into the project`)
    const vectors = JSON.parse(readFileSync(file, 'utf8')) as readonly Vector[]
    expect(vectors.length).toBeGreaterThanOrEqual(359)
    expect(await mismatches(vectors, verdict)).toEqual([])
  })
})
