/** What tests ask of validators that run, whatever they run on: payments, the same blocks, and work while some are killed. */
import { expect } from 'vitest'
import type { Client } from '../../src/client/client.ts'
import { initialBalance, initialStake } from '../../src/node/found-network.ts'
import type { FinalTransaction } from '../../src/node/service.ts'
import type { Address, Amount, Height } from '../../src/units.ts'
import { seededRandom } from '../crash/random.ts'
import { createSender, type World } from '../crash/sender.ts'
import { Witness } from '../crash/witness.ts'
import type { Founded } from './network-process.ts'
import { eventually, type Running } from './node-process.ts'

/** RFC 8032 §7.1, test 1. */
export const receiver = 'taut16adfsqvzky9t042tlmfujeq88g8wzuhnm2nzxfd0qgdx3ac82ydqy3t3cr' as Address

export interface Validator extends Running {
  readonly url: string
  /** With the operator's token. */
  readonly client: Client
}

const transferTo = (to: Address, amount: number) => ({
  operations: [{ type: 'transfer' as const, to, amount: String(amount) as Amount }],
})

/** Pays from a node's own account; resolves once that is final. */
export const pay = async (
  { client }: Validator,
  amount: number,
  to = receiver,
): Promise<FinalTransaction> => {
  const spent = await client.spend(transferTo(to, amount), { wait: true })
  if (spent.status === 'committed') return spent
  return eventually(async () => {
    const { transaction: _, ...final } = await client.transaction(spent.id)
    return final.status === 'committed' ? final : undefined
  }, `transaction ${spent.id} is not committed`)
}

export const heightOf = async (client: Client): Promise<Height> => (await client.status()).head.height

/** Resolves once all nodes have this block, with its hash, which is one. */
export const sameBlock = async (nodes: readonly Validator[], height: Height): Promise<string> => {
  const hashes = await Promise.all(
    nodes.map(({ client, stderr }) =>
      eventually(
        async () => ((await heightOf(client)) >= height ? (await client.block(height)).hash : undefined),
        `${client.url} does not come to block ${height}: ${stderr()}`,
      ),
    ),
  )
  expect(new Set(hashes).size, `block ${height}: ${hashes.join(', ')}`).toBe(1)
  return hashes[0]!
}

export const allLinked = async (nodes: readonly Validator[]): Promise<void> => {
  for (const { client, stderr } of nodes) {
    await eventually(
      async () => (await client.status()).peers >= nodes.length - 1 || undefined,
      `${client.url} is not linked with all: ${stderr()}`,
    )
  }
}

/** Senders with something to send, who tell a witness what they are answered. */
export const openLoad = async (network: Founded, nodes: readonly Validator[]) => {
  const senders = [1, 1, 1, 1, 5, 5, 20, 20].map((perRequest, at) => createSender(at + 1, perRequest))
  const addresses = senders.map(({ address }) => address)
  for (const { address } of senders) await pay(nodes[0]!, 1_000_000, address)
  await sameBlock(nodes, await heightOf(nodes[0]!.client))
  const owners = [...network.nodes.map(({ address }) => address), ...addresses]
  const witness = new Witness(owners, initialBalance + initialStake, network.network)
  const world: World = {
    network: network.network,
    random: seededRandom(7),
    addresses,
    onFinal: witness.tell,
  }
  return { senders, witness, world }
}

/**
 * Kills each in turn under load and starts it again: the others go on meanwhile, it comes to their blocks, and in
 * the end all hold all that was answered.
 *
 * @param restart - starts the one at this place again
 */
export const killEachUnderLoad = async (
  network: Founded,
  nodes: Validator[],
  restart: (at: number) => Promise<Validator>,
): Promise<void> => {
  const { senders, witness, world } = await openLoad(network, nodes)
  const over = new AbortController()
  const submitting = senders.map(async (sender, at) => {
    // Who loses its node goes to the next one, with what got no answer.
    for (let moves = 0; !over.signal.aborted; moves++)
      await sender.submitUntilGone(nodes[(at + moves) % nodes.length]!.client, {
        ...world,
        over: over.signal,
      })
  })
  const more = (what: string): Promise<true> => {
    const enough = witness.told + 50
    return eventually(async () => witness.told >= enough || undefined, what) as Promise<true>
  }
  for (const at of nodes.keys()) {
    await more('nothing is committed')
    await nodes[at]!.kill('SIGKILL')
    await more(`nothing is committed without ${at}`)
    nodes[at] = await restart(at)
    await sameBlock(nodes, await heightOf(nodes[(at + 1) % nodes.length]!.client))
  }
  over.abort()
  await Promise.all(submitting)
  const { height } = await pay(nodes[0]!, 1, world.addresses[0]!)
  await sameBlock(nodes, height)
  for (const { client } of nodes) await witness.check(client, world.random)
}
