import { describe, expect, it } from 'vitest'
import { verifyReveal } from '../../src/client/verify-reveal.ts'
import type { ConnectionView } from '../../src/connections/connections.ts'
import type { Reveal, Said } from '../../src/node/connections/service.ts'
import type { NetworkId } from '../../src/units.ts'
import { connect, startMember, startPair } from './connected-nodes.ts'
import { problemOf } from './world.ts'

const ofOne = (id: string, rest = ''): string => `/v1/connections/${id}${rest}`

describe('two nodes', () => {
  it('go from an invitation to messages both ways to the end', async () => {
    const { a, b, atA, atB } = await startPair()
    const [mine, theirs] = await Promise.all([
      a.call<ConnectionView>('GET', ofOne(atA)),
      b.call<ConnectionView>('GET', ofOne(atB)),
    ])
    expect(mine).toMatchObject({ state: 'active', role: 'inviter' })
    expect(theirs).toMatchObject({ state: 'active', role: 'acceptor', shortCode: mine.shortCode })

    await a.ask('POST', ofOne(atA, '/messages'), {
      body: 'good morning',
      headers: { 'content-type': 'text/plain' },
    })
    const { message } = await b.until('message')
    expect(message).toBe(1)
    expect(await b.heard(atB)).toMatchObject([{ position: 1, text: 'good morning' }])
    await b.call('POST', ofOne(atB, '/messages'), { answer: [42] })
    await a.until('message')
    expect(await a.heard(atA)).toMatchObject([{ position: 1, json: { answer: [42] } }])

    expect(await a.call('DELETE', ofOne(atA))).toMatchObject({ state: 'ending' })
    await b.until('ended')
    await a.until('ended')
    expect(await a.call('GET', ofOne(atA))).toMatchObject({ state: 'ended', endedBy: 'us' })
    expect(await b.call('GET', ofOne(atB))).toMatchObject({ state: 'ended', endedBy: 'them' })
    expect(await b.heard(atB)).toMatchObject([{ text: 'good morning' }])
    expect(a.keys.kept.get(atA)).toHaveLength(32)
    expect(b.keys.kept.get(atB)).toHaveLength(32)
    const refused = await problemOf(
      await b.ask('POST', ofOne(atB, '/messages'), {
        body: '1',
        headers: { 'content-type': 'application/json' },
      }),
    )
    expect(refused.code).toBe('connection-inactive')
    expect([...a.complaints, ...b.complaints]).toEqual([])
  })

  it('deliver many messages in their order', async () => {
    const { a, b, atA, atB } = await startPair()
    for (let at = 0; at < 40; at++) await a.call('POST', ofOne(atA, '/messages'), at)
    expect((await b.untilHeard(atB, 40)).map(({ json }) => json)).toEqual(
      Array.from({ length: 40 }, (_, at) => at),
    )
  })

  it('ping, and rotate at the same moment', async () => {
    const { a, b, atA, atB } = await startPair()
    const before = await a.call<ConnectionView>('GET', ofOne(atA))
    await a.call('POST', ofOne(atA, '/ping'))
    await a.until('ponged')
    await Promise.all([a.call('POST', ofOne(atA, '/rotate')), b.call('POST', ofOne(atB, '/rotate'))])
    await Promise.all([a.until('rotated'), b.until('rotated')])
    await b.call('POST', ofOne(atB, '/messages'), 'after')
    await a.until('message')
    const [mine, theirs] = await Promise.all([
      a.call<ConnectionView>('GET', ofOne(atA)),
      b.call<ConnectionView>('GET', ofOne(atB)),
    ])
    expect([mine.ours, mine.theirs]).toEqual([theirs.theirs, theirs.ours])
    expect(mine.ours).not.toBe(before.ours)
  })

  it('verify a private payload of 60 kB, each on its own ledger; and a third, what is revealed', async () => {
    const a = await startMember()
    const b = await startMember({ node: a.node })
    const { atA, atB } = await connect(a, b)
    const secret = 'a secret between two '.repeat(60_000 / 21).padEnd(60_000, '.')
    const said = (await (
      await a.ask('POST', ofOne(atA, '/messages?commit=true'), {
        body: secret,
        headers: { 'content-type': 'text/plain' },
      })
    ).json()) as Said
    await b.until('message')
    expect(await b.heard(atB)).toMatchObject([
      { payload: { standing: 'verified', c: said.c, transaction: said.transaction } },
    ])
    await a.until('message')
    expect(await a.heard(atA)).toMatchObject([
      { receipt: { c: said.c, transaction: said.transaction, jws: { signatures: [{}] } } },
    ])
    const revealed = await b.call<Reveal>('POST', `/v1/commitments/${said.c}/reveal`)
    expect(atob(revealed.base64)).toBe(secret)
    const { network } = a.node
    const verdict = await verifyReveal(JSON.stringify(revealed), { network })
    expect(verdict).toMatchObject({ ok: true, height: 1, proves: expect.stringContaining(said.transaction!) })
    for (const change of [
      { base64: btoa('another secret') },
      { salt: '0'.repeat(64) },
      { c: '0'.repeat(64) },
      { transaction: '0'.repeat(64) },
      { proof: revealed.proof.replace('"index":0', '"index":1') },
    ])
      expect(await verifyReveal(JSON.stringify({ ...revealed, ...change }), { network })).toMatchObject({
        ok: false,
      })
    const other = '1'.repeat(64) as NetworkId
    expect(await verifyReveal(JSON.stringify(revealed), { network: other })).toMatchObject({ ok: false })
    const block = await a.node.transaction(said.transaction!, { proof: false })
    expect(JSON.stringify(block)).not.toContain('secret')
  })

  it('hear nothing over a connection that is blocked, until it is not', async () => {
    const { a, b, atA, atB } = await startPair()
    expect(await b.call('PUT', ofOne(atB, '/block'))).toMatchObject({ blocked: true })
    await a.call('POST', ofOne(atA, '/messages'), 'unheard')
    while ((await a.call<ConnectionView>('GET', ofOne(atA))).trouble?.code !== 'blocked')
      await new Promise((resolve) => setImmediate(resolve))
    expect(await b.heard(atB)).toEqual([])
    await b.call('DELETE', ofOne(atB, '/block'))
    await b.until('message')
    expect(await b.heard(atB)).toMatchObject([{ json: 'unheard' }])
  })
})

it('a node ends at once, however long another takes to answer', async () => {
  let isAsked = (): void => undefined
  const asked = new Promise<void>((resolve) => {
    isAsked = resolve
  })
  const silent = await startMember({
    courier: () => ({
      deliver: () => {
        isAsked()
        return new Promise(() => undefined)
      },
    }),
  })
  const inviter = await startMember()
  const { url } = await inviter.call<{ url: string }>('POST', '/v1/connections/invitations', {})
  await silent.call('POST', '/v1/connections', { url })
  await asked
  await silent.connections.close()
})

describe('an export', () => {
  it('brings connections back elsewhere, under new keys', async () => {
    const { a, b, atA, atB } = await startPair()
    const passphrase = 'correct horse battery staple'
    const exported = await a.call<{ kind: string }>('POST', '/v1/connections/export', { passphrase })
    expect(await a.call('POST', '/v1/connections/import', { passphrase, export: exported })).toEqual({
      imported: [],
      skipped: [atA],
    })
    const before = await a.call<ConnectionView>('GET', ofOne(atA))
    const elsewhere = await startMember()
    const wrong = await elsewhere.ask('POST', '/v1/connections/import', {
      body: JSON.stringify({ passphrase: 'another one', export: exported }),
      headers: { 'content-type': 'application/json' },
    })
    expect((await problemOf(wrong)).code).toBe('export-refused')
    expect(await elsewhere.call('POST', '/v1/connections/import', { passphrase, export: exported })).toEqual({
      imported: [atA],
      skipped: [],
    })
    await b.until('rotated')
    await elsewhere.call('POST', ofOne(atA, '/messages'), 'from elsewhere')
    await b.until('message')
    expect(await b.heard(atB)).toMatchObject([{ json: 'from elsewhere' }])
    expect((await b.call<ConnectionView>('GET', ofOne(atB))).theirs).not.toBe(before.ours)
  })
})
