/** Nodes whose ledger lies on a real server: killed, locked out, and left without it for a while. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Operation } from '../../src/objects/operation.ts'
import type { Amount } from '../../src/units.ts'
import { addressOf } from '../faults/whole-node.ts'
import { type StorageServer, startPostgres, startRedis } from '../servers/storage-server.ts'
import { eventually, startNode, tautline, temporaryFolder } from './node-process.ts'

const alice = addressOf(41)
const pay: Operation = { type: 'transfer', to: alice, amount: '1' as Amount }

describe.each(Object.entries({ redis: startRedis, postgres: startPostgres }))('%s', (_, start) => {
  let server: StorageServer
  beforeAll(async () => {
    server = await start()
  }, 120_000)
  afterAll(() => server.close())

  it('a node is killed and goes on with what it has acknowledged; a second one beside it is refused', async () => {
    const data = await temporaryFolder()
    const flags = ['--storage', `${server.url}?ledger=killed`]
    const node = await startNode({ data, flags })
    for (let at = 0; at < 3; at++) await node.client.spend({ operations: [pay] }, { wait: true })

    const second = await tautline(['start', '--port', '0', '--data', await temporaryFolder(), ...flags])
    expect(second).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/is written to by another node, taut1/),
    })

    await node.kill('SIGKILL')
    const again = await startNode({ data, flags })
    expect(await again.client.account(alice)).toMatchObject({ balance: '3', height: 3 })
    await again.client.spend({ operations: [pay] }, { wait: true })
    await again.kill('SIGTERM')
    expect(await tautline(['verify', '--data', data, ...flags])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('4 blocks'),
    })
  })

  it('the server goes away for a while: nothing acknowledged is lost, and the node goes on by itself', async () => {
    const data = await temporaryFolder()
    const node = await startNode({ data, flags: ['--storage', `${server.url}?ledger=away`] })
    await node.client.spend({ operations: [pay] }, { wait: true })
    await server.kill()
    const { id } = await node.client.spend({ operations: [pay] })
    await eventually(
      async () => (/the storage at .* failed to/.test(node.stderr()) ? true : undefined),
      'the node doesn’t say what is wrong',
    )
    expect(await node.client.status()).toMatchObject({ head: { height: 1 }, mempool: { transactions: 1 } })
    await server.restart()
    await eventually(async () => {
      const transaction = await node.client.transaction(id).catch(() => undefined)
      return transaction?.status === 'committed' ? true : undefined
    }, 'the node doesn’t go on')
    expect(await node.client.account(alice)).toMatchObject({ balance: '2' })
  })
})
