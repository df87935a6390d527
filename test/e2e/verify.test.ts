import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { expect, it } from 'vitest'
import type { Operation } from '../../src/objects/operation.ts'
import type { Address, Amount } from '../../src/units.ts'
import { addressOf } from '../faults/whole-node.ts'
import { startNode, tautline, temporaryFolder } from './node-process.ts'

type Ledger = ClassicLevel<string, Uint8Array>

/** Opens the ledger of a stopped node behind its back. */
const withLedger = async <Result>(
  data: string,
  steps: (ledger: Ledger) => Promise<Result>,
): Promise<Result> => {
  const ledger: Ledger = new ClassicLevel(join(data, 'ledger'), {
    keyEncoding: 'utf8',
    valueEncoding: 'view',
  })
  await ledger.open()
  try {
    return await steps(ledger)
  } finally {
    await ledger.close()
  }
}

/** The last key of each kind, and what a byte in the middle of its value turns it into. */
const oneOfEachKind = (data: string): Promise<readonly string[]> =>
  withLedger(data, async (ledger) => {
    const keys = (await ledger.keys().all()).filter((key) => !key.startsWith('head:'))
    return [...new Map(keys.map((key) => [key.split(':')[0]!, key])).values()]
  })

/** @returns how it was before */
const flipByte = (data: string, key: string): Promise<Uint8Array> =>
  withLedger(data, async (ledger) => {
    const value = new Uint8Array((await ledger.get(key))!)
    const flipped = new Uint8Array(value)
    flipped[Math.floor(value.length / 2)]! ^= 1
    await ledger.put(key, flipped)
    return value
  })

const put = (data: string, key: string, value: Uint8Array): Promise<void> =>
  withLedger(data, (ledger) => ledger.put(key, value))

const pay = (to: Address, amount: number): Operation => ({
  type: 'transfer',
  to,
  amount: String(amount) as Amount,
})

const usedFolder = async (): Promise<string> => {
  const data = await temporaryFolder()
  const node = await startNode({ data })
  for (let at = 1; at <= 3; at++) {
    await node.client.spend({ operations: [pay(addressOf(at), at)] }, { wait: true })
  }
  await node.client.spend(
    { operations: [{ type: 'stake.bond', amount: '5000000' as Amount }] },
    { wait: true },
  )
  await node.kill('SIGTERM')
  return data
}

it('a ledger in order verifies, while its node runs it can not be asked, and elsewhere there is none', async () => {
  const data = await usedFolder()
  const sound = await tautline(['verify', '--data', data])
  expect(sound).toMatchObject({ code: 0, stdout: expect.stringContaining('4 blocks') })
  const node = await startNode({ data })
  expect(await tautline(['verify', '--data', data])).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^tautline: .*in use.*\n$/),
  })
  await node.kill('SIGTERM')
  expect(await tautline(['verify', '--data', join(data, 'nowhere')])).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^tautline: there is no ledger.*\n$/),
  })
})

it('a byte that was changed in any kind of value is found, and the sentence says so', async () => {
  const data = await usedFolder()
  const kinds = await oneOfEachKind(data)
  expect(kinds.length).toBeGreaterThanOrEqual(8)
  const unseen: string[] = []
  for (const key of kinds) {
    const before = await flipByte(data, key)
    const { code, stderr } = await tautline(['verify', '--data', data])
    if (code !== 1 || !/^tautline: the ledger does not verify: .+\n$/.test(stderr))
      unseen.push(`${key}: ${code} ${stderr}`)
    await put(data, key, before)
  }
  expect(unseen).toEqual([])
  expect(await tautline(['verify', '--data', data])).toMatchObject({ code: 0 })
})
