/**
 * A node on real files, killed at random moments: under load, while it starts, recovers or closes.
 *
 * `TAUTLINE_SEED=<seed>` draws the same senders, loads and delays again; what the machine does within a delay
 * is its own.
 */
import { afterEach, expect, it } from 'vitest'
import type { Client } from '../../src/client/client.ts'
import { initialBalance, initialStake } from '../../src/node/found-network.ts'
import type { Amount } from '../../src/units.ts'
import { readEvents } from '../e2e/event-reader.ts'
import {
  type NodeProcess,
  pause,
  spawnNode,
  startNode,
  tautline,
  temporaryFolder,
} from '../e2e/node-process.ts'
import { type Random, seededRandom } from './random.ts'
import { createSender, type World } from './sender.ts'
import { Witness } from './witness.ts'

const killsUnderLoad = 60
const killsWhileStarting = 20
/** Of these many lives one is asked to end, and killed while it does. */
const closingEvery = 10
const longestLoadMs = 1_000
const longestCloseMs = 60

/** Singly and in batches, as different as their blocks are. */
const senders = [1, 1, 1, 1, 1, 1, 1, 1, 5, 5, 20, 20, 100].map((perRequest, at) =>
  createSender(at + 1, perRequest),
)
const share = '1000000' as Amount

const seed = Number(process.env.TAUTLINE_SEED ?? Math.floor(Math.random() * 2 ** 32))
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(`to draw the same again: TAUTLINE_SEED=${seed}`)
})

const fund = async (client: Client): Promise<void> => {
  const operations = senders.map(({ address }) => ({ type: 'transfer' as const, to: address, amount: share }))
  await client.spend({ operations }, { wait: true })
}

interface Load {
  /** Rejects as soon as the node has done anything wrong. */
  readonly over: Promise<unknown>
}

/** Whoever reads the events is told of commits too. */
const startLoad = ({ client, url }: NodeProcess, world: World, events: EventLog): Load => ({
  over: Promise.all([
    events.follow(url, world),
    ...senders.map((sender) => sender.submitUntilGone(client, world)),
  ]),
})

/** One reader over all lives: it resumes after the last event it has seen. */
class EventLog {
  #last = '0'

  async follow(url: string, { onFinal }: World): Promise<void> {
    for await (const { id, type, data } of readEvents(url, this.#last)) {
      if (place(id) <= place(this.#last)) throw new Error(`event ${id} came after ${this.#last}`)
      this.#last = id
      if (type === 'transaction') onFinal(data)
    }
  }
}

/** Events in the order of the ledger: a block before its transactions. */
const place = (id: string): number => {
  const [height, index] = id.split('.')
  return Number(height) * 10_000 + (index === undefined ? 0 : Number(index) + 1)
}

const killWhileStarting = async (data: string, startMs: number, random: Random): Promise<void> => {
  const starting = spawnNode({ data })
  await pause(random() * startMs)
  await starting.kill('SIGKILL')
}

const killUnderLoad = async (node: NodeProcess, load: Load, random: Random, life: number): Promise<void> => {
  await Promise.race([pause(random() ** 2 * longestLoadMs), load.over])
  if (life % closingEvery === 0) {
    void node.kill('SIGTERM')
    await pause(random() * longestCloseMs)
  }
  await node.kill('SIGKILL')
  await load.over
}

it(`a node killed ${killsUnderLoad} times under load and ${killsWhileStarting} times while it starts`, async () => {
  const random = seededRandom(seed)
  const data = await temporaryFolder()
  const first = await startNode({ data })
  const { network, node } = await first.client.status()
  const addresses = senders.map(({ address }) => address)
  const witness = new Witness([node.address, ...addresses], initialBalance + initialStake, network)
  const world: World = { network, random, addresses, onFinal: witness.tell }
  const events = new EventLog()
  await fund(first.client)
  await first.kill('SIGKILL')

  let startsToKill = killsWhileStarting
  for (let life = 1; life <= killsUnderLoad; life++) {
    const startedMs = performance.now()
    const node = await startNode({ data })
    const startMs = performance.now() - startedMs
    await witness.check(node.client, random)
    await killUnderLoad(node, startLoad(node, world, events), random, life)
    const left = killsUnderLoad - life
    while (startsToKill > 0 && random() < startsToKill / (left + 1)) {
      await killWhileStarting(data, startMs, random)
      startsToKill--
    }
  }

  const last = await startNode({ data })
  await witness.check(last.client, random)
  await last.kill('SIGTERM')
  expect(startsToKill).toBe(0)
  expect(witness.told).toBeGreaterThan(killsUnderLoad * senders.length)
  expect(await tautline(['verify', '--data', data])).toMatchObject({ code: 0 })
})
