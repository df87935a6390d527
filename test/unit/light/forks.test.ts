import { describe, expect, it } from 'vitest'
import type { LightRefusal } from '../../../src/client/light-client.ts'
import { type ForkVerdict, verifyFork } from '../../../src/client/verify-fork.ts'
import { hashHeader } from '../../../src/objects/block.ts'
import type { Fork } from '../../../src/objects/fork.ts'
import type { LightBlock } from '../../../src/objects/light-block.ts'
import { hashValidators, type ValidatorList } from '../../../src/objects/validators.ts'
import type { BlockHash, Hash, NetworkId } from '../../../src/units.ts'
import {
  anchorOf,
  certify,
  followedUrl,
  type Headers,
  honest,
  keys,
  LongChain,
  lightOn,
  Problem,
  pruning,
  setOf,
  witnessUrl,
} from './long-chain.ts'

const genesis = anchorOf(setOf(0, 1, 2, 3))
const changes = { 300: setOf(1, 2, 3, 4), 600: setOf(2, 3, 4, 5) }
const chain = new LongChain({ genesis, length: 1_000, changes })
const { network } = chain
const now = () => chain.endMs + 1_000

/** Of those who vote after block 600, all but the first sign a second chain, which begins after block 700. */
const traitors = (_: number, validators: ValidatorList): ValidatorList => validators.slice(1)
const fork = new LongChain({
  genesis,
  length: 1_000,
  after: { chain, height: 700 },
  stateRoot: 'ee'.repeat(32) as Hash,
  signers: traitors,
})
const named = traitors(701, chain.setAt(701)).map(({ address }) => address)

const refusalOf = async (attempt: Promise<unknown>): Promise<LightRefusal> =>
  attempt.then(
    (value) => {
      throw new Error(`nothing was refused: ${JSON.stringify(value)}`)
    },
    (refusal: LightRefusal) => refusal,
  )

const look = (followed: Headers, witness: Headers, options: Parameters<typeof lightOn>[2] = {}) => {
  const nodes = { [followedUrl]: followed, [witnessUrl]: witness }
  return lightOn(nodes, network, { now, witnesses: [witnessUrl], ...options })
}

/** What a third party says, who gets the evidence as a file and knows the network's id. */
const judge = (evidence: Fork | undefined): Promise<ForkVerdict> =>
  verifyFork(JSON.stringify(evidence, undefined, 2), { network })

const caught = async (followed: Headers, witness: Headers, options: Parameters<typeof lightOn>[2] = {}) => {
  const { light, asked } = look(followed, witness, options)
  const refusal = await refusalOf(light.update())
  return { refusal, asked, verdict: await judge(refusal.fork) }
}

describe('witnesses that say the same', () => {
  it('are asked for the same header, and nothing is said', async () => {
    const { light, asked } = look(honest(chain), honest(chain))
    expect(await light.update()).toMatchObject({ height: 1_000, complaints: [] })
    expect(asked.filter((request) => request.startsWith(witnessUrl))).toEqual([`${witnessUrl} latest`])
  })

  const later = () => chain.endMs + 120_000

  it('may be some blocks behind, but not for long', async () => {
    const witness = honest(chain, 990)
    expect(await look(honest(chain), witness).light.update()).toMatchObject({ height: 1_000, complaints: [] })
    for (const [far, at] of [
      [witness, 990],
      [honest(chain, 0), 0],
    ] as const)
      expect(await look(honest(chain), far, { now: later }).light.update()).toMatchObject({
        height: 1_000,
        complaints: [
          {
            url: witnessUrl,
            code: 'stale',
            reason: `its newest block is ${at}, and others have had block 1000 for 120 s`,
          },
        ],
      })
  })

  it('that have had a newer block for a while show that the followed node is behind', async () => {
    const reason = 'its newest block is 990, and others have had block 1000 for 120 s'
    expect(await look(honest(chain, 990), honest(chain), { now: later }).light.update()).toMatchObject({
      complaints: [{ url: followedUrl, code: 'stale', reason }],
    })
    expect((await look(honest(chain, 990), honest(chain)).light.update()).complaints).toEqual([])
  })

  it('that make a newer block up are found out', async () => {
    const { light } = look(honest(chain, 990), withNewest(strange()), { now: later })
    expect(await light.update()).toMatchObject({
      height: 990,
      complaints: [{ url: witnessUrl, code: 'wrong-validators' }],
    })
  })

  it('that are gone, of another network, or say now this and now that are complained of', async () => {
    const elsewhere = new LongChain({ genesis: anchorOf(setOf(0, 1, 2, 3), 'other'), length: 1_000 })
    for (const [witness, code] of [
      [() => new Problem(503, 'shutting-down'), 'unreachable'],
      [honest(elsewhere), 'wrong-network'],
      [
        (at, options) => (options.proof ? chain : fork).view(at === 'latest' ? 1_000 : at, options),
        'contradicted',
      ],
    ] as readonly (readonly [Headers, string])[]) {
      const { light } = look(honest(chain), witness)
      expect(await light.update()).toMatchObject({ height: 1_000, complaints: [{ url: witnessUrl, code }] })
    }
  })
})

describe('a fork between the followed node and a witness', () => {
  it('is found at its first block, and a third party sees who has signed both', async () => {
    const { refusal, asked, verdict } = await caught(honest(chain), honest(fork))
    expect(refusal).toMatchObject({ code: 'forked', message: expect.stringContaining(witnessUrl) })
    expect(asked.length).toBeLessThan(40)
    expect(verdict).toMatchObject({
      ok: true,
      height: 701,
      common: { height: 700, hash: hashHeader(chain.headerAt(700)) },
      blocks: [hashHeader(chain.headerAt(701)), hashHeader(fork.headerAt(701))],
      accused: named.map((validator) => ({ validator, stake: '1', charge: 'equivocation' })),
      accusedStake: '3',
      totalStake: '4',
    })
  })

  it('the other way round it is the same', async () => {
    const { verdict } = await caught(honest(fork), honest(chain))
    expect(verdict).toMatchObject({ height: 701, common: { height: 700 }, accusedStake: '3' })
  })

  it('who signed both in different rounds is named, as one who may have been misled', async () => {
    const later = new LongChain({
      genesis,
      length: 1_000,
      after: { chain, height: 650 },
      stateRoot: 'ee'.repeat(32) as Hash,
      round: 2,
      signers: traitors,
    })
    const { verdict } = await caught(honest(chain), honest(later))
    expect(verdict).toMatchObject({ height: 651, accused: [{ charge: 'both' }, {}, {}] })
  })

  it('right after the genesis, and from a pinned block', async () => {
    const early = new LongChain({ genesis, length: 1_000, stateRoot: 'ee'.repeat(32) as Hash })
    const pin = { height: 500, hash: hashHeader(chain.headerAt(500)) }
    for (const options of [{}, { pin }])
      expect((await caught(honest(chain), honest(early), options)).verdict).toMatchObject({
        height: 1,
        common: { height: 0, hash: network },
        accusedStake: '4',
      })
  })

  it('where both prune, it is shown at the first height that both keep', async () => {
    const { verdict } = await caught(pruning(chain, 950), pruning(fork, 950))
    expect(verdict).toMatchObject({ ok: true, height: 950, common: { height: 600 }, accusedStake: '3' })
  })

  it('nothing more is answered while it lasts', async () => {
    const { light } = look(honest(chain), honest(fork))
    await refusalOf(light.update())
    expect((await refusalOf(light.update())).code).toBe('forked')
  })
})

/** A block out of nothing: strangers vote on it, and whoever else lends a hand. */
const strange = (...helpers: readonly number[]): LightBlock => {
  const validators = setOf(20, ...helpers)
  const validatorsHash = hashValidators(validators)
  const header = { ...chain.headerAt(1_000), validatorsHash, nextValidatorsHash: validatorsHash }
  return { header, certificate: certify(header, validators), validators: [...validators] }
}

/** Honest but for the newest block. */
const withNewest =
  (block: LightBlock): Headers =>
  (at, options) =>
    at === 'latest' || at === 1_000
      ? options.proof
        ? { ...block, origin: { genesis, hops: chain.hopsBelow(1_000) } }
        : block
      : honest(chain)(at, options)

describe('a block out of nothing, that a third of the trusted stake has signed', () => {
  // Keys 0 and 1 held half of the stake at the genesis, and none at block 1,000.
  const forged = strange(0, 1)
  const guilty = [0, 1]
    .map((at) => keys[at]!.address)
    .sort()
    .map((validator) => ({ validator, stake: '1', charge: 'impossible' }))

  it('deceives who has no witness: that is what they are for', async () => {
    const { light } = lightOn({ [followedUrl]: withNewest(forged) }, network, { now })
    expect(await light.update()).toMatchObject({ hash: hashHeader(forged.header) })
  })

  it('is found out by a witness, and its signers are named by evidence', async () => {
    const { refusal, verdict } = await caught(withNewest(forged), honest(chain))
    expect(refusal.code).toBe('forked')
    expect(verdict).toMatchObject({ ok: true, height: 1_000, accused: guilty })
    expect(refusal.fork!.second.block.header).toEqual(forged.header)
  })

  it('by a witness it is evidence as well', async () => {
    expect((await caught(honest(chain), withNewest(forged))).verdict).toMatchObject({ accused: guilty })
  })
})

describe('a block out of nothing that nobody of the network has signed', () => {
  it('by a witness is a lie of that witness, and no more', async () => {
    const { light } = look(honest(chain), withNewest(strange()))
    expect(await light.update()).toMatchObject({
      height: 1_000,
      complaints: [{ url: witnessUrl, code: 'wrong-validators' }],
    })
  })
})

describe('evidence that is none', async () => {
  const apart = new LongChain({
    genesis,
    length: 1_000,
    changes: { 500: setOf(10, 11, 12, 13) },
    stateRoot: 'ee'.repeat(32) as Hash,
  })
  const { light } = look(honest(chain), honest(fork))
  const evidence = (await refusalOf(light.update())).fork!
  const { common, first, second } = evidence
  const reasonOf = async (changed: unknown, of: NetworkId = network): Promise<string> => {
    const verdict = await verifyFork(JSON.stringify(changed), { network: of })
    return verdict.ok ? 'it holds' : verdict.reason
  }
  const block = { header: { ...second.block.header, stateRoot: 'dd'.repeat(32) as Hash } }

  it.each<[string, unknown, RegExp]>([
    ['the same chain twice', { ...evidence, second: first }, /both branches end at the same block/],
    [
      'an altered block',
      { ...evidence, second: { ...second, block: { ...second.block, ...block } } },
      /second branch: .*certificate does not prove/,
    ],
    [
      'different heights',
      { ...evidence, second: { hops: [], block: fork.lightBlockAt(702) } },
      /different heights, 701 and 702/,
    ],
    [
      'a common block that no validator signed',
      {
        ...evidence,
        common: {
          ...common,
          block: { ...common.block!, certificate: { ...common.block!.certificate, precommits: [] } },
        },
      },
      /common.block.certificate.precommits/,
    ],
    ['hops left out', { ...evidence, common: { ...common, hops: [] } }, /common block: .*hop is missing/],
    [
      'a block of strangers',
      {
        ...evidence,
        first: { hops: [], block: chain.lightBlockAt(1_000) },
        second: { hops: [], block: strange() },
      },
      /no third of the stake .* anybody could have made it up/,
    ],
    [
      'a block of strangers in the first place',
      {
        ...evidence,
        first: { hops: [], block: strange(2, 3) },
        second: { hops: [], block: chain.lightBlockAt(1_000) },
      },
      /first branch: nothing leads/,
    ],
    [
      'a block that does not follow',
      {
        ...evidence,
        second: {
          hops: [],
          block: (() => {
            const header = { ...fork.headerAt(701), parent: 'aa'.repeat(32) as BlockHash }
            return { ...fork.lightBlockAt(701), header, certificate: certify(header, fork.setAt(701)) }
          })(),
        },
      },
      /does not follow from the common one/,
    ],
    [
      'hops that lead to others than have signed',
      {
        ...evidence,
        common: { genesis, hops: [] },
        first: { hops: chain.hopsBelow(1_000), block: chain.lightBlockAt(1_000) },
        second: { hops: chain.hopsBelow(1_000), block: strange(0, 1) },
      },
      /hops do not lead to the validators/,
    ],
    [
      'two chains whose signers have nothing in common by then',
      {
        ...evidence,
        common: { genesis, hops: [] },
        first: { hops: chain.hopsBelow(1_000), block: chain.lightBlockAt(1_000) },
        second: { hops: apart.hopsBelow(1_000), block: apart.lightBlockAt(1_000) },
      },
      /nobody is named by it/,
    ],
    [
      'a block no higher than the common one',
      { ...evidence, second: { hops: [], block: chain.lightBlockAt(700) } },
      /ends at height 700, and the common block is of height 700/,
    ],
    ['an unknown member', { ...evidence, note: 'x' }, /form of a fork/],
  ])('%s', async (_, changed, reason) => {
    expect(await reasonOf(changed)).toMatch(reason)
  })

  it('no JSON', async () => {
    expect(await verifyFork('{', { network })).toMatchObject({ ok: false })
  })

  it('for another network', async () => {
    expect(await reasonOf(evidence, 'a'.repeat(64) as NetworkId)).toMatch(/evidence is of network/)
  })

  it('as it was, it holds', async () => {
    expect(await reasonOf(evidence)).toBe('it holds')
  })
})
