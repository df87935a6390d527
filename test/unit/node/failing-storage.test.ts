import { expect, it, onTestFinished } from 'vitest'
import { TautlineError } from '../../../src/errors.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { createLedger, startNode, transfer } from '../../api/world.ts'

it('a storage that takes nothing for a while is complained about once, and again when it fails anew', async () => {
  const { chain, store } = await createLedger()
  const commit = store.commit.bind(store)
  let failure: string | undefined
  let failed = 0
  Object.assign(store, {
    commit: async (...parts: Parameters<typeof commit>) => {
      if (failure === undefined) return commit(...parts)
      failed++
      throw new TautlineError('storage-unavailable', failure)
    },
  })
  const complaints: string[] = []
  const log = { debug() {}, info() {}, warn() {}, error: (message: string) => void complaints.push(message) }
  const soon = {
    ...systemClock,
    schedule: (_: number, callback: () => void) => systemClock.schedule(1, callback),
  }
  const node = await startNode(log, { chain, store, clock: soon })
  onTestFinished(() => node.close())
  const spend = () => node.spend({ operations: [transfer()] })

  failure = 'the disk is full'
  await spend()
  await expect.poll(() => failed).toBeGreaterThan(5)
  failure = 'the disk is gone'
  const failedBefore = failed
  await expect.poll(() => failed).toBeGreaterThan(failedBefore + 5)
  failure = undefined
  await expect.poll(() => node.status().head.height).toBe(1)
  failure = 'the disk is gone'
  await spend()
  await expect.poll(() => complaints.length).toBeGreaterThan(2)
  failure = undefined
  await expect.poll(() => node.status().head.height).toBe(2)
  expect(complaints).toEqual(
    ['full', 'gone', 'gone'].map((how) => expect.stringContaining(`the disk is ${how}`)),
  )
})
