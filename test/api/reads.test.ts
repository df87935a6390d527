import { describe, expect, it } from 'vitest'
import { segmentSchema } from '../../routes/schemas.ts'
import { canonicalize } from '../../src/codec/json.ts'
import { refuseFinality } from '../../src/node/finality.ts'
import { type GenesisAnchor, networkIdOf } from '../../src/objects/genesis.ts'
import type { LightBlock, Origin } from '../../src/objects/light-block.ts'
import type { Operation } from '../../src/objects/operation.ts'
import { hashValidators } from '../../src/objects/validators.ts'
import { createNodeVerifier } from '../../src/runtime/node/keys.ts'
import { friend, jsonInit, openWorld, problemOf, rich, token, transfer, type World } from './world.ts'

const committed = async (world: World): Promise<{ id: string; height: number; index: number }> =>
  (await (await world.commit(await world.sign())).json()) as { id: string; height: number; index: number }

describe('status', () => {
  it('says where the node stands', async () => {
    const world = await openWorld()
    const { height } = await committed(world)
    const status = await (await world.ask('/v1/status')).json()
    expect(status).toMatchObject({
      version: '0.1.0',
      network: world.node.network,
      name: 'test',
      node: { address: rich.address },
      head: { height },
      validators: 1,
      peers: 0,
      mempool: { transactions: 0, bytes: 0 },
      syncing: false,
    })
  })
})

describe('headers', () => {
  it('without a block yet, the newest is the genesis', async () => {
    const { ask, node } = await openWorld()
    const latest = await ask('/v1/headers/latest')
    const { genesis } = (await latest.json()) as { genesis: GenesisAnchor }
    expect(networkIdOf(genesis)).toBe(node.network)
    expect(latest.headers.get('cache-control')).toBe('no-cache')
    const first = await ask('/v1/headers/0')
    expect(await first.json()).toEqual({ genesis })
    expect(first.headers.get('etag')).toBe(`"${node.network}"`)
    expect(first.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
  })

  it('come with who signed them, and never change', async () => {
    const world = await openWorld()
    const { height } = await committed(world)
    const { hash, block, certificate } = (await (await world.ask(`/v1/blocks/${height}`)).json()) as {
      hash: string
      block: { header: object }
      certificate: object
    }
    const answer = await world.ask(`/v1/headers/${height}`)
    const view = await answer.json()
    expect(view).toEqual({ header: block.header, certificate, validators: world.node.genesis.validators })
    expect(answer.headers.get('etag')).toBe(`"${hash}"`)
    expect(answer.headers.get('cache-control')).toContain('immutable')
    const again = await world.ask('/v1/headers/latest', { headers: { 'if-none-match': `"${hash}"` } })
    expect([again.status, again.headers.get('cache-control')]).toEqual([304, 'no-cache'])
  })

  it('where the validators change, name the next ones, and lie on the way that leads from the network id', async () => {
    const world = await openWorld()
    const bond = { type: 'stake.bond', amount: '5000000' } as Operation
    await world.commit(await world.sign({ operations: [bond] }))
    await world.commit(await world.sign({ nonce: 1 }))
    const { network } = world.node
    const change = (await (await world.ask('/v1/headers/1')).json()) as LightBlock
    expect(hashValidators(change.nextValidators!)).toBe(change.header.nextValidatorsHash)
    expect(change.header.validatorsHash).not.toBe(change.header.nextValidatorsHash)
    const later = (await (await world.ask('/v1/headers/2?proof=true')).json()) as LightBlock & {
      origin: Origin
    }
    expect(later.validators).toEqual(change.nextValidators)
    expect(later.origin.hops).toMatchObject([{ header: change.header }])
    const verifier = await createNodeVerifier({ debug() {}, info() {}, warn() {}, error() {} })
    const { header, certificate, origin } = later
    expect(await refuseFinality(verifier, { ...origin, header, certificate }, network)).toBeUndefined()
  })

  it('that are not there are 404, and at no height 400', async () => {
    const world = await openWorld()
    for (const at of ['1', '999999999999999'])
      expect((await problemOf(await world.ask(`/v1/headers/${at}`))).code).toBe('not-found')
    for (const path of ['-1', '1.5', 'LATEST', 'ab'.repeat(32), '1?proof=yes'])
      expect((await problemOf(await world.ask(`/v1/headers/${path}`))).code).toBe('malformed-request')
  })
})

describe('blocks', () => {
  it('by height and by hash are the same, immutable, and tagged with the hash', async () => {
    const world = await openWorld()
    const { height, id } = await committed(world)
    const byHeight = await world.ask(`/v1/blocks/${height}`)
    const body = (await byHeight.json()) as {
      hash: string
      block: { header: { height: number }; transactions: unknown[] }
      certificate: object
    }
    expect(body.block.header.height).toBe(height)
    expect(body.block.transactions).toHaveLength(1)
    expect(body.certificate).toMatchObject({ height, block: body.hash })
    expect(byHeight.headers.get('etag')).toBe(`"${body.hash}"`)
    expect(byHeight.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    const byHash = await world.ask(`/v1/blocks/${body.hash}`)
    expect(await byHash.json()).toEqual(body)
    expect(byHash.headers.get('cache-control')).toContain('immutable')
    expect(id).toMatch(/^[0-9a-f]{64}$/)
  })

  it('by `latest` are asked for again each time', async () => {
    const world = await openWorld()
    await committed(world)
    const latest = await world.ask('/v1/blocks/latest')
    expect(latest.headers.get('cache-control')).toBe('no-cache')
    const tag = latest.headers.get('etag')!
    for (const known of [tag, `W/${tag}`, `"other", ${tag}`, '*']) {
      const again = await world.ask('/v1/blocks/latest', { headers: { 'if-none-match': known } })
      expect([known, again.status, await again.text()]).toEqual([known, 304, ''])
      expect(again.headers.get('etag')).toBe(tag)
    }
    expect((await world.ask('/v1/blocks/latest', { headers: { 'if-none-match': '"other"' } })).status).toBe(
      200,
    )
  })

  it('that are not there are 404, and say where to look', async () => {
    const world = await openWorld()
    for (const at of ['latest', '0', '1', '999999999999999', 'ab'.repeat(32), '0'.repeat(64)]) {
      const response = await world.ask(`/v1/blocks/${at}`)
      expect(response.headers.get('cache-control')).toBe('no-store')
      expect([at, (await problemOf(response)).code]).toEqual([at, 'not-found'])
    }
  })

  it('at no place are 400', async () => {
    const world = await openWorld()
    for (const at of [
      '-1',
      '1.5',
      '1e3',
      'LATEST',
      'AB'.repeat(32),
      '0x10',
      ' 1',
      '1'.repeat(16),
      '%00',
      '%ff',
      '🦊',
    ]) {
      const { code, problem } = await problemOf(await world.ask(`/v1/blocks/${at}`))
      expect([at, code, problem.parameter]).toEqual([at, 'malformed-request', 'at'])
    }
  })

  it('come as a segment that links up to the certificate of its last', async () => {
    const world = await openWorld()
    await committed(world)
    for (const nonce of [1, 2]) await world.commit(await world.sign({ nonce }))
    const head = world.node.status().head.height
    const { blocks, certificate } = (await (await world.ask('/v1/blocks?from=1&limit=2')).json()) as {
      blocks: { header: { height: number } }[]
      certificate: { height: number }
    }
    expect(blocks.map(({ header }) => header.height)).toEqual([1, 2])
    expect(certificate.height).toBe(2)
    expect(await (await world.ask(`/v1/blocks?from=${head + 1}`)).json()).toEqual({ blocks: [] })
  })

  it('come with the certificate of each for those that keep them', async () => {
    const world = await openWorld()
    await committed(world)
    const segment = segmentSchema.parse(
      await (await world.ask('/v1/blocks?from=1&limit=2&certificates=true')).json(),
    )
    expect(segment.certificates?.map(({ block }) => block)).toEqual([world.node.status().head.hash])
    expect(segment.certificate).toEqual(segment.certificates?.at(-1))
    const refused = await problemOf(await world.ask('/v1/blocks?certificates=yes'))
    expect([refused.code, refused.problem.parameter]).toEqual(['malformed-request', 'certificates'])
  })
})

describe('the genesis', () => {
  it('never changes, and is tagged with the network', async () => {
    const world = await openWorld()
    const response = await world.ask('/v1/genesis')
    expect(response.headers.get('etag')).toBe(`"${world.node.network}"`)
    expect(response.headers.get('cache-control')).toContain('immutable')
    expect(await response.json()).toEqual(world.node.genesis)
  })
})

describe('accounts and transactions', () => {
  it('of one never seen are zeros', async () => {
    const world = await openWorld()
    expect(await (await world.ask(`/v1/accounts/${friend.address}`)).json()).toEqual({
      address: friend.address,
      balance: '0',
      nonce: 0,
      stake: '0',
      unbonding: [],
      height: 0,
    })
  })

  it('with a proof come in canonical bytes, without a line feed', async () => {
    const world = await openWorld()
    const { id } = await committed(world)
    for (const path of [`/v1/transactions/${id}`, `/v1/accounts/${rich.address}`]) {
      const text = await (await world.ask(`${path}?proof=true`)).text()
      const value = JSON.parse(text)
      expect(value.proof).toBeDefined()
      expect(text).toBe(canonicalize(value))
    }
    expect(await (await world.ask(`/v1/transactions/${id}?proof=false`)).json()).not.toHaveProperty('proof')
  })

  it('with a typing error in the address are 400, and say so', async () => {
    const world = await openWorld()
    const typo = `${friend.address.slice(0, -1)}${friend.address.endsWith('q') ? 'p' : 'q'}`
    for (const address of [typo, friend.address.toUpperCase(), 'taut1', 'a'.repeat(63)]) {
      for (const path of ['', '/transactions']) {
        const { code, problem } = await problemOf(await world.ask(`/v1/accounts/${address}${path}`))
        expect([code, problem.parameter]).toEqual(['malformed-request', 'address'])
        expect(problem.detail).toContain('typing errors')
      }
    }
  })

  it('have a history, newest first, in pages', async () => {
    const world = await openWorld()
    for (const nonce of [0, 1, 2, 3, 4]) await world.commit(await world.sign({ nonce }))
    const nonces: number[] = []
    let cursor: string | undefined
    do {
      const page = (await (
        await world.ask(
          `/v1/accounts/${rich.address}/transactions?limit=2${cursor === undefined ? '' : `&cursor=${cursor}`}`,
        )
      ).json()) as { transactions: { transaction: { nonce: number } }[]; cursor?: string }
      nonces.push(...page.transactions.map(({ transaction }) => transaction.nonce))
      cursor = page.cursor
    } while (cursor !== undefined)
    expect(nonces).toEqual([4, 3, 2, 1, 0])
  })

  it('that the node doesn’t know are 404', async () => {
    const world = await openWorld()
    expect((await problemOf(await world.ask(`/v1/transactions/${'0'.repeat(64)}`))).code).toBe('not-found')
  })

  it('that are pending say so', async () => {
    const world = await openWorld()
    const later = await world.sign({ nonce: 1 }) // waits for the one before it
    const { id } = (await (await world.ask('/v1/transactions', jsonInit(later))).json()) as { id: string }
    expect(await (await world.ask(`/v1/transactions/${id}`)).json()).toEqual({
      id,
      status: 'pending',
      transaction: later,
    })
  })
})

describe('validators', () => {
  it('are those of the next block, or of the one asked for', async () => {
    const world = await openWorld()
    const { height } = await committed(world)
    const expected = {
      totalStake: '1000000000',
      validators: [{ address: rich.address, stake: '1000000000' }],
    }
    expect(await (await world.ask('/v1/validators')).json()).toEqual({ height: height + 1, ...expected })
    expect(await (await world.ask('/v1/validators?height=1')).json()).toEqual({ height: 1, ...expected })
    expect((await problemOf(await world.ask('/v1/validators?height=99'))).code).toBe('not-found')
  })
})

describe('parameters', () => {
  it('out of their bounds are 400, and named', async () => {
    const world = await openWorld()
    const { id } = await committed(world)
    const wrong: readonly (readonly [string, string])[] = [
      ...['0', '-1', '1001', '1.5', 'x', '', '1e2', '0x10', '%201', '9'.repeat(400)].map(
        (limit) => [`/v1/blocks?limit=${limit}`, 'limit'] as const,
      ),
      ...['0', '-1', '', 'latest', '9'.repeat(16)].map(
        (from) => [`/v1/blocks?from=${from}`, 'from'] as const,
      ),
      ...['0', '101', 'x'].map(
        (limit) => [`/v1/accounts/${rich.address}/transactions?limit=${limit}`, 'limit'] as const,
      ),
      ...['x', '-1', '999', '%00', 'a'.repeat(101)].map(
        (cursor) => [`/v1/accounts/${rich.address}/transactions?cursor=${cursor}`, 'cursor'] as const,
      ),
      ...['-1', 'x', ''].map((height) => [`/v1/validators?height=${height}`, 'height'] as const),
      ...['yes', '1', ''].map((proof) => [`/v1/transactions/${id}?proof=${proof}`, 'proof'] as const),
      ['/v1/blocks?limit=1&limit=2', 'limit'],
      [`/v1/transactions/${id.toUpperCase()}`, 'id'],
      ['/v1/events?from=x', 'from'],
      ['/v1/events?from=1.', 'from'],
      ['/v1/events?account=taut1', 'account'],
    ]
    for (const [path, parameter] of wrong) {
      const { code, problem } = await problemOf(await world.ask(path))
      expect([path, code, problem.parameter]).toEqual([path, 'malformed-request', parameter])
    }
  })

  it('that nobody knows are ignored', async () => {
    const world = await openWorld()
    expect((await world.ask('/v1/status?__proto__=1&constructor[prototype]=2&x')).status).toBe(200)
    expect((await world.ask('/v1/blocks?limit=1&__proto__=7&toString=x')).status).toBe(200)
  })
})

describe('paths and methods', () => {
  it('that there are not are 404 and 405, with what is allowed', async () => {
    const world = await openWorld()
    for (const path of [
      '/',
      '/v1',
      '/v1/',
      '/v1/status/',
      '/v2/status',
      '/v1/blocks/1/2',
      '/v1/wallet/other',
      '/docs/../x',
      '//',
      '/%',
    ]) {
      const response = await world.ask(path, path.startsWith('/v1/wallet') ? operatorInit : {})
      expect([path, (await problemOf(response)).code]).toEqual([path, 'not-found'])
    }
    for (const [method, path, allow] of [
      ['POST', '/v1/status', 'GET, HEAD'],
      ['DELETE', '/v1/blocks/1', 'GET, HEAD'],
      ['PUT', '/v1/transactions', 'POST'],
      ['GET', '/v1/transactions', 'POST'],
      ['PATCH', `/v1/accounts/${rich.address}`, 'GET, HEAD'],
      ['PROPFIND', '/healthz', 'GET, HEAD'],
    ] as const) {
      const response = await world.ask(path, { method })
      expect([method, path, response.headers.get('allow')]).toEqual([method, path, allow])
      expect((await problemOf(response)).code).toBe('method-not-allowed')
    }
  })

  it('of HEAD are those of GET without a body', async () => {
    const world = await openWorld()
    const [head, get] = [await world.ask('/v1/genesis', { method: 'HEAD' }), await world.ask('/v1/genesis')]
    expect([head.status, await head.text()]).toEqual([200, ''])
    expect(head.headers.get('etag')).toBe(get.headers.get('etag'))
  })
})

const operatorInit = { headers: { host: '127.0.0.1:8787', authorization: `Bearer ${token}` } }

describe('other origins', () => {
  it('may read everything that is public, and submit', async () => {
    const world = await openWorld()
    const origin = { origin: 'https://elsewhere.example' }
    for (const path of ['/v1/status', '/v1/nowhere', '/v1/blocks?limit=x', '/v1/blocks/latest']) {
      expect([
        path,
        (await world.ask(path, { headers: origin })).headers.get('access-control-allow-origin'),
      ]).toEqual([path, '*'])
    }
    const submitted = await world.ask('/v1/transactions', {
      ...jsonInit(await world.sign()),
      headers: { ...origin, 'content-type': 'application/json' },
    })
    expect([submitted.status, submitted.headers.get('access-control-allow-origin')]).toEqual([202, '*'])
    const preflight = await world.ask('/v1/transactions', {
      method: 'OPTIONS',
      headers: {
        ...origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type',
      },
    })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-methods')).toContain('POST')
    expect(preflight.headers.get('access-control-allow-headers')).toBe('content-type')
  })
})

describe('health, metrics, description, docs', () => {
  it('answer', async () => {
    const world = await openWorld()
    await world.commit(await world.sign({ operations: [transfer()] }))
    expect(await (await world.ask('/healthz')).json()).toEqual({ status: 'ok' })
    const metrics = await (await world.ask('/metrics')).text()
    expect(metrics).toMatch(/^tautline_transactions_committed_total 1$/m)
    expect(metrics).toMatch(/^# TYPE tautline_transactions_committed_total counter$/m)
    expect(metrics).toMatch(/^tautline_head_height 1$/m)
    expect(metrics).toMatch(/^tautline_peer_messages_sent_total\{kind="vote"\} 0$/m)
    expect(metrics).toMatch(/^# TYPE tautline_peer_bytes_sent_total counter$/m)
    expect(await (await world.ask('/metrics')).text()).toMatch(/^tautline_transactions_committed_total 1$/m)
    expect((await world.ask('/openapi.yaml')).headers.get('content-type')).toBe('application/yaml')
    const docs = await world.ask('/docs')
    expect(docs.headers.get('content-security-policy')).toContain("default-src 'none'")
    const html = await docs.text()
    const wanted = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => url!)
    expect(wanted.filter((url) => !url.startsWith('/') && url !== 'data:,')).toEqual([])
    expect(wanted).toContain('/docs/start.js')
    expect(await (await world.ask('/docs/start.js')).text()).toContain("url: '/openapi.yaml'")
    expect((await world.ask('/docs/swagger-ui.css')).headers.get('content-type')).toContain('text/css')
    for (const path of ['/docs/swagger-ui-bundle.js', '/peer', '/peer/worker.js'])
      expect((await problemOf(await world.ask(path))).problem.detail, path).toContain('npm run build')
  })
})
