import { describe, expect, it } from 'vitest'
import type { LightRefusal } from '../../../src/client/light-client.ts'
import {
  begin,
  follow,
  type LightState,
  maxRequests,
  maxTrusted,
  type Wish,
} from '../../../src/light/light.ts'
import { judgeStep, trustedOf } from '../../../src/light/step.ts'
import { type Header, hashHeader } from '../../../src/objects/block.ts'
import type { LightBlock } from '../../../src/objects/light-block.ts'
import { hashValidators, type ValidatorList } from '../../../src/objects/validators.ts'
import { verified } from '../../../src/objects/verified.ts'
import { type BlockHash, type Hash, height, type NetworkId, unixMs } from '../../../src/units.ts'
import {
  anchorOf,
  certify,
  dayMs,
  drive,
  followedUrl,
  type Headers,
  honest,
  LongChain,
  lightOn,
  Problem,
  pruning,
  setOf,
  startMs,
  trustingMs,
} from './long-chain.ts'

/** Five times one of four makes place for another; after the fourth, nobody of the first set is left. */
const changes: Readonly<Record<number, ValidatorList>> = {
  1500: setOf(1, 2, 3, 4),
  3200: setOf(2, 3, 4, 5),
  5100: setOf(3, 4, 5, 6),
  7000: setOf(4, 5, 6, 7),
  9000: setOf(5, 6, 7, 8),
}
const genesis = anchorOf(setOf(0, 1, 2, 3))
const chain = new LongChain({ genesis, length: 10_000, changes })
const { network } = chain
const soonMs = chain.endMs + 1_000
const now = () => soonMs
const pinAt = (at: number) => ({ height: at, hash: hashHeader(chain.headerAt(at)) })

const refusalOf = async (attempt: Promise<unknown>): Promise<{ code: string; message: string }> => {
  const error = await attempt.then(
    (value) => {
      throw new Error(`nothing was refused: ${JSON.stringify(value)}`)
    },
    (refusal: LightRefusal) => refusal,
  )
  return { code: error.code, message: error.message }
}

describe('10,000 blocks with five changes of the validators', () => {
  it('are followed from the network id in a handful of requests', async () => {
    const { light, asked } = lightOn({ [followedUrl]: honest(chain) }, network, { now })
    expect(await light.update()).toEqual({
      height: 10_000,
      hash: hashHeader(chain.headerAt(10_000)),
      time: chain.headerAt(10_000).time,
      isPinned: true,
      complaints: [],
    })
    expect(asked.length).toBe(light.requests)
    expect(asked.length).toBeLessThanOrEqual(8)
    expect(asked.map((request) => request.split(' ')[1])).toEqual(['0', 'latest', '5000', '7500'])
  })

  it('from a block that pins the present it is fewer, and afterwards one request tells that there is nothing new', async () => {
    const { light, asked } = lightOn({ [followedUrl]: honest(chain) }, network, { now, pin: pinAt(8_000) })
    expect(await light.update()).toMatchObject({ height: 10_000, isPinned: true })
    expect(asked).toHaveLength(3)
    await light.update()
    expect(asked).toHaveLength(4)
  })

  it('when the network grows, what is new is followed from what is known', async () => {
    let length = 9_500
    const node: Headers = (at, options) => honest(chain, length)(at, options)
    const { light, asked } = lightOn({ [followedUrl]: node }, network, { now })
    expect(await light.update()).toMatchObject({ height: 9_500 })
    const before = asked.length
    length = 10_000
    expect(await light.update()).toMatchObject({ height: 10_000 })
    expect(asked.length).toBe(before + 1)
  })

  it('where all old blocks are pruned, it goes over those after which others vote', async () => {
    const { light, asked } = lightOn({ [followedUrl]: pruning(chain, 9_900) }, network, { now })
    expect(await light.update()).toMatchObject({ height: 10_000 })
    expect(asked.length).toBeLessThan(16)
  })

  it('from a genesis older than the trusting period it goes over every change, and says that nothing pins the present', async () => {
    const slow = new LongChain({ genesis, length: 200, changes: { 50: setOf(1, 2, 3, 4) }, blockMs: dayMs })
    const nodes = { [followedUrl]: honest(slow) }
    const { light, asked } = lightOn(nodes, network, { now: () => slow.endMs })
    expect(await light.update()).toMatchObject({ height: 200, isPinned: false })
    expect(asked).toEqual([
      `${followedUrl} 0`,
      `${followedUrl} latest with its origin`,
      `${followedUrl} latest`,
    ])
    const pin = { height: 195, hash: hashHeader(slow.headerAt(195)) }
    const pinned = lightOn(nodes, network, { now: () => slow.endMs, pin })
    expect(await pinned.light.update()).toMatchObject({ height: 200, isPinned: true })
  })

  it('without a block yet, the genesis is all there is', async () => {
    const node: Headers = () => ({ genesis })
    const { light } = lightOn({ [followedUrl]: node }, network, { now: () => startMs })
    expect(await light.update()).toMatchObject({ height: 0, hash: network })
  })
})

describe('what is trusted, from look to look', () => {
  const slow = new LongChain({ genesis, length: 200, changes: { 150: setOf(1, 2, 3, 4) }, blockMs: dayMs })
  const dayOf = (day: number) => startMs + day * dayMs
  const started = async (chain: LongChain, nowMs: number, pin?: { height: number; hash: BlockHash }) => {
    const trust = { network, ...(pin && { pin: { ...pin, height: height(pin.height) } }) }
    const { outcome } = await drive(begin(trust, nowMs), honest(chain), network)
    if (outcome.kind !== 'begun') throw new Error(outcome.reason)
    return outcome.state
  }
  const followed = async (node: Headers, state: LightState, wish: Wish) => {
    const { outcome } = await drive(follow(state, wish), node, network)
    if (outcome.kind !== 'followed') throw new Error(JSON.stringify(outcome))
    return outcome
  }

  it('a block that is older than all that can be skipped from is proven from the network id, and nothing pins it', async () => {
    let state = await started(slow, dayOf(0))
    for (const day of [10, 20])
      state = (await followed(honest(slow, day), state, { nowMs: dayOf(day) })).state
    expect(state.trusted.map(({ height }) => height)).toEqual([0, 10, 20])
    const nowMs = dayOf(23)
    const node = honest(slow)
    expect(await followed(node, state, { nowMs, height: height(15) })).toMatchObject({ isPinned: true })
    expect(await followed(node, state, { nowMs, height: height(5) })).toMatchObject({
      isPinned: false,
      at: { height: 5 },
    })
  })

  it('a block of long ago that says it is younger than the pinned one is refused, and one that is two at once', async () => {
    const pin = { height: 195, hash: hashHeader(slow.headerAt(195)) }
    const state = await started(slow, dayOf(200), pin)
    const late = new LongChain({ genesis, length: 120, blockMs: 2 * dayMs })
    const wish = { nowMs: dayOf(200), height: height(100) }
    expect((await drive(follow(state, wish), honest(late), network)).outcome).toMatchObject({
      code: 'time-travel',
    })
    const twofold: Headers = (at, options) => honest(options.proof ? slow : late)(at, options)
    expect((await drive(follow(state, wish), twofold, network)).outcome).toMatchObject({
      code: 'contradicted',
    })
  })

  it('from a block after which wholly others vote, those are the ones to trust', async () => {
    const swapped = new LongChain({ genesis, length: 60, changes: { 50: setOf(10, 11, 12, 13) } })
    const pin = { height: 50, hash: hashHeader(swapped.headerAt(50)) }
    const state = await started(swapped, swapped.endMs, pin)
    const { outcome, requests } = await drive(
      follow(state, { nowMs: swapped.endMs }),
      honest(swapped),
      network,
    )
    expect([outcome.kind, requests]).toEqual(['followed', 1])
  })

  it('only so many headers are kept', async () => {
    let state = await started(slow, dayOf(0))
    const quick = new LongChain({ genesis, length: 300, blockMs: 1_000 })
    for (let length = 1; length <= 300; length++)
      state = (await followed(honest(quick, length), state, { nowMs: quick.endMs })).state
    expect(state.trusted).toHaveLength(maxTrusted)
    expect(state.trusted.at(-1)!.height).toBe(300)
  })

  it('a network whose validators are wholly others after each block takes too many requests', async () => {
    const changes = Object.fromEntries(Array.from({ length: 1_100 }, (_, at) => [at + 1, setOf(at + 30)]))
    const restless = new LongChain({ genesis, length: 1_100, changes })
    const state = await started(restless, restless.endMs)
    const { outcome, requests } = await drive(
      follow(state, { nowMs: restless.endMs }),
      honest(restless),
      network,
    )
    expect(outcome).toMatchObject({ code: 'too-many-requests' })
    expect(requests).toBe(maxRequests)
  })

  it('no step is taken from an expired header, whoever signed the next', () => {
    const block = verified(chain.lightBlockAt(2))
    const from = trustedOf(chain.lightBlockAt(1))
    const look = { parameters: genesis.parameters, nowMs: from.time + trustingMs - 1, left: 1 }
    expect(judgeStep(from, block, look)).toEqual({ kind: 'accept' })
    expect(judgeStep(from, block, { ...look, nowMs: look.nowMs + 1 })).toMatchObject({
      code: 'expired-trust',
    })
  })
})

/** A liar that is honest but for some heights. */
const except =
  (lies: Readonly<Record<string, unknown>>, otherwise: Headers = honest(chain)): Headers =>
  (at, options) =>
    lies[at] ?? otherwise(at, options)

/** A header with something else in it, signed by whoever. */
const forge = (
  at: number,
  members: Partial<Header>,
  validators: ValidatorList = chain.setAt(at),
  signers: ValidatorList = validators,
): LightBlock => {
  const validatorsHash = hashValidators(validators)
  const header = { ...chain.headerAt(at), validatorsHash, nextValidatorsHash: validatorsHash, ...members }
  return { header, certificate: certify(header, signers), validators: [...validators] }
}

const other = 'ee'.repeat(32) as Hash

describe('forged chains are refused, each with its reason', () => {
  const refuse = (lies: Readonly<Record<string, unknown>>, options: Parameters<typeof lightOn>[2] = {}) => {
    const { light } = lightOn({ [followedUrl]: except(lies) }, network, { now, ...options })
    return refusalOf(light.update())
  }

  it('too little stake: two of four have signed', async () => {
    const validators = chain.setAt(10_000)
    const latest = forge(10_000, { stateRoot: other }, validators, validators.slice(0, 2))
    expect(await refuse({ latest })).toEqual({
      code: 'forged',
      message: expect.stringMatching(/2 of 4 staked units have signed, and more than two thirds are needed/),
    })
  })

  it('too little stake of those who are trusted: one of them, and three strangers', async () => {
    const latest = forge(10_000, { stateRoot: other }, setOf(0, 20, 21, 22))
    expect(await refuse({ latest, '5000': new Problem(404, 'not-found') })).toEqual({
      code: 'contradicted',
      message: expect.stringMatching(/shows block 10000, and has no block 5000/),
    })
  })

  it('an old set: those who have left sign a block after all', async () => {
    const latest = forge(10_000, { stateRoot: other }, setOf(0, 1, 2, 3))
    expect(await refuse({ latest }, { pin: pinAt(9_500) })).toEqual({
      code: 'wrong-validators',
      message: expect.stringMatching(
        /block 10000 is signed by other validators than those whom block 9999 names/,
      ),
    })
  })

  it('a set that nobody has ever voted for', async () => {
    const latest = forge(10_000, { stateRoot: other }, setOf(20, 21, 22))
    expect((await refuse({ latest })).code).toBe('wrong-validators')
  })

  it('expired trust: a block older than the trusting period pins nothing', async () => {
    const late = { now: () => chain.endMs + trustingMs }
    expect(await refuse({}, { ...late, pin: pinAt(9_990) })).toEqual({
      code: 'expired-trust',
      message: expect.stringMatching(
        /the block that you trust, 9990, .* longer ago than the trusting period, 14 days/,
      ),
    })
  })

  it('expired trust: a client that has slept for too long', async () => {
    let nowMs = soonMs
    const { light } = lightOn({ [followedUrl]: honest(chain) }, network, { now: () => nowMs })
    await light.update()
    nowMs += trustingMs
    expect((await refusalOf(light.update())).code).toBe('expired-trust')
  })

  it('wrong network: another genesis, and headers of another network', async () => {
    const elsewhere = new LongChain({ genesis: anchorOf(setOf(0, 1, 2, 3), 'other'), length: 10 })
    const { light } = lightOn({ [followedUrl]: honest(elsewhere) }, network, { now })
    expect(await refusalOf(light.update())).toEqual({
      code: 'wrong-network',
      message: expect.stringContaining(`it is of network ${elsewhere.network}, and ${network} was expected`),
    })
    expect((await refuse({ latest: elsewhere.view(10) })).code).toBe('wrong-network')
  })

  it('another block where one is pinned', async () => {
    const pin = { height: 9_500, hash: other as BlockHash }
    expect((await refuse({}, { pin })).code).toBe('other-block')
    expect((await refuse({ '9500': new Problem(404, 'not-found') }, { pin })).code).toBe('not-found')
  })

  it('time travel: a header of the future', async () => {
    const latest = forge(10_000, { time: unixMs(soonMs + 10_000) })
    expect(await refuse({ latest }, { pin: pinAt(9_500) })).toEqual({
      code: 'time-travel',
      message: expect.stringMatching(/it is of the future, or this clock is late/),
    })
  })

  it('time travel: a header whose time runs backwards', async () => {
    const latest = forge(10_000, { time: chain.headerAt(9_000).time })
    expect(await refuse({ latest }, { pin: pinAt(9_500) })).toEqual({
      code: 'time-travel',
      message: expect.stringMatching(/time runs backwards/),
    })
  })

  it('time travel: a node that shows an older block as its newest', async () => {
    let length = 10_000
    const node: Headers = (at, options) => honest(chain, length)(at, options)
    const { light } = lightOn({ [followedUrl]: node }, network, { now })
    await light.update()
    length = 9_999
    expect(await refusalOf(light.update())).toEqual({
      code: 'time-travel',
      message: expect.stringMatching(
        /newest block that it shows is 9999, and it has shown block 10000 before/,
      ),
    })
  })

  it('another block of the same height than it has shown before', async () => {
    let isLying = false
    const node: Headers = (at, options) =>
      isLying && at === 'latest' ? forge(10_000, { stateRoot: other }) : honest(chain)(at, options)
    const { light } = lightOn({ [followedUrl]: node }, network, { now })
    await light.update()
    isLying = true
    expect((await refusalOf(light.update())).code).toBe('contradicted')
  })

  it('a node that says of the next header it keeps that it lies below', async () => {
    const gone = new Problem(410, 'pruned', { next: 3 })
    expect((await refuse({ '5000': gone })).code).toBe('forged')
  })

  it('a network that stands still for longer than the trusting period, or is made to look so', async () => {
    const { light } = lightOn({ [followedUrl]: honest(chain, 100) }, network, {
      now: () => chain.headerAt(100).time + trustingMs,
      pin: pinAt(101),
    })
    // The pinned block is young still; the newest that is shown is below it.
    expect((await refusalOf(light.update())).code).toBe('not-found')
    const asleep = lightOn({ [followedUrl]: honest(chain, 100) }, network, {
      now: () => startMs + trustingMs + 100 * 60_000,
    })
    expect((await refusalOf(asleep.light.update())).code).toBe('stale')
  })

  it('a signature that is none', async () => {
    const view = chain.lightBlockAt(10_000)
    const [first, second, ...rest] = view.certificate.precommits
    const precommits = [{ ...first!, signature: second!.signature }, second!, ...rest]
    const latest = { ...view, certificate: { ...view.certificate, precommits } }
    expect(await refuse({ latest })).toMatchObject({
      code: 'forged',
      message: /the signature of .* is not one/,
    })
  })

  it('an altered header, other validators than the header names, another header than was asked for, and no header', async () => {
    const view = chain.lightBlockAt(10_000)
    for (const latest of [
      { ...view, header: { ...view.header, stateRoot: other } },
      { ...view, validators: [...setOf(0, 1, 2, 3)] },
      { ...view, nextValidators: [...setOf(0, 1, 2, 3)] },
      { ...view, note: 'x' },
      [],
    ])
      expect((await refuse({ latest })).code).toBe('forged')
    expect((await refuse({ '5000': chain.view(5_001) })).code).toBe('forged')
  })

  it('nobody there', async () => {
    const { light } = lightOn({}, network, { now })
    expect((await refusalOf(light.update())).code).toBe('unreachable')
    expect(await refuse({ latest: new Problem(503, 'shutting-down') })).toMatchObject({ code: 'unreachable' })
  })

  it('a changed link of the next block', async () => {
    const node = except({ latest: forge(9_501, { parent: other as BlockHash }) })
    const { light } = lightOn({ [followedUrl]: node }, network, { now, pin: pinAt(9_500) })
    expect((await refusalOf(light.update())).code).toBe('contradicted')
  })

  it('a liar who never comes to an end is given up', async () => {
    // Each header between is of the future's validators again, one block below the one before.
    const strange = setOf(20, 21, 22)
    const node: Headers = (at) => (at === 0 ? { genesis } : forge(at === 'latest' ? 10_000 : at, {}, strange))
    const { light, asked } = lightOn({ [followedUrl]: node }, 'a'.repeat(64) as NetworkId, { now })
    expect((await refusalOf(light.update())).code).toBe('wrong-network')
    const honestId = lightOn({ [followedUrl]: node }, network, { now })
    expect((await refusalOf(honestId.light.update())).code).toBe('wrong-validators')
    expect([asked.length, honestId.asked.length < 30]).toEqual([1, true])
  })
})

it('calls wait for one another, and not too many of them', async () => {
  const { light, asked } = lightOn({ [followedUrl]: honest(chain) }, network, { now })
  const calls = Array.from({ length: 300 }, () => light.update())
  const ends = await Promise.allSettled(calls)
  expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(256)
  expect(ends.at(-1)).toMatchObject({ reason: { code: 'too-many-requests' } })
  expect(asked).toHaveLength(4 + 255)
})

it('the same answers, the same requests', async () => {
  const runs = await Promise.all(
    [1, 2].map(async () => {
      const { light, asked } = lightOn({ [followedUrl]: honest(chain) }, network, { now })
      await light.update()
      return asked
    }),
  )
  expect(runs[0]).toEqual(runs[1])
  expect(height(runs[0]!.length)).toBeGreaterThan(2)
})
