/** Four real validators, of which one has a clock that is three days off. */
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { signTransaction } from '../../src/client/sign-transaction.ts'
import { proposersOf } from '../../src/consensus/proposer.ts'
import { validatorSet } from '../../src/objects/validators.ts'
import { createNodeSigner } from '../../src/runtime/node/keys.ts'
import { type Address, type Amount, round as asRound, type Height } from '../../src/units.ts'
import { type Founded, foundNetwork, startInFolder } from './network-process.ts'
import { eventually, type NodeProcess } from './node-process.ts'

const skewedClock = fileURLToPath(new URL('skewed-clock.mjs', import.meta.url))
const threeDaysMs = 3 * 24 * 60 * 60 * 1_000

/** The network is used until it has come so far, and the one with the wrong clock was so often the first to propose. */
const leastHeights = 10
const leastTurns = 2

const sender = createNodeSigner(new Uint8Array(32).fill(1))

const startAll = ({ nodes }: Founded, offMs: number): Promise<NodeProcess[]> =>
  Promise.all(
    nodes.map(({ folder }, at) =>
      at < 3
        ? startInFolder(folder)
        : startInFolder(folder, [], {
            env: { NODE_OPTIONS: `--import ${skewedClock}`, CLOCK_OFF_MS: String(offMs) },
          }),
    ),
  )

const transferTo = (to: Address, amount: number) => ({
  operations: [{ type: 'transfer' as const, to, amount: String(amount) as Amount }],
})

/** Resolves when all of them show a transaction as final. */
const everywhere = async (nodes: readonly NodeProcess[], id: string): Promise<void> => {
  for (const { client, url } of nodes)
    await eventually(async () => {
      const found = await client.transaction(id as never).catch(() => undefined)
      return found?.status === 'committed' || undefined
    }, `${url} does not commit ${id}`)
}

interface Decided {
  /** Who was the first to propose, and who proposed what was decided. */
  readonly opener: Address
  readonly proposer: Address
  readonly round: number
  readonly time: number
}

/** What all of them show as decided on a height, which is one. */
const decidedAt = async (
  nodes: readonly NodeProcess[],
  { network }: Founded,
  height: Height,
): Promise<Decided> => {
  const found = await Promise.all(nodes.map(({ client }) => client.block(height)))
  expect(new Set(found.map(({ hash }) => hash)).size, `block ${height}`).toBe(1)
  const { block, certificate } = found[0]!
  const { validators } = await nodes[0]!.client.validators(height)
  const opener = proposersOf(network, height, validatorSet(validators))(asRound(0))
  const { proposer, time } = block.header
  return { opener, proposer, round: certificate.round, time }
}

it.each([
  ['ahead', threeDaysMs],
  ['behind', -threeDaysMs],
])('a clock three days %s slows nothing but its owner’s proposals', async (direction, offMs) => {
  const startMs = Date.now()
  const network = await foundNetwork(4)
  const wrong = network.nodes[3]!.address
  const nodes = await startAll(network, offMs)
  const decided: Decided[] = []
  const turnsOfWrong = () => decided.filter(({ opener }) => opener === wrong)
  while (decided.length < leastHeights || turnsOfWrong().length < leastTurns) {
    const { id } = await nodes[decided.length % 3]!.client.spend(transferTo(sender.address, 10))
    await everywhere(nodes, id)
    const { height } = (await nodes[0]!.client.status()).head
    for (let at = decided.length + 1; at <= height; at++)
      decided.push(await decidedAt(nodes, network, at as Height))
  }

  const now = Date.now()
  for (const { time } of decided) expect([time > startMs, time <= now]).toEqual([true, true])
  const turnsOfRight = decided.filter(({ opener }) => opener !== wrong)
  const atOnce = turnsOfRight.filter(({ round, opener, proposer }) => round === 0 && proposer === opener)
  expect(atOnce.length, JSON.stringify(decided)).toBeGreaterThan(turnsOfRight.length / 2)

  const parts = { network: network.network, nonce: 0, validUntil: Math.floor(now / 1_000) + 600 }
  const { text, id } = await signTransaction({ ...parts, ...transferTo(sender.address, 1) }, sender)
  const atItsDoor = nodes[3]!.client.submit(text)
  if (direction === 'behind') {
    await atItsDoor // its door goes by the ledger's time when that is later
    await everywhere(nodes, id)
  } else {
    await expect(atItsDoor).rejects.toMatchObject({ code: 'expired' }) // and it says by which clock
    expect(decided.map(({ proposer }) => proposer)).not.toContain(wrong)
    for (const { round } of turnsOfWrong()) expect(round).toBeGreaterThan(0)
  }
})
