import { describe, expect, test } from 'vitest'
import { encodeAddress } from '../../../src/codec/address.ts'
import { encodeUtf8 } from '../../../src/codec/bytes.ts'
import { canonicalize, type Json, parseJson } from '../../../src/codec/json.ts'
import { TautlineError } from '../../../src/errors.ts'
import { decodeTransaction, signedTextOf } from '../../../src/objects/transaction.ts'
import { alice, bob, type Members, signature, signed } from './samples.ts'

/** What decoding says is wrong. Anything but a refusal of the form is a bug, and thrown on. */
const wrongMember = (value: Json): unknown => {
  try {
    decodeTransaction(value)
  } catch (error) {
    if (!(error instanceof TautlineError) || error.code !== 'malformed-transaction') throw error
    expect(error.message.startsWith(`${error.details.member}: `)).toBe(true)
    expect(error.message.length).toBeLessThan(300)
    return error.details.member
  }
  return 'nothing'
}

const { memo: _, ...withoutMemo } = signed
const withOperation = (operation: Json): Members => ({ ...signed, operations: [operation] })
const withSignature = (entry: Json): Members => ({ ...signed, signatures: [entry] })

const notStrings: readonly Json[] = [null, 0, 1, true, [], {}, ['1'], { length: 1 }]
const notNumbers: readonly Json[] = [null, '0', '', true, [], {}, [0]]
const wrongHex = (digits: number): readonly Json[] => [
  ...notStrings,
  '',
  '1'.repeat(digits - 1),
  '1'.repeat(digits + 1),
  'A'.repeat(digits),
  'g'.repeat(digits),
  ` ${'1'.repeat(digits - 1)}`,
  `${'1'.repeat(digits)}\n`,
  `0x${'1'.repeat(digits - 2)}`,
  '１'.repeat(digits),
]
const wrongWhole: readonly Json[] = [
  ...notNumbers,
  -1,
  0.5,
  1e-7,
  2 ** 53,
  -(2 ** 53),
  1e21,
  Number.MAX_VALUE,
  Number.POSITIVE_INFINITY, // what JSON.parse makes of 1e400
]
const wrongAmount: readonly Json[] = [
  ...notStrings,
  '',
  '-1',
  '+1',
  '-0',
  '00',
  '01',
  '1.0',
  '.5',
  '1e3',
  '0x1',
  '1_000',
  '1,000',
  ' 1',
  '1 ',
  '1\n',
  '١',
  '1n',
  'NaN',
  'Infinity',
  '340282366920938463463374607431768211456',
  '999999999999999999999999999999999999999',
  '1000000000000000000000000000000000000000',
  'x'.repeat(39),
  'x'.repeat(40),
  '9'.repeat(100_000),
]
const otherKey = (fill: number): string => encodeAddress(new Uint8Array(32).fill(fill))
const wrongAddress: readonly Json[] = [
  ...notStrings,
  '',
  'taut1',
  'alice',
  alice.toUpperCase(),
  ` ${alice}`,
  `${alice}\n`,
  alice.slice(0, -1),
  `${alice.slice(0, -1)}q`,
  'x'.repeat(100_000),
  encodeAddress(new Uint8Array(31).fill(9)),
  encodeAddress(new Uint8Array(33).fill(9)),
  otherKey(0), // a point of order 4
  encodeAddress(Uint8Array.of(1, ...new Uint8Array(31))), // the identity
  otherKey(0xff), // y is not below p
]
const wrongText = (maxBytes: number): readonly Json[] => [
  null,
  0,
  true,
  [],
  {},
  'x'.repeat(maxBytes + 1),
  'ä'.repeat(maxBytes / 2 + 1),
  '€'.repeat(maxBytes / 3 + 1),
  `${'😀'.repeat(maxBytes / 4)}x`,
  '\ud800',
  'a\udc00b',
  '\udc00\ud800',
]

describe('every member wrong in every way', () => {
  const tables: readonly (readonly [string, readonly Json[], (wrong: Json) => Json])[] = [
    ['network', wrongHex(64), (network) => ({ ...signed, network })],
    ['from', wrongAddress, (from) => ({ ...signed, from })],
    ['nonce', wrongWhole, (nonce) => ({ ...signed, nonce })],
    ['validUntil', wrongWhole, (validUntil) => ({ ...signed, validUntil })],
    ['fee', wrongAmount, (fee) => ({ ...signed, fee })],
    ['memo', wrongText(256), (memo) => ({ ...signed, memo })],
    ['operations', [null, 0, '', {}, [], { length: 1 }], (operations) => ({ ...signed, operations })],
    ['operations.0', [null, 0, '', []], withOperation],
    [
      'operations.0.type',
      [null, 0, [], {}, '', 'Transfer', 'transfer ', '__proto__', 'constructor', 'mint', ['transfer']],
      (type) => withOperation({ type, to: bob, amount: '1' }),
    ],
    ['operations.0.to', wrongAddress, (to) => withOperation({ type: 'transfer', to, amount: '1' })],
    [
      'operations.0.amount',
      [...wrongAmount, '0'],
      (amount) => withOperation({ type: 'transfer', to: bob, amount }),
    ],
    ['operations.0.amount', [...wrongAmount, '0'], (amount) => withOperation({ type: 'stake.bond', amount })],
    [
      'operations.0.amount',
      [...wrongAmount, '0'],
      (amount) => withOperation({ type: 'stake.unbond', amount }),
    ],
    ['operations.0.data', wrongText(4_096), (data) => withOperation({ type: 'anchor', data })],
    ['signatures', [null, 0, '', {}, [], { length: 1 }], (signatures) => ({ ...signed, signatures })],
    ['signatures.0', [null, 0, '', []], withSignature],
    ['signatures.0.key', [...wrongAddress, bob], (key) => withSignature({ key, signature })],
    ['signatures.0.signature', wrongHex(128), (wrong) => withSignature({ key: alice, signature: wrong })],
  ]

  test.for(tables)('%s', ([member, wrongs, place]) => {
    for (const wrong of wrongs) {
      expect([wrong, wrongMember(place(wrong))]).toEqual([wrong, member])
    }
  })

  test('one of several operations is named by its index', () => {
    const transfer = { type: 'transfer', to: bob, amount: '1' }
    expect(wrongMember({ ...signed, operations: [transfer, { ...transfer, amount: '0' }] })).toBe(
      'operations.1.amount',
    )
  })

  test('17 operations, two signatures', () => {
    const operations = Array<Json>(17).fill({ type: 'stake.bond', amount: '1' })
    expect(wrongMember({ ...signed, operations })).toBe('operations')
    expect(wrongMember({ ...signed, operations: operations.slice(1) })).toBe('nothing')
    expect(wrongMember({ ...signed, signatures: [...signed.signatures, ...signed.signatures] })).toBe(
      'signatures',
    )
  })

  test.for<[string, Json]>([
    ['null', null],
    ['a number', 1],
    ['a string', canonicalize(signed)],
    ['a boolean', true],
    ['a list', [signed]],
  ])('%s is no transaction', ([, value]) => {
    expect(wrongMember(value)).toBe('the transaction')
  })
})

describe('missing members', () => {
  const parts: readonly (readonly [string, Members, (part: Members) => Json])[] = [
    ['', withoutMemo, (part) => part],
    ['operations.0.', { type: 'transfer', to: bob, amount: '1' }, withOperation],
    ['operations.0.', { type: 'anchor', data: 'x' }, withOperation],
    ['operations.0.', { type: 'stake.bond', amount: '1' }, withOperation],
    ['operations.0.', { type: 'stake.unbond', amount: '1' }, withOperation],
    ['signatures.0.', { key: alice, signature }, withSignature],
  ]

  test.for(parts)('each is named, in %s %o', ([path, part, place]) => {
    expect(wrongMember(place(part))).toBe('nothing')
    for (const name of Object.keys(part)) {
      const { [name]: _left, ...rest } = part
      expect(wrongMember(place(rest))).toBe(`${path}${name}`)
    }
  })
})

describe('unknown members', () => {
  const names = [
    'extra',
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'hasOwnProperty',
    '',
    '0',
    'Fee',
    'fee ',
  ]
  const places = [
    ['', canonicalize(signed)],
    ['operations.0.', '{"type":"transfer","to":"$bob","amount":"1"}'],
    ['operations.0.', '{"type":"anchor","data":"x"}'],
    ['operations.0.', '{"type":"stake.bond","amount":"1"}'],
    ['operations.0.', '{"type":"stake.unbond","amount":"1"}'],
    ['operations.0.', '{"type":"network.update","removeValidator":"$bob","fromHeight":9}'],
    ['signatures.0.', canonicalize({ key: alice, signature })],
  ] as const

  test.for(places)('each is refused by name, not dropped: %s %s', ([path, text]) => {
    for (const name of names) {
      for (const content of ['1', 'null', '{}', '{"type":"anchor","data":"y","from":"z"}', '[]']) {
        // As text, since only JSON.parse makes `__proto__` a member of its own.
        const part = parseJson(
          text.replace('$bob', bob).replace(/}$/, `,${JSON.stringify(name)}:${content}}`),
        )
        const value =
          path === '' ? part : path === 'signatures.0.' ? withSignature(part) : withOperation(part)
        expect([name, wrongMember(value)]).toEqual([name, `${path}${name}`])
      }
    }
  })

  test('a member does not count as there because a prototype has it', () => {
    const text = canonicalize(signed)
    const moved = `{"__proto__":${text}}`
    expect(wrongMember(parseJson(moved))).not.toBe('nothing')
    expect(wrongMember(parseJson(`{"constructor":${text}}`))).not.toBe('nothing')
  })

  test('a long name, or one that is no Unicode, is cut for the message', () => {
    expect(wrongMember({ ...signed, ['x'.repeat(60_000)]: 1 })).toBe('x'.repeat(64))
    expect(wrongMember({ ...signed, '\ud800': 1 })).toBe('\ufffd')
  })
})

describe('what is right', () => {
  test('the sizes at the limits are taken', () => {
    for (const memo of ['', 'x'.repeat(256), 'ä'.repeat(128), '😀'.repeat(64)]) {
      expect(wrongMember({ ...signed, memo })).toBe('nothing')
    }
    for (const data of ['', 'x'.repeat(4_096), '€'.repeat(1_365), '\u0000\u001f\u2028']) {
      expect(wrongMember(withOperation({ type: 'anchor', data }))).toBe('nothing')
    }
    for (const fee of ['0', '1', '340282366920938463463374607431768211455']) {
      expect(wrongMember({ ...signed, fee })).toBe('nothing')
    }
    for (const nonce of [0, 1, Number.MAX_SAFE_INTEGER])
      expect(wrongMember({ ...signed, nonce })).toBe('nothing')
    expect(wrongMember(withoutMemo)).toBe('nothing')
  })

  test('any spelling of the same value gives the same bytes', () => {
    const decoded = decodeTransaction(signed)
    const reversed = Object.fromEntries(Object.entries(signed).reverse())
    const escaped = JSON.stringify(reversed, undefined, 3)
      .replaceAll('a', '\\u0061')
      .replace('"nonce": 0', '"nonce": -0.0')
    expect(escaped).toContain('-0.0')
    expect(decodeTransaction(parseJson(escaped))).toEqual(decoded)
    expect(decoded.text).toBe(canonicalize(signed))
    expect(decoded.sizeBytes).toBe(encodeUtf8(decoded.text).length)
  })

  test('another signature changes the hash and not the id', () => {
    const [one, other] = [signature, '00'.repeat(64)].map((text) =>
      decodeTransaction(withSignature({ key: alice, signature: text })),
    )
    expect(other!.id).toBe(one!.id)
    expect(signedTextOf(other!)).toBe(signedTextOf(one!))
    expect(other!.hash).not.toBe(one!.hash)
  })

  test('any other change changes the id', () => {
    const changes: readonly Members[] = [
      { ...signed, network: '12'.repeat(32) },
      { ...signed, from: bob, signatures: [{ key: bob, signature }] },
      { ...signed, nonce: 1 },
      { ...signed, validUntil: 1_790_000_001 },
      { ...signed, fee: '2' },
      { ...signed, memo: 'für Bob €' },
      { ...signed, memo: '' },
      withoutMemo,
      { ...signed, operations: [...signed.operations].reverse() },
      { ...signed, operations: signed.operations.slice(1) },
    ]
    const ids = [signed, ...changes].map((value) => decodeTransaction(value).id)
    expect(new Set(ids).size).toBe(ids.length)
  })
})
