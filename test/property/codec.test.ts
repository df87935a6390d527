import { bech32, bech32m } from '@scure/base'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeAddress, encodeAddress } from '../../src/codec/address.ts'
import { decodeHex, decodeUtf8, encodeHex, encodeUtf8, utf8Bytes } from '../../src/codec/bytes.ts'
import { canonicalize, type Json, maxDepth, parseCanonical, parseJson } from '../../src/codec/json.ts'

const malformed = expect.objectContaining({ code: 'malformed-json' })

/** Any text of UTF-16, lone surrogates and all. */
const unit = fc.oneof(
  fc.integer({ min: 0, max: 0x7f }),
  fc.integer({ min: 0x80, max: 0xffff }),
  fc.integer({ min: 0xd800, max: 0xdfff }),
)
const anyText = fc.string({ unit: unit.map((code) => String.fromCharCode(code)) })
const wellFormed = fc.string({ unit: 'binary' })
const name = fc.oneof(
  wellFormed,
  fc.constantFrom('__proto__', 'constructor', '10', '2', '', '\r', '\ufb33', '😂'),
)
const value = fc.letrec<{ any: Json }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 4 },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    wellFormed,
    fc.array(tie('any'), { maxLength: 4 }),
    fc
      .array(fc.tuple(name, tie('any')), { maxLength: 4 })
      .map((members) => Object.fromEntries(members) as Json),
  ),
})).any

/** The same value as text in another spelling: members reversed, white space, escapes. */
const respell = (of: Json): string => {
  if (typeof of === 'string') return quoteEscaped(of)
  if (of === null || typeof of !== 'object') return JSON.stringify(of)
  if (Array.isArray(of)) return `[ ${(of as readonly Json[]).map(respell).join(' ,\n')}\t]`
  const members = Object.entries(of as Record<string, Json>).reverse()
  return `{ ${members.map(([key, member]) => `${quoteEscaped(key)} : ${respell(member)}`).join('\r\n,')} }`
}
const quoteEscaped = (text: string): string =>
  `"${Array.from({ length: text.length }, (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')}"`

describe('canonical JSON', () => {
  test('a canonical text is read as the value it was made from, and is its only canonical text', () => {
    fc.assert(
      fc.property(value, (of) => {
        const text = canonicalize(of)
        expect(canonicalize(parseCanonical(text))).toBe(text)
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(of)))
      }),
    )
  })

  test('another spelling is the same value at the doors, and refused between peers', () => {
    fc.assert(
      fc.property(value, (of) => {
        const spelling = respell(of)
        const text = canonicalize(of)
        expect(canonicalize(parseJson(spelling))).toBe(text)
        if (spelling !== text) expect(() => parseCanonical(spelling)).toThrow(malformed)
      }),
    )
  })

  test('members stand in the order of their UTF-16 code units', () => {
    fc.assert(
      fc.property(fc.uniqueArray(name, { maxLength: 12 }), (names) => {
        const text = canonicalize(Object.fromEntries(names.map((each) => [each, true])))
        // Taken from the text: a parsed object puts integer-like names first.
        const inOrder = [...text.matchAll(/("(?:[^"\\]|\\.)*"):true/gs)].map(
          ([, quoted]) => JSON.parse(quoted!) as string,
        )
        expect(inOrder).toEqual([...names].sort((one, other) => (one < other ? -1 : 1)))
      }),
    )
    // By code points the emoji, U+1F602, would come after U+FB33; by code units it comes before.
    expect(canonicalize({ '\ufb33': 1, '😂': 2, '10': 3, '9': 4, '1': 5 })).toBe(
      '{"1":5,"10":3,"9":4,"😂":2,"\ufb33":1}',
    )
  })

  test('`undefined` members are left out, `__proto__` is a member like any other', () => {
    expect(canonicalize({ a: undefined, b: 1, c: undefined })).toBe('{"b":1}')
    const text = '{"__proto__":{"a":1},"b":2}'
    expect(canonicalize(parseCanonical(text))).toBe(text)
    expect(({} as Record<string, unknown>).a).toBeUndefined()
  })

  test.for([
    ['an integer that no double holds', '9007199254740993'],
    ['minus zero', '-0'],
    ['a fraction of zero', '1.0'],
    ['an exponent', '1e2'],
    ['a number beyond doubles', '1e400'],
    ['the same member twice', '{"a":1,"a":1}'],
    ['members out of order', '{"b":1,"a":2}'],
    ['integer-like members in the order of numbers', '{"9":1,"10":2}'],
    ['an escape that is not needed', '"\\u0061"'],
    ['a long escape where a short one exists', '"\\u000a"'],
    ['an escape in capitals', '"\\u001F"'],
    ['an escaped solidus', '"\\/"'],
    ['a lone surrogate', '"\\ud800"'],
    ['a lone surrogate in a name', '{"\\udc00":1}'],
    ['surrogates the wrong way round', '"\\udc00\\ud800"'],
    ['white space', '{"a": 1}'],
    ['a line feed at the end', '1\n'],
    ['a byte order mark', '\ufeff1'],
    ['no text', ''],
    ['two values', '1 2'],
    ['a comment', '1//'],
    ['a comma too many', '[1,]'],
    ['an unterminated string', '["'],
    ['an unterminated string that ends in a backslash', '["\\'],
  ])('%s is not canonical', ([, text]) => {
    expect(() => parseCanonical(text!)).toThrow(malformed)
  })

  test.for([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('%d has no text', (number) => {
    expect(() => canonicalize([number])).toThrow(malformed)
  })

  test('minus zero has the text of zero', () => {
    expect(canonicalize([-0, 0])).toBe('[0,0]')
  })

  test('strings that UTF-8 could not tell apart have no canonical text', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        if (text.isWellFormed()) expect(decodeUtf8(encodeUtf8(canonicalize(text)))).toBe(JSON.stringify(text))
        else expect(() => canonicalize({ text })).toThrow(malformed)
      }),
    )
  })
})

describe('depth', () => {
  const nest = (depth: number, open: string, close: string): string =>
    open.repeat(depth) + close.repeat(depth)

  test.for([
    ['arrays', '[', ']'],
    ['objects', '{"a":', '}'],
  ])('%s may be nested as deep as the limit, and no deeper', ([, open, close]) => {
    const inner = open === '[' ? nest(maxDepth, '[', ']') : nest(maxDepth, open!, close!).replace(':}', ':1}')
    expect(canonicalize(parseCanonical(inner))).toBe(inner)
    expect(() => parseJson(`[${inner}]`)).toThrow(/nested deeper than 32/)
    expect(() => parseJson(open!.repeat(1_000_000))).toThrow(/nested deeper than 32/)
  })

  test('brackets in strings do not count, and a quote behind a backslash ends none', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('[', '{', '"', '\\', 'a', ']') }), (piece) => {
        const text = JSON.stringify([piece + '['.repeat(maxDepth), piece])
        expect(parseJson(text)).toEqual(JSON.parse(text))
        const deep = `[${JSON.stringify(piece)},${nest(maxDepth, '[', ']')}]`
        expect(() => parseJson(deep)).toThrow(/nested deeper than 32/)
      }),
    )
  })
})

describe('UTF-8', () => {
  test('the length is what TextEncoder gives, for any UTF-16', () => {
    fc.assert(fc.property(anyText, (text) => utf8Bytes(text) === encodeUtf8(text).length))
    fc.assert(fc.property(wellFormed, (text) => utf8Bytes(text) === encodeUtf8(text).length))
    for (const text of ['\ud800é', '\ud800\ud800\udc00', '\udc00\ud800', '😀\ud83d', '\ud800']) {
      expect(utf8Bytes(text)).toBe(encodeUtf8(text).length)
    }
  })

  test('well-formed text comes back', () => {
    fc.assert(fc.property(wellFormed, (text) => decodeUtf8(encodeUtf8(text)) === text))
  })

  test.for([
    ['an overlong slash', 'c0af'],
    ['an overlong NUL of three bytes', 'e08080'],
    ['a surrogate', 'eda080'],
    ['a code point above U+10FFFF', 'f4908080'],
    ['a continuation byte alone', '80'],
    ['a sequence cut short', 'e282'],
    ['a byte that never occurs', 'ff'],
  ])('%s is refused, not replaced', ([, hex]) => {
    expect(() => decodeUtf8(decodeHex(`22${hex}22`))).toThrow(malformed)
  })

  test('a byte order mark is kept, and then is no JSON', () => {
    const text = decodeUtf8(decodeHex('efbbbf31'))
    expect(text).toBe('\ufeff1')
    expect(() => parseJson(text)).toThrow(malformed)
  })
})

describe('addresses', () => {
  const key = fc.uint8Array({ minLength: 32, maxLength: 32 })
  const letters = [...'qpzry9x8gf2tvdw0s3jn54khce6mua7lbio1QT ']

  test('every key comes back from its address', () => {
    fc.assert(
      fc.property(key, (publicKey) => {
        const address = encodeAddress(publicKey)
        expect(address).toMatch(/^taut1[a-z0-9]{58}$/)
        expect(encodeHex(decodeAddress(address)!)).toBe(encodeHex(publicKey))
      }),
    )
  })

  test('with any one character changed, left out or doubled it is none', () => {
    fc.assert(
      fc.property(key, (publicKey) => {
        const address = encodeAddress(publicKey)
        for (let at = 0; at < address.length; at++) {
          const [before, after] = [address.slice(0, at), address.slice(at + 1)]
          for (const letter of letters) {
            if (letter !== address[at]) expect(decodeAddress(before + letter + after)).toBeUndefined()
          }
          expect(decodeAddress(before + after)).toBeUndefined()
          expect(decodeAddress(before + address[at]! + address[at]! + after)).toBeUndefined()
        }
      }),
      { numRuns: 5 },
    )
  })

  test('keys of another length, another human part, capitals and bech32 without the m are none', () => {
    const words = bech32m.toWords(new Uint8Array(32).fill(7))
    const address = encodeAddress(new Uint8Array(32).fill(7))
    expect(bech32m.encode('taut', words)).toBe(address)
    const others = [
      encodeAddress(new Uint8Array(31)),
      encodeAddress(new Uint8Array(33)),
      address.toUpperCase(),
      `T${address.slice(1)}`,
      bech32.encode('taut', words),
      bech32m.encode('taus', words),
    ]
    for (const other of others) expect(decodeAddress(other)).toBeUndefined()
  })
})
