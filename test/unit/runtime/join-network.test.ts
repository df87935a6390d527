import { describe, expect, it } from 'vitest'
import type { Json } from '../../../src/codec/json.ts'
import { networkOf } from '../../../src/ledger/genesis.ts'
import { networkOfOne } from '../../../src/node/network-of-one.ts'
import { type Header, hashHeader, headerSchema } from '../../../src/objects/block.ts'
import { parseJoinString } from '../../../src/objects/join-string.ts'
import type { PlainAnswer } from '../../../src/ports/transport.ts'
import { joinNetwork } from '../../../src/runtime/join-network.ts'
import { type BlockHash, unixMs } from '../../../src/units.ts'
import { genesisTime, testSigner } from '../../faults/whole-node.ts'
import { accountAnswer } from '../client/small-chain.ts'

const genesis = networkOfOne(testSigner.address, 'friends', genesisTime)
const network = networkOf(genesis)
const strangers = networkOfOne(testSigner.address, 'strangers', genesisTime)
const header: Header = headerSchema.parse((accountAnswer() as { proof: { header: Json } }).proof.header)
const { height } = header
const a = 'https://a.example'
const b = 'https://b.example'

type Answers = Readonly<Record<string, unknown>>
const honest: Answers = { '/v1/genesis': genesis, [`/v1/blocks/${height}`]: { block: { header } } }

/** Joins where each URL gives its answers, and everything else is a 404. */
const join = async (
  strings: readonly string[],
  hosts: Readonly<Record<string, Answers>>,
  now: number = header.time,
) => {
  const warnings: string[] = []
  const request = async (url: string, { path }: { path: string }): Promise<PlainAnswer> => {
    const answers = hosts[url]
    if (!answers) throw new Error('connect ECONNREFUSED')
    if (!(path in answers)) return { status: 404, text: '{}' }
    return { status: 200, text: JSON.stringify(answers[path]) }
  }
  const log = { debug() {}, info() {}, error() {}, warn: (message: string) => void warnings.push(message) }
  const joins = strings.map(parseJoinString)
  return {
    genesis: await joinNetwork({ joins, transport: { request }, clock: { now: () => unixMs(now) }, log }),
    warnings,
  }
}

const pinned = (url: string, hash: BlockHash = hashHeader(header)): string =>
  `${url}#${network}@${height}:${hash}`

describe('a join string leads into its network', () => {
  it('by the genesis that has its hash, and the block that it names', async () => {
    expect(await join([pinned(a)], { [a]: honest })).toEqual({ genesis, warnings: [] })
  })

  it('without a block, and says that it takes recency on the word of the URL', async () => {
    const joined = await join([`${a}#${network}`], { [a]: honest })
    expect(joined.genesis).toEqual(genesis)
    expect(joined.warnings).toEqual([expect.stringMatching(/https:\/\/a\.example .* on its word/)])
  })

  it('with a block beyond the trusting period, and says that it pins nothing', async () => {
    const late = header.time + genesis.parameters.trustingPeriodMs + 1
    const { warnings } = await join([pinned(a)], { [a]: honest }, late)
    expect(warnings).toEqual([expect.stringMatching(/older than the trusting period/)])
  })

  it('by the second URL when the first is down', async () => {
    expect((await join([pinned(b), pinned(a)], { [a]: honest })).genesis).toEqual(genesis)
  })
})

describe('is refused, with the reason', () => {
  it.each<[string, string, Answers, RegExp]>([
    [
      'another network',
      pinned(a),
      { ...honest, '/v1/genesis': strangers },
      new RegExp(`is of network ${networkOf(strangers)}, and the join string of ${network}`),
    ],
    ['no node', pinned(a), { '/v1/genesis': 'hello' }, /answers 200 and no genesis/],
    [
      'a genesis that contradicts itself',
      pinned(a),
      { '/v1/genesis': { ...genesis, validators: [{ address: testSigner.address, stake: '1' }] } },
      /contradicts itself: a stake is below the least/,
    ],
    ['a chain that is too short', pinned(a), { '/v1/genesis': genesis }, /has no block \d+ yet/],
    [
      'a chain with another block there',
      pinned(a, 'ab'.repeat(32) as BlockHash),
      honest,
      new RegExp(
        `is ${hashHeader(header)}, and the join string says (ab){32}: one of them is of another history`,
      ),
    ],
  ])('%s', async (_, text, answers, why) => {
    await expect(join([text], { [a]: answers })).rejects.toThrow(why)
  })

  it('all URLs, each with its own', async () => {
    const both = join([pinned(a), pinned(b)], { [b]: { ...honest, '/v1/genesis': strangers } })
    await expect(both).rejects.toThrow(
      /can't be joined: .*a\.example gives no answer \(connect ECONNREFUSED\); .*b\.example is of network/,
    )
  })
})
