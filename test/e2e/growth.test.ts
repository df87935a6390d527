/** A network with a long history: who joins by a snapshot, and who keeps only what is new. */
import { randomBytes } from 'node:crypto'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Operation } from '../../src/objects/operation.ts'
import { type Address, type Amount, height } from '../../src/units.ts'
import { addressOf } from '../faults/whole-node.ts'
import { eventually, type NodeProcess, startNode, tautline, temporaryFolder } from './node-process.ts'

const pay = (to: Address): Operation => ({ type: 'transfer', to, amount: '1' as Amount })
/** What doesn't get smaller by compression. */
const anchor = (): Operation => ({
  type: 'anchor',
  data: randomBytes(3_000).toString('base64').slice(0, 4_000),
})

const commitBlocks = async (
  { client }: NodeProcess,
  count: number,
  operations: () => Operation[],
): Promise<void> => {
  for (let at = 0; at < count; at++) await client.spend({ operations: operations() }, { wait: true })
}

const diskBytes = async (folder: string): Promise<number> => {
  let bytes = 0
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    // LevelDB removes files whenever it likes.
    if (entry.isFile())
      bytes += (await stat(join(entry.parentPath, entry.name)).catch(() => ({ size: 0 }))).size
  }
  return bytes
}

it('a newcomer begins with a recent state, serves and proves the same, and finds it again after a kill', async () => {
  const host = await startNode({ data: await temporaryFolder() })
  const alice = addressOf(31)
  await commitBlocks(host, 260, () => [pay(alice)])
  const { join: joinString } = await host.client.status()

  const data = await temporaryFolder()
  const newcomer = await startNode({ data, flags: ['--join', joinString, '--snapshot'] })
  const caughtUp = (): Promise<unknown> =>
    eventually(
      async () => ((await newcomer.client.status()).head.height === 260 ? true : undefined),
      'the newcomer does not catch up',
    )
  await caughtUp()
  expect(await newcomer.client.status()).toMatchObject({ oldest: 251 })
  expect(await newcomer.client.account(alice)).toEqual(await host.client.account(alice))
  await expect(newcomer.client.block(height(7))).rejects.toMatchObject({ code: 'pruned' })
  expect((await newcomer.client.history(alice)).transactions).toHaveLength(10)

  await newcomer.kill('SIGKILL')
  const again = await startNode({ data })
  expect(await again.client.status()).toMatchObject({ oldest: 251, head: { height: 260 } })
  const third = await startNode({
    data: await temporaryFolder(),
    flags: ['--join', `${again.url}#${host.banner.network}`, '--snapshot'],
  })
  expect(await third.client.account(alice)).toMatchObject({ height: expect.any(Number) })

  await again.kill('SIGTERM')
  expect(await tautline(['verify', '--data', data])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/blocks 251 to 260, all that are kept/),
  })
  const refused = await tautline(['backup', join(data, 'backup'), '--data', data])
  expect(refused.code).not.toBe(0)
  expect(refused.stderr).toContain('keeps no blocks below 251')
})

it('a node that keeps little gives the disk back while it runs, and a kill at any time leaves a ledger that verifies', async () => {
  const data = await temporaryFolder()
  const flags = ['--keep', '100']
  const four = () => [anchor(), anchor(), anchor(), anchor()]
  let node = await startNode({ data, flags })
  const address = node.banner.address as Address
  let written = 0
  for (let round = 0; round < 4; round++) {
    const committing = commitBlocks(node, 10_000, four).catch(() => undefined)
    // In the middle of whatever it is doing: committing, removing, or giving room back.
    const target = 600 * (round + 1)
    await eventually(
      async () => ((await node.client.status()).head.height >= target ? true : undefined),
      `it does not come to ${target} blocks`,
    )
    await node.kill('SIGKILL')
    await committing
    node = await startNode({ data, flags })
    written = (await node.client.status()).head.height * 16_000
  }
  const { head, oldest } = await eventually(async () => {
    const status = await node.client.status()
    return status.oldest > status.head.height - 760 ? status : undefined
  }, 'old blocks are not removed')
  expect(head.height - oldest).toBeGreaterThanOrEqual(99)
  await eventually(
    async () => ((await diskBytes(join(data, 'ledger'))) < written / 2 ? true : undefined),
    'the disk is not given back',
  )
  expect((await node.client.history(address)).transactions.length).toBeGreaterThan(0)
  await node.kill('SIGTERM')
  expect(await tautline(['verify', '--data', data])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/all that are kept/),
  })
})
