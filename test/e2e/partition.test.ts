/** Four real validators, linked over cables that are cut and mended: they heal without help. */
import { expect, it } from 'vitest'
import type { Submission } from '../../src/node/service.ts'
import type { Address, Amount } from '../../src/units.ts'
import { eventually, type NodeProcess } from './node-process.ts'
import { startWired, untilLinked } from './wired-network.ts'

/** RFC 8032 §7.1, test 1. */
const receiver = 'taut16adfsqvzky9t042tlmfujeq88g8wzuhnm2nzxfd0qgdx3ac82ydqy3t3cr' as Address

const submit = ({ client }: NodeProcess): Promise<Submission> =>
  client.spend({ operations: [{ type: 'transfer', to: receiver, amount: '1' as Amount }] })

const committedAt = async ({ client, url }: NodeProcess, { id }: Submission): Promise<string> =>
  eventually(async () => {
    const found = await client.transaction(id).catch(() => undefined)
    return found?.status === 'committed' ? `${found.height}.${found.index}` : undefined
  }, `${url} does not commit ${id}`)

const everywhere = async (nodes: readonly NodeProcess[], submission: Submission): Promise<void> => {
  const places = await Promise.all(nodes.map((node) => committedAt(node, submission)))
  expect(new Set(places).size, places.join(', ')).toBe(1)
}

it('halves that hear nothing of each other decide nothing, and go on by themselves once they do', async () => {
  const { nodes, cables } = await startWired()
  await everywhere(nodes, await submit(nodes[0]!))
  const { height } = (await nodes[0]!.client.status()).head
  const between = cables.flatMap((from, one) => from.filter((_, other) => one < 2 !== other < 2))
  for (const cable of between) cable.cut('out', 'back')
  const [left, right] = [await submit(nodes[0]!), await submit(nodes[3]!)]
  // Both halves find out, since they have something to say.
  await untilLinked(nodes, 1)
  for (const { client } of nodes) expect((await client.status()).head.height).toBe(height)
  for (const cable of between) cable.mend()
  for (const submission of [left, right]) await everywhere(nodes, submission)
  await untilLinked(nodes, 3)
})

it('one that hears all and is heard by nobody stops nobody, and is one of them again once it is heard', async () => {
  const { nodes, cables } = await startWired()
  const [mute, ...others] = [nodes[3]!, ...nodes.slice(0, 3)] as [NodeProcess, ...NodeProcess[]]
  for (const [from, row] of cables.entries()) {
    if (from === 3) for (const cable of row) cable.cut('out')
    else row[3]!.cut('back')
  }
  const unheard = await submit(mute)
  for (const node of others) await everywhere(others, await submit(node))
  await untilLinked(others, 2)
  expect(await mute.client.transaction(unheard.id)).toMatchObject({ status: 'pending' })
  for (const cable of cables.flat()) cable.mend()
  await everywhere(nodes, unheard)
  await untilLinked(nodes, 3)
})

it('a ring, where no two opposite ones reach each other, decides as if they did', async () => {
  const { nodes, cables } = await startWired()
  for (const [one, other] of [
    [0, 2],
    [1, 3],
  ] as const) {
    cables[one]![other]!.cut('out', 'back')
    cables[other]![one]!.cut('out', 'back')
  }
  for (const node of nodes) await everywhere(nodes, await submit(node))
  await untilLinked(nodes, 2)
  for (const node of nodes) await everywhere(nodes, await submit(node))
})
