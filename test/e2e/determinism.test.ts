import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Client } from '../../src/client/client.ts'
import type { Json } from '../../src/codec/json.ts'
import { chainSink } from '../../src/node/block-sink.ts'
import { Chain } from '../../src/node/chain.ts'
import { replayAll, type UncheckedBlock } from '../../src/node/replay.ts'
import type { Operation } from '../../src/objects/operation.ts'
import { createNodeVerifier } from '../../src/runtime/node/keys.ts'
import { openStore } from '../../src/storage/open-store.ts'
import { type Address, type Amount, type Height, height } from '../../src/units.ts'
import { addressOf, silentLog } from '../faults/whole-node.ts'
import { startNode, tautline, temporaryFolder } from './node-process.ts'

const units = (amount: number): Amount => String(amount) as Amount
const pay = (to: Address, amount: number): Operation => ({ type: 'transfer', to, amount: units(amount) })

/** Something of everything; what stands together is submitted at the same time. */
const rounds: readonly (readonly (readonly Operation[])[])[] = [
  Array.from({ length: 60 }, (_, at) => [pay(addressOf(at + 10), 100 + at)]),
  [
    [{ type: 'anchor', data: 'Ĉiuj estas ĝustaj. 全部正确 🜂' }],
    [{ type: 'stake.bond', amount: units(9_000_000) }],
  ],
  [[{ type: 'stake.unbond', amount: units(4_000_000) }, pay(addressOf(200), 7)]],
  Array.from({ length: 60 }, (_, at) => [
    pay(addressOf(at + 40), 5),
    { type: 'anchor', data: `receipt ${at}` },
  ]),
  [[{ type: 'stake.unbond', amount: units(1_000_000) }]],
]

interface Roots {
  readonly hash: string
  readonly stateRoot: string
}

const rootsOf = async (client: Client): Promise<readonly Roots[]> => {
  const { head } = await client.status()
  const heights = Array.from({ length: head.height }, (_, at) => height(at + 1))
  return Promise.all(heights.map((at) => rootsAt(client, at)))
}

const rootsAt = async (client: Client, at: Height): Promise<Roots> => {
  const { hash, block } = await client.block(at)
  return { hash, stateRoot: block.header.stateRoot }
}

/** Executes the blocks that a node hands out here, in this process, and believes nothing of them. */
const replayHere = async (client: Client): Promise<readonly Roots[]> => {
  const store = await openStore('memory', '')
  const chain = await Chain.create(store, await client.genesis())
  const verifier = await createNodeVerifier(silentLog)
  const roots: Roots[] = []
  await replayAll(handedOut(client), {
    sink: chainSink(chain),
    network: chain.network,
    verifier,
    onApplied: () => roots.push({ hash: chain.head.hash, stateRoot: chain.head.state.hash }),
  })
  return roots
}

async function* handedOut(client: Client): AsyncIterable<UncheckedBlock> {
  const { head } = await client.status()
  for (let at = 1; at <= head.height; at++) {
    const { block, certificate } = await client.block(height(at))
    yield { block: block as unknown as Json, certificate: certificate as unknown as Json }
  }
}

/** Nothing that a machine is set to may show in a hash. */
const elsewhere = { TZ: 'Pacific/Kiritimati', LC_ALL: 'tr_TR.UTF-8', LANG: 'tr_TR.UTF-8' }

it('the same transactions have the same block hashes and state roots in two processes, after a restart, and from verify', async () => {
  const [data, other] = [await temporaryFolder(), await temporaryFolder()]
  const first = await startNode({ data })
  for (const round of rounds) {
    await Promise.all(round.map((operations) => first.client.spend({ operations }, { wait: true })))
  }
  const roots = await rootsOf(first.client)
  expect(roots.length).toBeGreaterThanOrEqual(rounds.length)
  expect(new Set(roots.map(({ stateRoot }) => stateRoot)).size).toBe(roots.length)
  expect(await replayHere(first.client)).toEqual(roots)

  await first.kill('SIGKILL')
  const recovered = await startNode({ data, env: elsewhere })
  expect(await rootsOf(recovered.client)).toEqual(roots)
  await recovered.kill('SIGTERM')
  const restarted = await startNode({ data })
  expect(await rootsOf(restarted.client)).toEqual(roots)

  const backup = join(other, 'backup')
  expect(await tautline(['backup', backup, '--data', data])).toMatchObject({ code: 0 })
  await restarted.kill('SIGTERM')
  const restored = join(other, 'restored')
  expect(await tautline(['restore', backup, '--data', restored], { env: elsewhere })).toMatchObject({
    code: 0,
  })
  expect(await rootsOf((await startNode({ data: restored })).client)).toEqual(roots)

  const verified = await tautline(['verify', '--json', '--data', data], { env: elsewhere })
  expect(verified.code).toBe(0) // its own replay has led to the head's hash
  expect(JSON.parse(verified.stdout)).toMatchObject({ ok: true, height: roots.length })
})
