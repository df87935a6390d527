import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { run } from '../../../src/cli/program.ts'
import type { ConsensusMessage, UnsignedMessage } from '../../../src/objects/vote.ts'
import type { Signer } from '../../../src/ports/keys.ts'
import { type BlockHash, height, round } from '../../../src/units.ts'
import { type SmallNetwork, signers, signMessage, smallNetwork } from '../node/small-network.ts'
import { fakeTerminal } from './fake-terminal.ts'

const [a, b, c, d] = signers as readonly [Signer, Signer, Signer, Signer]
const [one, other] = ['77'.repeat(32), '88'.repeat(32)] as [BlockHash, BlockHash]

let folder: string
let network: SmallNetwork

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tautline-blame-'))
  network = await smallNetwork()
})
afterAll(() => rm(folder, { recursive: true, force: true }))

type Said = Pick<UnsignedMessage, 'kind' | 'block'> & { readonly in: number; readonly polkaRound?: number }

const by = (signer: Signer, { in: at, ...said }: Said): Promise<ConsensusMessage> =>
  signMessage(signer, {
    network: network.chain.network,
    height: height(1),
    round: round(at),
    ...said,
  } as Omit<UnsignedMessage, 'validator'>)

const all = (from: readonly Signer[], said: Said) => Promise.all(from.map((signer) => by(signer, said)))

/** Of all that was said of height 1, so that a file can hold it. */
const validators = () => ({
  height: 1,
  totalStake: '1000000000',
  validators: network.chain.head.validators.list,
})

const certificate = (block: BlockHash, at: number, precommits: readonly ConsensusMessage[]) => ({
  height: 1,
  round: at,
  block,
  precommits: precommits.map(({ validator, signature }) => ({ validator, signature })),
})

const look = async (lines: readonly unknown[], ...flags: readonly string[]) => {
  const file = join(folder, 'collected.jsonl')
  const texts = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line)))
  await writeFile(file, texts.join('\n'))
  const terminal = fakeTerminal()
  const exitCode = await run(['blame', file, '--network', network.chain.network, ...flags], terminal)
  return { exitCode, out: terminal.printed.join('\n'), err: terminal.complained.join('\n') }
}

/** A and B, C forget what they precommitted in round 0, and decide another block with D in round 1. */
const fork = async () => {
  const first = await all([a, b, c], { kind: 'precommit', block: one, in: 0 })
  const second = await all([b, c, d], { kind: 'precommit', block: other, in: 1 })
  return [
    validators(),
    ...(await all([a, b, c], { kind: 'prevote', block: one, in: 0 })),
    ...(await all([b, c, d], { kind: 'prevote', block: other, in: 1 })),
    certificate(one, 0, first),
    '',
    { hash: other, block: {}, certificate: certificate(other, 1, second) },
  ]
}

describe('a fork out of collected messages', () => {
  it('is shown as a table: who did what, and what is proven', async () => {
    const { exitCode, out, err } = await look(await fork())
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' })
    expect(out.split('\n')).toEqual([
      'Height 1: a fork: 2 blocks decided, 77777777 in round 0 and 88888888 in round 1.',
      `${b.address}  250000000  amnesia: precommit of 77777777 in round 0, then prevote of 88888888 in round 1`,
      `${c.address}  250000000  amnesia: precommit of 77777777 in round 0, then prevote of 88888888 in round 1`,
      'Proven against 500000000 of 1000000000 staked units, more than the third that a fork takes.',
    ])
  })

  it('for programs, with the messages that prove it', async () => {
    const { out } = await look(await fork(), '--json')
    const { heights } = JSON.parse(out)
    expect(heights).toMatchObject([
      {
        height: 1,
        decided: [
          { block: one, round: 0 },
          { block: other, round: 1 },
        ],
        provenStake: '500000000',
        namedStake: '500000000',
        totalStake: '1000000000',
      },
    ])
    expect(heights[0].findings[0]).toEqual({
      validator: b.address,
      stake: '250000000',
      kind: 'amnesia',
      messages: [
        await by(b, { kind: 'precommit', block: one, in: 0 }),
        await by(b, { kind: 'prevote', block: other, in: 1 }),
      ],
    })
  })

  it('says what is missing when the two certificates are all that there is', async () => {
    const lines = (await fork()).filter((line) => typeof line === 'string' || !('kind' in line))
    const { out } = await look(lines)
    expect(out).toContain('unexplained: precommit of 77777777 in round 0, and no two thirds are known to')
    expect(out).toContain('Proven against 0 of 1000000000 staked units, less than the third')
  })
})

it('an equivocation is named without a fork', async () => {
  const { out } = await look([
    validators(),
    await by(a, { kind: 'prevote', block: one, in: 2, polkaRound: 1 }),
    await by(a, { kind: 'prevote', in: 2 }),
  ])
  expect(out.split('\n')).toEqual([
    'Height 1: these messages decide nothing.',
    `${a.address}  250000000  equivocation: prevote of 77777777 in round 2, on the polka of round 1 and prevote of nil in round 2`,
    'Proven against 250000000 of 1000000000 staked units.',
  ])
})

it('nobody is named for a message that somebody else signed, or that is of another network', async () => {
  const forged = {
    ...(await by(b, { kind: 'prevote', in: 0 })),
    signature: (await by(a, { kind: 'prevote', in: 0 })).signature,
  }
  const foreign = { ...(await by(b, { kind: 'prevote', in: 0 })), network: '12'.repeat(32) }
  const { out, err } = await look([
    validators(),
    await by(b, { kind: 'prevote', block: one, in: 0 }),
    forged,
    foreign,
  ])
  expect(out).toBe('Height 1: these messages decide nothing.\nNobody is named.')
  expect(err).toContain('2 messages are left out')
})

describe('what can not be looked into', () => {
  it.each<[string, () => Promise<readonly unknown[]>, RegExp]>([
    [
      'a height whose validators nobody tells',
      async () => [await by(a, { kind: 'prevote', in: 0 })],
      /GET \/v1\/validators\?height=1/,
    ],
    ['no messages at all', async () => [validators()], /no message in these files/],
    [
      'a line that is something else',
      async () => [validators(), { kind: 'vote' }],
      /collected.jsonl, line 2: /,
    ],
    ['a line that is no JSON', async () => ['{'], /collected.jsonl, line 1: /],
  ])('%s', async (_, lines, complaint) => {
    const { exitCode, err } = await look(await lines())
    expect(exitCode).toBe(2)
    expect(err).toMatch(complaint)
  })

  it('a file that is not there', async () => {
    const terminal = fakeTerminal()
    const missing = join(folder, 'missing')
    expect(await run(['blame', missing, '--network', network.chain.network], terminal)).toBe(2)
    expect(terminal.complained.join('\n')).toContain('there is no such file')
  })
})
