import { describe, expect, it } from 'vitest'
import { diagnose, lateMs, lateValidators } from '../../../src/cli/diagnosis.ts'
import type { ConsensusStatus, Status } from '../../../src/node/service.ts'
import { createNodeSigner } from '../../../src/runtime/node/keys.ts'
import { amount, type BlockHash, height, type NetworkId, round, unixMs } from '../../../src/units.ts'

const addresses = [1, 2, 3, 4].map((byte) => createNodeSigner(new Uint8Array(32).fill(byte)).address)
const [self, second, third, fourth] = addresses as [(typeof addresses)[0], ...typeof addresses]
const all = addresses.map((address) => ({ address, stake: amount(250n) }))
const only = (...present: readonly string[]) => all.filter(({ address }) => !present.includes(address))

const block = 'ab'.repeat(32) as BlockHash
const since = unixMs(Date.UTC(2026, 0, 2, 3, 4, 5))
const later = (ms: number) => unixMs(since + ms)

const status: Status = {
  version: '0',
  network: 'a3'.repeat(32) as NetworkId,
  name: 'friends',
  node: { address: self, url: 'http://x' },
  head: { height: height(11), hash: block, time: since },
  oldest: height(1),
  validators: 4,
  peers: 1,
  mempool: { transactions: 3, bytes: 900 },
  syncing: false,
  join: '',
}
const quiet: Status = { ...status, mempool: { transactions: 0, bytes: 0 } }

const idle: ConsensusStatus = {
  height: height(12),
  round: round(0),
  step: 'propose',
  proposer: second!,
  active: false,
  totalStake: amount(1_000n),
  prevotes: { values: [], missing: all },
  precommits: { values: [], missing: all },
  since,
  linked: [second!],
}
const active: ConsensusStatus = { ...idle, active: true }
const prevoting: ConsensusStatus = {
  ...active,
  step: 'prevote',
  round: round(3),
  prevotes: { values: [{ block, stake: amount(500n) }], missing: only(self, second!) },
}

describe('a network that moves', () => {
  it('has nothing to decide', () => {
    expect(diagnose(idle, quiet, later(9_999_999))).toEqual({
      moves: true,
      sentences: ['Nothing waits to be decided: block 12 begins with the next transaction.'],
    })
  })

  it('is deciding, and nobody is late yet', () => {
    expect(diagnose(active, status, later(lateMs - 1))).toEqual({
      moves: true,
      sentences: ['Block 12 is being decided, in round 0.'],
    })
    expect(lateValidators(active, status, later(lateMs - 1))).toEqual([])
  })

  it('is being caught up with', () => {
    const sync = { target: height(500), sources: 3 }
    expect(diagnose(prevoting, { ...status, syncing: true, sync }, later(75_000))).toEqual({
      moves: true,
      sentences: [
        'This node is catching up: it is at height 11 of 500, and 3 can be asked for the rest. Ask one that is not behind about the votes.',
      ],
    })
  })
})

describe('a network that does not move', () => {
  it('a node that is behind, and has nobody to ask any more', () => {
    const refused = { peer: fourth!, reason: 'block 12: its certificate is false' }
    const sync = { target: height(500), sources: 0, refused }
    const { moves, sentences } = diagnose(idle, { ...quiet, sync }, later(0))
    expect(moves).toBe(false)
    expect(sentences[0]).toMatch(/height 11 of 500, and nobody can be asked for the rest/)
    expect(sentences[0]).toContain(
      `${fourth} is left alone for a while, since block 12: its certificate is false`,
    )
  })

  it('two of four are gone: whose votes, how much stake, since when, and what follows', () => {
    expect(diagnose(prevoting, status, later(75_000))).toEqual({
      moves: false,
      sentences: [
        'Block 12 is not decided: round 3 waits for prevotes, since 2026-01-02T03:04:05.000Z, 75 s ago.',
        'Missing are:',
        `  ${third}, with 250 of 1000 (25.0 %) of the stake, not linked with this node`,
        `  ${fourth}, with 250 of 1000 (25.0 %) of the stake, not linked with this node`,
        'That is 500 of 1000 (50.0 %) of the stake. A block takes more than two thirds, so none is made until some of these are back; reads go on.',
      ],
    })
    expect(lateValidators(prevoting, status, later(75_000))).toEqual([third, fourth])
  })

  it('a proposer that does not come, and is known by a link', () => {
    const { moves, sentences } = diagnose(active, status, later(lateMs))
    expect(moves).toBe(false)
    expect(sentences.slice(0, 3)).toEqual([
      'Block 12 is not decided: round 0 waits for a proposal, since 2026-01-02T03:04:05.000Z, 1 s ago.',
      'Missing is:',
      `  ${second}, with 250 of 1000 (25.0 %) of the stake, linked with this node`,
    ])
    expect(sentences.at(-1)).toMatch(/Another validator proposes in the next round/)
  })

  it('precommits of a quorum that differ', () => {
    const precommits = {
      values: [{ stake: amount(500n) }, { block, stake: amount(250n) }],
      missing: only(self, second!, third!),
    }
    const split: ConsensusStatus = { ...prevoting, step: 'precommit', precommits }
    const { sentences } = diagnose(split, status, later(5_000))
    expect(sentences[0]).toContain('waits for precommits')
    expect(sentences.at(-1)).toMatch(/The others are enough, if they vote for the same/)
  })

  it('this node itself does not sign', () => {
    const missing = only(second!, third!, fourth!)
    const unsigned = { ...prevoting, prevotes: { values: [], missing } }
    expect(diagnose(unsigned, status, later(5_000)).sentences).toContainEqual(
      expect.stringMatching(new RegExp(`${self}.*this node itself, whose log says why`)),
    )
  })

  it('is seen by one who only observes, too', () => {
    expect(diagnose({ ...prevoting, active: false }, quiet, later(75_000)).moves).toBe(false)
    expect(diagnose(idle, status, later(75_000)).moves).toBe(false)
  })

  it('a node without links says that it hears nobody', () => {
    const alone = diagnose({ ...prevoting, linked: [] }, status, later(75_000))
    expect(alone.sentences.at(-1)).toMatch(/no link to anybody/)
    const one = diagnose(
      { ...prevoting, linked: [], proposer: self },
      { ...status, validators: 1 },
      later(75_000),
    )
    expect(one.sentences.at(-1)).not.toMatch(/no link/)
  })

  it.each([
    [119_000, '119 s'],
    [600_000, '10 min'],
    [9 * 3_600_000, '9 h'],
  ])('for %i ms: %s', (ms, words) => {
    expect(diagnose(prevoting, status, later(ms)).sentences[0]).toContain(`, ${words} ago`)
  })
})
