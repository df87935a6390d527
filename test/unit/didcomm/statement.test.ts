import { describe, expect, test } from 'vitest'
import { encodeUtf8 } from '../../../src/codec/bytes.ts'
import {
  createIdentity,
  isSameRecord,
  readStatement,
  resolveDid,
  shortCode,
  shortDid,
  signStatement,
} from '../../../src/didcomm/didcomm.ts'
import { signJws } from '../../../src/didcomm/jws.ts'

const fixed = (size: number, seed: number) =>
  Uint8Array.from({ length: size }, (_, at) => (seed * 101 + at * 37) & 0xff)
const [alice, mallory] = [createIdentity(fixed(64, 1)), createIdentity(fixed(64, 2))]
const document = resolveDid(alice.did)!
const did = shortDid(alice.did)
const record = { version: 1, didA: did, didB: shortDid(mallory.did), invitationId: 'i1', created: 7 } as const

const read = (jws: unknown) => readStatement('connection', jws, document)
const signed = (text: string, typ = 'tautline-connection', kid = `${did}#key-1`, key = alice.signingKey) =>
  signJws(encodeUtf8(text), typ, kid, key)
const text = `{"created":7,"didA":"${record.didA}","didB":"${record.didB}","invitationId":"i1","version":1}`

describe('a statement', () => {
  test('is read as it was signed', () => {
    const jws = signStatement('connection', record, { identity: alice, did })
    expect(read(jws)).toEqual({ kind: 'statement', statement: record, jws })
    expect(signed(text)).toEqual(jws)
  })

  test('is none under another type, by another, or with another key', () => {
    expect(read(signed(text, 'tautline-receipt'))).toMatchObject({ code: 'wrong-statement' })
    expect(read(signed(text, undefined, `${mallory.did}#key-1`, mallory.signingKey))).toMatchObject({
      code: 'wrong-statement',
    })
    expect(read(signed(text, undefined, undefined, mallory.signingKey))).toMatchObject({
      code: 'invalid-signature',
    })
    expect(read(signed(text, undefined, `${did}#key-2`))).toMatchObject({ code: 'invalid-signature' })
  })

  test('is none with more in it, or less, or in another spelling', () => {
    for (const other of [
      text.replace('{', '{ '),
      text.replace('}', ',"z":1}'),
      text.replace('"version":1', '"version":2'),
      '{}',
      '',
    ])
      expect(read(signed(other)), other).toMatchObject({ code: 'wrong-statement' })
  })
})

test('two records are the same when all that they say is', () => {
  expect(isSameRecord(record, { ...record })).toBe(true)
  for (const change of [{ didA: 'x' }, { didB: 'x' }, { invitationId: 'i2' }, { created: 8 }])
    expect(isSameRecord(record, { ...record, ...change })).toBe(false)
})

test('a short code is padded to all of its digits', () => {
  const codes = Array.from({ length: 40 }, (_, seed) => shortCode(`did:example:${seed}`, did))
  for (const code of codes) expect(code).toMatch(/^\d{5} \d{5} \d{5} \d{5}$/)
  expect(new Set(codes).size).toBe(codes.length)
})
