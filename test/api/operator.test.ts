import { describe, expect, it } from 'vitest'
import { friend, hostUrl, jsonInit, openWorld, problemOf, token, transfer, type World } from './world.ts'

const path = '/v1/wallet/transactions'
const credentials = {
  host: '127.0.0.1:8787',
  authorization: `Bearer ${token}`,
  'content-type': 'application/json',
}

const spend = (
  world: World,
  body: unknown = { operations: [transfer()] },
  headers: Readonly<Record<string, string>> = credentials,
  wait = '',
) => world.ask(`${path}${wait}`, { ...jsonInit(body), headers })

describe('the wallet', () => {
  it('spends for its operator', async () => {
    const world = await openWorld()
    const response = await spend(
      world,
      { operations: [transfer(friend.address, '42')], memo: 'for lunch' },
      credentials,
      '?wait=committed',
    )
    expect([response.status, await response.json()]).toMatchObject([200, { status: 'committed', height: 1 }])
    expect(await (await world.ask(`/v1/accounts/${friend.address}`)).json()).toMatchObject({ balance: '42' })
  })

  it('gives calls at the same time nonces of their own', async () => {
    const world = await openWorld()
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => spend(world, undefined, credentials, '?wait=committed')),
    )
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200))
    expect(await (await world.ask(`/v1/accounts/${friend.address}`)).json()).toMatchObject({ balance: '20' })
  })

  it('opens to the page that this node itself serves', async () => {
    const world = await openWorld()
    expect((await spend(world, undefined, { ...credentials, origin: hostUrl })).status).toBe(202)
  })

  it.each(['bearer', 'BEARER', 'Bearer  '])('opens to the scheme %s (RFC 9110 §11.1)', async (scheme) => {
    const world = await openWorld()
    const authorization = `${scheme} ${token}`
    expect((await spend(world, undefined, { ...credentials, authorization })).status).toBe(202)
  })

  it('refuses strangers, foreign pages and rebound names, and does nothing for them', async () => {
    const world = await openWorld()
    const { host: _host, ...withoutHost } = credentials
    const { authorization: _authorization, ...withoutToken } = credentials
    const { 'content-type': _type, ...withoutType } = credentials
    const refused: readonly (readonly [string, number, Record<string, string>])[] = [
      ['unauthorized', 401, withoutToken],
      ['unauthorized', 401, { ...credentials, authorization: 'Bearer wrong' }],
      ['unauthorized', 401, { ...credentials, authorization: `Bearer ${token} x` }],
      ['unauthorized', 401, { ...credentials, authorization: token }],
      ['unauthorized', 401, { ...credentials, authorization: `Basic ${btoa(token)}` }],
      ['forbidden-origin', 403, withoutHost],
      ['forbidden-origin', 403, { ...credentials, host: 'rebound.example:8787' }],
      ['forbidden-origin', 403, { ...credentials, host: '127.0.0.1' }],
      ['forbidden-origin', 403, { ...credentials, origin: 'https://evil.example' }],
      ['forbidden-origin', 403, { ...credentials, origin: 'null' }],
      ['forbidden-origin', 403, { ...credentials, origin: 'https://127.0.0.1:8787' }],
      ['unsupported-media-type', 415, { ...credentials, 'content-type': 'text/plain' }],
      [
        'unsupported-media-type',
        415,
        { ...credentials, 'content-type': 'application/x-www-form-urlencoded' },
      ],
      ['unsupported-media-type', 415, { ...withoutType, 'content-type': 'application/x-ndjson' }],
    ]
    for (const [code, status, headers] of refused) {
      const response = await spend(world, undefined, headers)
      expect([headers, response.status, response.headers.get('access-control-allow-origin')]).toEqual([
        headers,
        status,
        null,
      ])
      expect((await problemOf(response)).code).toBe(code)
    }
    expect((await spend(world, undefined, withoutToken)).headers.get('www-authenticate')).toMatch(/^Bearer/)
    expect(world.node.status()).toMatchObject({ head: { height: 0 }, mempool: { transactions: 0 } })
  })

  it('answers no preflight', async () => {
    const world = await openWorld()
    const preflight = await world.ask(path, {
      method: 'OPTIONS',
      headers: {
        host: '127.0.0.1:8787',
        origin: 'https://evil.example',
        'access-control-request-method': 'POST',
      },
    })
    expect(preflight.ok).toBe(false)
    expect([...preflight.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
  })

  it('refuses what it can’t read or can’t do', async () => {
    const world = await openWorld()
    const bodies: readonly (readonly [string, unknown])[] = [
      ['malformed-json', '{'],
      ['malformed-json', ''],
      ['malformed-request', []],
      ['malformed-request', 'null'],
      ['malformed-request', {}],
      ['malformed-request', { operations: [] }],
      ['malformed-request', { operations: Array.from({ length: 17 }, () => transfer()) }],
      ['malformed-request', { operations: [transfer()], memo: 7 }],
      ['malformed-request', { operations: [transfer()], memo: 'x'.repeat(257) }],
      ['malformed-request', { operations: [transfer()], fee: '1' }],
      ['malformed-request', '{"operations":[{"type":"transfer","to":"taut1","amount":"1"}]}'],
      ['malformed-request', `{"__proto__":{},"operations":[${JSON.stringify(transfer())}]}`],
      ['insufficient-funds', { operations: [transfer(friend.address, String(10n ** 30n))] }],
    ]
    for (const [code, body] of bodies) {
      expect([body, (await problemOf(await spend(world, body))).code]).toEqual([body, code])
    }
    expect(
      (await problemOf(await spend(world, undefined, credentials, '?wait=forever'))).problem.parameter,
    ).toBe('wait')
    expect(world.node.status()).toMatchObject({ head: { height: 0 }, mempool: { transactions: 0 } })
  })
})
