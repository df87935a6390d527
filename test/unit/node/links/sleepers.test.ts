import { expect, test } from 'vitest'
import { type EncodedMessage, encodeTransactions } from '../../../../src/messages/frame.ts'
import type { Hash } from '../../../../src/units.ts'
import { Loopback, settle } from './loopback.ts'

const minute = 60_000
const transactions = (...names: string[]): readonly EncodedMessage[] =>
  encodeTransactions(names.map((name) => JSON.stringify({ name })))
/** As far as links look at it. */
const proposal: EncodedMessage = { kind: 'proposal', text: '{"kind":"proposal"}', sizeBytes: 19 }
const wanted = (...hashes: string[]): string =>
  JSON.stringify({ wanted: hashes.map((hash) => hash.padStart(64, '0') as Hash) })

/** One that is linked with one that sleeps, whose link then ends. */
const asleep = async (lacking: readonly EncodedMessage[] = []) => {
  const world = new Loopback()
  const one = world.node(0, { transactions: lacking })
  const sleeper = world.node(1, { sleeps: true })
  one.links.add(sleeper.url)
  await settle()
  expect(one.links.peers).toEqual([sleeper.address])
  world.sockets[0]!.break()
  await settle()
  return { world, one, sleeper }
}

test('a peer that sleeps is not dialled while nothing happens, and no timer waits for it', async () => {
  const { world, one } = await asleep()
  expect(world.clock.pending).toBe(0)
  await world.clock.pass(60 * minute)
  expect([world.dials, world.posts, one.links.peers]).toEqual([1, [], []])
})

test('one that does not sleep is dialled again', async () => {
  const world = new Loopback()
  const [one, other] = [world.node(0), world.node(1)]
  one.links.add(other.url)
  await settle()
  world.sockets[0]!.break()
  await world.clock.pass(minute)
  expect([world.dials, one.links.peers]).toEqual([2, [other.address]])
})

test('what is said then is posted, all of a turn in one batch, and the peer is dialled', async () => {
  const { world, one, sleeper } = await asleep()
  one.links.tellSleepers(() => transactions('a'))
  one.links.tellSleepers(() => transactions('b'))
  await world.clock.pass(0)
  expect(world.posts).toEqual([
    {
      url: sleeper.url,
      path: '/v1/peer/messages',
      body: `[${transactions('a', 'b').map(({ text }) => text)}]`,
    },
  ])
  expect(one.links.peers).toEqual([sleeper.address])
})

test('linked, it is told over the link alone', async () => {
  const { world, one } = await asleep()
  one.links.rouseSleepers()
  await world.clock.pass(0)
  one.links.tellSleepers(() => transactions('a'))
  await settle()
  expect([one.links.peers.length, world.posts]).toEqual([1, []])
})

test('one that takes no link is posted to again and again', async () => {
  const { world, one, sleeper } = await asleep()
  world.unreachable.add(sleeper.url)
  for (const name of ['a', 'b', 'c']) {
    world.answers.push(wanted())
    one.links.tellSleepers(() => transactions(name))
    await world.clock.pass(minute)
  }
  expect(world.posts.map(({ body }) => body)).toEqual(
    ['a', 'b', 'c'].map((name) => `[${transactions(name)[0]!.text}]`),
  )
})

test('what a proposal lacks there is sent after it, once, whatever more is asked for', async () => {
  const lacking = transactions('lacking')
  const { world, one, sleeper } = await asleep(lacking)
  world.unreachable.add(sleeper.url)
  world.answers.push(wanted('1'), wanted('1'), wanted('1'))
  one.links.tellSleepers(() => [proposal])
  await settle()
  expect(world.posts.map(({ body }) => body)).toEqual([`[${proposal.text}]`, `[${lacking[0]!.text}]`])
})

test('a failed POST is not tried again, and the next one is', async () => {
  const { world, one, sleeper } = await asleep()
  world.unreachable.add(sleeper.url)
  one.links.tellSleepers(() => transactions('a')) // answered 404
  await settle()
  one.links.tellSleepers(() => transactions('b'))
  await settle()
  expect(world.posts.map(({ body }) => body)).toEqual(
    ['a', 'b'].map((name) => `[${transactions(name)[0]!.text}]`),
  )
})

test('a peer that the operator removed is told nothing', async () => {
  const { world, one, sleeper } = await asleep()
  expect(one.links.remove(sleeper.address)).toBeDefined()
  one.links.tellSleepers(() => transactions('a'))
  await world.clock.pass(minute)
  expect([world.dials, world.posts]).toEqual([1, []])
})
