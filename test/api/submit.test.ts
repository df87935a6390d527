import { describe, expect, it } from 'vitest'
import { friend, jsonInit, openWorld, problemOf, transfer } from './world.ts'

describe('submitting a transaction', () => {
  it('is 202 at once, and 200 once it is final', async () => {
    const world = await openWorld()
    const transaction = await world.sign()
    const first = await world.ask('/v1/transactions', jsonInit(transaction))
    const { id, ...rest } = (await first.json()) as { id: string }
    expect([first.status, rest]).toEqual([202, { status: 'pending' }])
    await world.node.waitUntilFinal(id as never, 10_000)
    const again = await world.ask('/v1/transactions', jsonInit(transaction))
    expect([again.status, await again.json()]).toEqual([
      200,
      { id, status: 'committed', height: 1, index: 0 },
    ])
  })

  it('waits when asked to', async () => {
    const world = await openWorld()
    const response = await world.commit(await world.sign())
    expect([response.status, await response.json()]).toMatchObject([
      200,
      { status: 'committed', height: 1, index: 0 },
    ])
  })

  it('is 202 when it isn’t final in time', async () => {
    const world = await openWorld({ limits: { waitMs: 20 } })
    const response = await world.commit(await world.sign({ nonce: 1 })) // waits for the one before it
    expect([response.status, ((await response.json()) as { status: string }).status]).toEqual([
      202,
      'pending',
    ])
  })

  it('is 409 for who waits for one that another replaces', async () => {
    const world = await openWorld()
    const waiting = world.commit(await world.sign({ nonce: 1, fee: '10' as never }))
    const better = await world.ask(
      '/v1/transactions',
      jsonInit(await world.sign({ nonce: 1, fee: '20' as never })),
    )
    expect(better.status).toBe(202)
    const response = await waiting
    expect([response.status, (await problemOf(response)).code]).toEqual([409, 'transaction-dropped'])
  })

  it('takes any JSON spelling of the same value', async () => {
    const world = await openWorld()
    const transaction = await world.sign({ memo: 'für dich' })
    const { network, ...rest } = transaction
    const spelled = `\n {"\\u006eetwork" : "${network}", ${JSON.stringify(rest).slice(1).replace('für', 'f\\u00fcr').replace('"nonce":0', '"nonce":0.0e1')} \r\n`
    const ids = await Promise.all(
      [jsonInit(spelled), jsonInit(transaction)].map(
        async (init) => ((await (await world.ask('/v1/transactions', init)).json()) as { id: string }).id,
      ),
    )
    expect(ids[0]).toMatch(/^[0-9a-f]{64}$/)
    expect(ids[0]).toBe(ids[1])
  })

  it('answers who waits with what is known when the doors close', async () => {
    const closing = new AbortController()
    const world = await openWorld({ closing: closing.signal })
    const waiting = world.commit(await world.sign({ nonce: 1 }))
    setTimeout(() => closing.abort(), 20)
    expect((await waiting).status).toBe(202)
    const afterwards = await world.commit(await world.sign({ nonce: 2 }))
    expect(afterwards.status).toBe(202)
  })

  it('runs against the head plus the sender’s own pending ones', async () => {
    const world = await openWorld()
    await world.commit(await world.sign({ operations: [transfer(friend.address, '100')] }))
    const spend = (nonce: number, amount: string) =>
      world
        .sign({ nonce, operations: [transfer(undefined, amount)] })
        .then((transaction) => world.ask('/v1/transactions', jsonInit(transaction)))
    const all = BigInt(
      (
        (await (await world.ask(`/v1/accounts/${world.node.status().node.address}`)).json()) as {
          balance: string
        }
      ).balance,
    )
    expect((await spend(1, String(all - 1n))).status).toBe(202)
    expect((await problemOf(await spend(2, '1'))).code).toBe('insufficient-funds')
  })

  it('tells who comes to a node with too much to do when to come again', async () => {
    const world = await openWorld({ limits: { requests: 0 } })
    const response = await world.ask('/v1/status')
    expect(response.headers.get('retry-after')).toBe('1')
    expect((await problemOf(response)).code).toBe('too-many-requests')
  })
})
