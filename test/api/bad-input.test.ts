import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encodeAddress } from '../../src/codec/address.ts'
import { canonicalize, type Json, maxDepth } from '../../src/codec/json.ts'
import type { Operation } from '../../src/objects/operation.ts'
import type { Transaction } from '../../src/objects/transaction.ts'
import type { Signer } from '../../src/ports/keys.ts'
import type { Amount, Signature } from '../../src/units.ts'
import { openRaw, statusOf } from './raw-client.ts'
import {
  friend,
  inAnHour,
  jsonInit,
  keyOf,
  ndjsonInit,
  openWorld,
  problemOf,
  rich,
  serveWorld,
  token,
  transfer,
  type World,
} from './world.ts'

const path = '/v1/transactions'

/** Shared by the tests that only ever send what is refused: each checks that nothing came of it. */
let world: World
let served: Awaited<ReturnType<typeof serveWorld>>
let valid: Transaction
beforeAll(async () => {
  world = await openWorld({ keep: true })
  served = await serveWorld({ keep: true })
  valid = await world.sign({ memo: 'hello' })
})
afterAll(async () => {
  await world.node.close()
  await served.server.close()
  await served.node.close()
})

const untouched = { head: { height: 0 }, mempool: { transactions: 0, bytes: 0 } }
const expectUntouched = () => {
  expect(world.node.status()).toMatchObject(untouched)
  expect(world.complaints).toEqual([])
}

const refusalOf = async (init: RequestInit) => {
  const response = await world.ask(path, init)
  expect(response.status).toBeGreaterThanOrEqual(400)
  expect(response.status).toBeLessThan(500)
  return problemOf(response)
}
const expectRefused = async (body: unknown, code: string) => {
  const { code: given, problem } = await refusalOf(jsonInit(body))
  const sent = (typeof body === 'string' ? body : JSON.stringify(body)).slice(0, 700)
  expect([sent, given]).toEqual([sent, code])
  return problem
}

/** A copy with the member at a path (`operations.0.to`) replaced, or left out. */
const withMember = (at: string, value: unknown): unknown => {
  const copy = structuredClone(valid) as unknown as Record<string, unknown>
  const names = at.split('.')
  const last = names.pop()!
  let holder = copy
  for (const name of names) holder = holder[name] as Record<string, unknown>
  if (value === undefined) delete holder[last]
  else holder[last] = value
  return copy
}

const members = [
  'network',
  'from',
  'nonce',
  'validUntil',
  'fee',
  'memo',
  'operations',
  'operations.0',
  'operations.0.type',
  'operations.0.to',
  'operations.0.amount',
  'signatures',
  'signatures.0',
  'signatures.0.key',
  'signatures.0.signature',
] as const

/** The point (0, 1) in its one encoding: of order 1, so that it verifies what it likes. */
const smallOrderAddress = encodeAddress(new Uint8Array(32).fill(1, 0, 1))

describe('a transaction of the wrong form', () => {
  it('is refused whatever type a member has instead of its own', async () => {
    const anything = [
      null,
      true,
      false,
      -1,
      1.5,
      2 ** 53,
      1e300,
      '',
      'x',
      '\u0000',
      [],
      [[]],
      {},
      { length: 1 },
      [null],
      'x'.repeat(100_000),
    ]
    for (const member of members) {
      for (const value of anything) {
        const isFree = member === 'memo' && typeof value === 'string' && value.length < 256
        const problem = await expectRefused(
          withMember(member, value),
          isFree ? 'invalid-signature' : 'malformed-transaction',
        )
        if (!isFree)
          expect([member, value, String(problem.member).startsWith(member)]).toEqual([member, value, true])
      }
    }
    expectUntouched()
  })

  it('is refused when a member is missing', async () => {
    for (const member of members.filter((name) => name !== 'memo' && !/\.0$/.test(name))) {
      await expectRefused(withMember(member, undefined), 'malformed-transaction')
    }
    expectUntouched()
  })

  it('is refused with a member that nobody knows, at any level', async () => {
    for (const name of ['extra', 'Memo', 'constructor', 'toString', 'hasOwnProperty', '']) {
      for (const at of ['', 'operations.0.', 'signatures.0.']) {
        await expectRefused(withMember(`${at}${name}`, 1), 'malformed-transaction')
      }
    }
    for (const at of ['{', '"operations":[{', '"signatures":[{']) {
      for (const name of ['__proto__', '\\u005f_proto__']) {
        const text = JSON.stringify(valid)
        const mutant = text.replace(at, `${at}"${name}":{"admin":true},`)
        expect(mutant).not.toBe(text)
        await expectRefused(mutant, 'malformed-transaction')
      }
    }
    expect(({} as { admin?: unknown }).admin).toBeUndefined()
    expectUntouched()
  })

  it('is refused with values beside their range or encoding', async () => {
    const hex = 'ab'.repeat(32)
    const wrong: readonly (readonly [string, readonly unknown[]])[] = [
      [
        'network',
        [
          hex.slice(1),
          `${hex}0`,
          hex.toUpperCase(),
          `0x${hex.slice(2)}`,
          ` ${hex.slice(1)}`,
          'g'.repeat(64),
          '٠'.repeat(64),
        ],
      ],
      ['nonce', ['0', 2 ** 53, -1, 0.1, [0]]],
      ['validUntil', [String(inAnHour()), -1, 1e21, inAnHour() + 0.5]],
      [
        'fee',
        [
          1,
          '01',
          '-1',
          '+1',
          '1.0',
          '1e3',
          '',
          ' 1',
          '1 ',
          '0x1',
          '٣',
          '340282366920938463463374607431768211456',
          '9'.repeat(40),
          '9'.repeat(5_000),
        ],
      ],
      [
        'operations.0.amount',
        ['0', '00', '-5', '1.5', 5, 'NaN', 'Infinity', '340282366920938463463374607431768211456'],
      ],
      [
        'operations.0.to',
        [
          '',
          'taut1',
          rich.address.toUpperCase(),
          rich.address.slice(0, -1),
          `${rich.address}q`,
          rich.address.replace('taut', 'tauu'),
          smallOrderAddress,
          hex,
        ],
      ],
      ['from', [smallOrderAddress, `${rich.address} `]],
      ['operations.0.type', ['Transfer', 'stake', 'mint', '__proto__', 'toString']],
      ['signatures.0.signature', ['a'.repeat(127), 'a'.repeat(129), 'A'.repeat(128), 'g'.repeat(128)]],
      ['signatures.0.key', [smallOrderAddress, friend.address]],
      ['memo', ['x'.repeat(257), '€'.repeat(86), 7]],
      ['operations', [[], Array.from({ length: 17 }, () => transfer()), [transfer(), null], [[transfer()]]]],
      ['signatures', [[], [valid.signatures[0], valid.signatures[0]]]],
      [
        'operations.0',
        [
          { type: 'anchor', data: 'x'.repeat(4_097) },
          { type: 'anchor', data: '😀'.repeat(1_025) },
          { type: 'stake.bond', amount: '0' },
        ],
      ],
    ]
    for (const [member, values] of wrong) {
      for (const value of values) await expectRefused(withMember(member, value), 'malformed-transaction')
    }
    for (const memo of ['\\ud800', '\\udc00x', 'x\\ud83d']) {
      await expectRefused(JSON.stringify(valid).replace('"hello"', `"${memo}"`), 'malformed-transaction')
    }
    for (const nonce of ['1e400', '9007199254740993', '-1e-400x']) {
      const { code } = await refusalOf(
        jsonInit(JSON.stringify(valid).replace('"nonce":0', `"nonce":${nonce}`)),
      )
      expect([nonce, code]).toEqual([nonce, nonce.endsWith('x') ? 'malformed-json' : 'malformed-transaction'])
    }
    expectUntouched()
  })

  it('is refused when it isn’t an object at all', async () => {
    for (const body of [
      'null',
      'true',
      '0',
      '""',
      '[]',
      '{}',
      '[[]]',
      `[${JSON.stringify(valid)}]`,
      JSON.stringify(JSON.stringify(valid)),
    ]) {
      await expectRefused(body, 'malformed-transaction')
    }
    expectUntouched()
  })
})

describe('a body that is no JSON', () => {
  it('is refused, whatever is wrong with its bytes', async () => {
    const text = JSON.stringify(valid)
    const bytes = (...parts: readonly (string | readonly number[])[]) =>
      Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))))
    const bodies: readonly (string | Buffer)[] = [
      '',
      ' ',
      '{',
      text.slice(0, -1),
      `${text}}`,
      `${text}${text}`,
      text.replaceAll('"', "'"),
      text.replace('"nonce":0', '"nonce":00'),
      text.replace('"nonce":0', '"nonce":NaN'),
      text.replace('"nonce":0', '"nonce":0,'),
      text.replace('hello', 'hel\nlo'),
      text.replace('hello', '\\x41'),
      text.replace('hello', '\\u12'),
      `// comment\n${text}`,
      bytes([0xef, 0xbb, 0xbf], text),
      bytes([0xff, 0xfe], Buffer.from(text, 'utf16le').toString('latin1')),
      Buffer.from(text, 'utf16le'),
      bytes(text.slice(0, 100), [0xff], text.slice(100)),
      bytes(text.slice(0, 100), [0xc0, 0xaf], text.slice(100)),
      bytes(text.slice(0, 100), [0xed, 0xa0, 0x80], text.slice(100)),
      bytes([0]),
      bytes(text, [0]),
      '['.repeat(maxDepth + 1) + ']'.repeat(maxDepth + 1),
      '['.repeat(100_000),
      `{"a":`.repeat(50_000),
      `${'[{"a":'.repeat(20_000)}1`,
    ]
    for (const body of bodies) {
      const { code } = await refusalOf({ ...jsonInit(''), body: body as BodyInit })
      expect([body.toString().slice(0, 60), code]).toEqual([body.toString().slice(0, 60), 'malformed-json'])
    }
    expectUntouched()
  })

  it('or doesn’t say that it is, is 415', async () => {
    const body = JSON.stringify(valid)
    const types = [
      undefined,
      '',
      'text/plain',
      'text/plain;charset=UTF-8',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/jsonx',
      'application/xjson',
      'application/json; charset=utf-16',
      'application/json, text/plain',
      'application/merge-patch+json',
      '*/*',
      'x'.repeat(5_000),
    ]
    for (const type of types) {
      const headers = new Headers(type === undefined ? {} : { 'content-type': type })
      const { code } = await refusalOf({ method: 'POST', headers, body: new TextEncoder().encode(body) })
      expect([type, code]).toEqual([type, 'unsupported-media-type'])
    }
    for (const encoding of ['gzip', 'br', 'deflate, gzip']) {
      const headers = { 'content-type': 'application/json', 'content-encoding': encoding }
      expect((await refusalOf({ method: 'POST', headers, body })).code).toBe('unsupported-media-type')
    }
    expectUntouched()
  })

  it('may say it in the ways that are usual', async () => {
    for (const type of [
      'application/json; charset=utf-8',
      'application/json;charset="UTF-8"',
      'Application/JSON',
      'application/json; version=1',
    ]) {
      const response = await world.ask(path, {
        method: 'POST',
        headers: { 'content-type': type },
        body: '{}',
      })
      expect([type, (await problemOf(response)).code]).toEqual([type, 'malformed-transaction'])
    }
  })

  it('or is too long, is 413, whether it says so or not', async () => {
    const long = JSON.stringify(withMember('memo', 'x'.repeat(300_000)))
    expect(
      (
        await refusalOf({
          ...jsonInit(long),
          headers: { 'content-type': 'application/json', 'content-length': String(long.length) },
        })
      ).code,
    ).toBe('request-too-large')
    expect((await refusalOf(jsonInit(long))).code).toBe('request-too-large')
    expect(
      (
        await refusalOf({
          method: 'POST',
          headers: { 'content-type': 'application/x-ndjson', 'content-length': '9000000' },
          body: '',
        })
      ).code,
    ).toBe('request-too-large')
    expectUntouched()
  })
})

describe('a readable transaction that is false', () => {
  const refused = async (parts: Partial<Transaction>, code: string, signer = rich) =>
    expectRefused(await world.sign(parts as never, signer), code)

  it('is refused with what speaks against it', async () => {
    const now = Math.floor(Date.now() / 1_000)
    await refused({ network: '0'.repeat(64) as never }, 'wrong-network')
    await refused({ nonce: 1_000_000 }, 'nonce-too-far')
    await refused({ nonce: Number.MAX_SAFE_INTEGER }, 'nonce-too-far')
    await refused({ validUntil: now - 10 }, 'expired')
    await refused({ validUntil: 0 }, 'expired')
    await refused({ validUntil: now + 25 * 3_600 }, 'expires-too-late')
    await refused({ validUntil: Number.MAX_SAFE_INTEGER }, 'expires-too-late')
    await refused({ fee: '0' as Amount }, 'fee-too-low')
    await refused(
      { fee: '1' as Amount, operations: [{ type: 'anchor', data: 'x'.repeat(2_000) }] },
      'fee-too-low',
    )
    await refused({ fee: '9'.repeat(30) as Amount }, 'insufficient-funds')
    await refused({ fee: String(2n ** 128n - 1n) as Amount }, 'insufficient-funds')
    await refused({ operations: [transfer(friend.address, '9'.repeat(30))] }, 'insufficient-funds')
    await refused(
      { operations: Array.from({ length: 16 }, () => transfer(friend.address, String(2n ** 128n - 1n))) },
      'insufficient-funds',
    )
    await refused({}, 'insufficient-funds', keyOf(77))
    const many: Operation[] = Array.from({ length: 16 }, () => ({ type: 'anchor', data: 'x'.repeat(4_096) }))
    await refused({ operations: many }, 'transaction-too-large')
    expectUntouched()
  })

  it('is refused when its operations would fail', async () => {
    const wrong: readonly (readonly [Signer, Operation])[] = [
      [rich, { type: 'stake.bond', amount: '9'.repeat(20) as Amount }],
      [friend, { type: 'stake.bond', amount: '1' as Amount }],
      [rich, { type: 'stake.unbond', amount: '9'.repeat(20) as Amount }],
      [rich, { type: 'stake.unbond', amount: '1000000000' as Amount }], // nobody would vote any more
    ]
    for (const [signer, operation] of wrong) {
      const { code, problem } = await refusalOf(
        jsonInit(await world.sign({ operations: [operation] }, signer)),
      )
      expect([operation, problem.status]).toEqual([operation, 422])
      expect(['operation-fails', 'insufficient-funds']).toContain(code)
    }
    expectUntouched()
  })

  it('is refused with any other signature', async () => {
    const { signature } = valid.signatures[0]!
    const order = 2n ** 252n + 27742317777372353535851937790883648493n
    const little = (hex: string) => BigInt(`0x${hex.match(/../g)!.reverse().join('')}`)
    const hexOf = (value: bigint) => value.toString(16).padStart(64, '0').match(/../g)!.reverse().join('')
    const malleable = signature.slice(0, 64) + hexOf(little(signature.slice(64)) + order)
    const others = [
      '0'.repeat(128),
      'f'.repeat(128),
      `01${'0'.repeat(126)}`,
      malleable,
      signature.slice(64) + signature.slice(0, 64),
      (await world.sign({ memo: 'other' })).signatures[0]!.signature,
      ...[0, 63, 64, 127].map(
        (at) => signature.slice(0, at) + (signature[at] === '0' ? '1' : '0') + signature.slice(at + 1),
      ),
    ]
    for (const other of others) {
      await expectRefused(
        { ...valid, signatures: [{ key: rich.address, signature: other as Signature }] },
        'invalid-signature',
      )
    }
    for (const change of [
      { nonce: 1 },
      { fee: '2' },
      { memo: 'hallo' },
      { validUntil: valid.validUntil + 1 },
      { operations: [transfer(friend.address, '2')] },
    ]) {
      await expectRefused({ ...valid, ...change }, 'invalid-signature')
    }
    const { memo: _, ...withoutMemo } = valid
    await expectRefused(withoutMemo, 'invalid-signature')
    expectUntouched()
  })

  it('is refused with a nonce that is used', async () => {
    const own = await openWorld()
    await own.commit(await own.sign())
    const { code, problem } = await problemOf(
      await own.ask(path, jsonInit(await own.sign({ memo: 'another with nonce 0' }))),
    )
    expect([code, problem.status, problem.nonce]).toEqual(['nonce-used', 422, 1])
  })

  it('is refused when it replaces one without paying for it', async () => {
    const own = await openWorld()
    await own.ask(path, jsonInit(await own.sign({ nonce: 1, fee: '10' as Amount })))
    const { code } = await problemOf(
      await own.ask(path, jsonInit(await own.sign({ nonce: 1, fee: '10' as Amount, memo: 'x' }))),
    )
    expect(code).toBe('replacement-underpriced')
  })
})

/** What must hold of every answer to every input. */
const expectSober = async (response: Response, method = 'POST'): Promise<void> => {
  const { status } = response
  if (status >= 500) expect([status, response.headers.get('retry-after')]).toEqual([503, expect.any(String)])
  if (status >= 400 && method !== 'HEAD') await problemOf(response)
  else await response.body?.cancel()
}

describe('whatever is sent', () => {
  it('as a body is answered soberly', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 300 }),
        fc.constantFrom(jsonInit, ndjsonInit),
        async (bytes, init) => {
          await expectSober(await world.ask(path, { ...init(''), body: bytes as BodyInit }))
        },
      ),
      { numRuns: 500 },
    )
    expectUntouched()
  })

  it('as JSON is refused, unless it means the same transaction', async () => {
    const original = JSON.parse(JSON.stringify(valid)) as Json
    const edit = fc.record({
      at: fc.constantFrom(...members),
      value: fc.oneof(fc.jsonValue(), fc.constant(undefined)),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 3 }), async (edits) => {
        let mutant = original
        for (const { at, value } of edits)
          mutant = replaceMember(mutant, at.split('.'), value as Json | undefined)
        fc.pre(canonicalize(mutant) !== canonicalize(original))
        const text = JSON.stringify(mutant)
        const { code } = await refusalOf(jsonInit(text))
        expect([
          'malformed-transaction',
          'malformed-json',
          'invalid-signature',
          'wrong-network',
          'nonce-too-far',
          'expired',
          'expires-too-late',
          'fee-too-low',
          'insufficient-funds',
          'operation-fails',
        ]).toContain(code)
        await expectSober(await world.ask(path, ndjsonInit(`${text}\n${text}`)))
      }),
      { numRuns: 500 },
    )
    expectUntouched()
  })

  it('as a transaction with some bytes changed is refused', async () => {
    const bytes = new TextEncoder().encode(JSON.stringify(valid))
    const change = fc.record({
      at: fc.nat(bytes.length - 1),
      byte: fc.nat(255),
      kind: fc.constantFrom('set', 'insert', 'remove'),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
        const mutant = [...bytes]
        for (const { at, byte, kind } of changes)
          mutant.splice(at, kind === 'insert' ? 0 : 1, ...(kind === 'remove' ? [] : [byte]))
        fc.pre(!meansTheSame(mutant))
        await refusalOf({ ...jsonInit(''), body: new Uint8Array(mutant) })
      }),
      { numRuns: 1_000 },
    )
    expectUntouched()
  })

  it('as a path, parameter or header is answered soberly', async () => {
    const segment = fc.oneof(
      fc.constantFrom(
        'v1',
        'blocks',
        'accounts',
        'transactions',
        'wallet',
        '..',
        '',
        rich.address,
        '0'.repeat(64),
      ),
      fc.string({ unit: 'grapheme' }),
    )
    const name = fc.oneof(
      fc.constantFrom('from', 'limit', 'height', 'proof', 'wait', 'cursor', 'account', '__proto__'),
      fc.string(),
    )
    const method = fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'PROPFIND')
    await fc.assert(
      fc.asyncProperty(
        method,
        fc.array(segment, { maxLength: 5 }),
        fc.array(fc.tuple(name, fc.string({ unit: 'binary' })), { maxLength: 3 }),
        fc.boolean(),
        async (verb, segments, query, isRaw) => {
          const encode = isRaw ? (text: string) => text.replaceAll(/[?#]/g, '') : encodeURIComponent
          const parameters = query
            .map(
              ([key, value]) =>
                `${encodeURIComponent(key)}=${isRaw ? value.replaceAll('#', '') : encodeURIComponent(value.toWellFormed())}`,
            )
            .join('&')
          const headers = {
            'if-none-match': `"${segments.length}"`,
            'last-event-id': String(segments.length),
            authorization: `Bearer ${token}`,
            host: '127.0.0.1:8787',
          }
          const url = `/v1/${segments.map((part) => encode(part.toWellFormed())).join('/')}?${parameters}`
          await expectSober(await world.ask(url, { method: verb, headers }), verb)
        },
      ),
      { numRuns: 1_000 },
    )
    expectUntouched()
  })

  it('over a socket is answered soberly, and the node lives on', async () => {
    const { port, url, node, complaints } = served
    const host = `Host: 127.0.0.1:${port}\r\n`
    const line = fc.oneof(
      fc.constant('GET /v1/status HTTP/1.1'),
      fc.constant('POST /v1/transactions HTTP/1.1'),
      fc
        .tuple(fc.constantFrom('GET', 'POST', 'OPTIONS', 'TRACE', 'CONNECT', 'get'), fc.webPath())
        .map(([verb, target]) => `${verb} ${target || '/'} HTTP/1.1`),
      fc.string(),
    )
    const header = fc.oneof(
      fc.constantFrom(
        'Content-Type: application/json',
        'Content-Type: application/x-ndjson',
        'Content-Length: 3',
        'Transfer-Encoding: chunked',
        'Upgrade: websocket',
        'Upgrade: h2c',
        'Connection: Upgrade',
        'Expect: 100-continue',
        'Expect: miracles',
        'Range: bytes=0-',
        'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
        'Sec-WebSocket-Version: 13',
        'Host: [',
      ),
      fc.string(),
    )
    await fc.assert(
      fc.asyncProperty(
        line,
        fc.array(header, { maxLength: 6 }),
        fc.uint8Array({ maxLength: 100 }),
        async (first, headers, body) => {
          const client = openRaw(port)
          client.send(`${first}\r\n${host}${headers.map((one) => `${one}\r\n`).join('')}\r\n`)
          client.send(body)
          await new Promise((resolve) => setTimeout(resolve, 5))
          client.destroy()
          const received = await client.closed
          for (const [, status] of received.matchAll(/HTTP\/1\.1 (\d{3}) /g))
            expect([Number(status) < 500, received.slice(0, 500)]).toEqual([true, expect.anything()])
        },
      ),
      { numRuns: 200 },
    )
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
    expect(node.status()).toMatchObject(untouched)
    expect(complaints).toEqual([])
  })

  it('over a socket, when it ends in the middle of a body, leaves nothing behind', async () => {
    const { port, node, complaints } = served
    const body = JSON.stringify(await served.sign())
    for (const cut of [1, 10, body.length - 1]) {
      const client = openRaw(port)
      client.send(
        `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, cut)}`,
      )
      await new Promise((resolve) => setTimeout(resolve, 20))
      client.destroy()
      await client.closed
    }
    const short = openRaw(port) // more than it says is the beginning of another request, which is none
    short.send(
      `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\n${body}`,
    )
    const received = await short.closed
    expect(statusOf(received)).toBe(400)
    expect(node.status()).toMatchObject(untouched)
    expect(complaints).toEqual([])
  })
})

const replaceMember = (
  value: Json,
  [name, ...rest]: readonly string[],
  replacement: Json | undefined,
): Json => {
  if (name === undefined) return replacement ?? null
  if (value === null || typeof value !== 'object') return value
  const copy = (Array.isArray(value) ? [...value] : { ...value }) as Record<string, Json | undefined>
  copy[name] = rest.length === 0 ? replacement : replaceMember(copy[name] ?? null, rest, replacement)
  if (Array.isArray(copy)) return (copy as unknown as (Json | undefined)[]).map((item) => item ?? null)
  return copy as Json
}

const meansTheSame = (bytes: readonly number[]): boolean => {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(new Uint8Array(bytes))
    return canonicalize(JSON.parse(text) as Json) === canonicalize(valid as unknown as Json)
  } catch {
    return false
  }
}
