import { describe, expect, test } from 'vitest'
import { type Blame, blame } from '../../../src/consensus/blame.ts'
import type { Input } from '../../../src/consensus/input.ts'
import type { Verified } from '../../../src/objects/verified.ts'
import type { ConsensusMessage } from '../../../src/objects/vote.ts'
import type { Address } from '../../../src/units.ts'
import { addresses, block, brief, height, network, precommit, prevote, proposal, setOf } from './actor.ts'

/** Four with equal stakes: three are a quorum, and two share any two quorums. */
const validators = setOf(1, 1, 1, 1)
const [a, b, c, d] = addresses as [Address, Address, Address, Address]
const names = new Map([
  [a, 'a'],
  [b, 'b'],
  [c, 'c'],
  [d, 'd'],
])

const heard = (inputs: readonly Input[]): readonly Verified<ConsensusMessage>[] =>
  inputs.flatMap((input) => ('message' in input ? [input.message] : []))

const lookInto = (...inputs: readonly Input[]): Blame => blame({ network, height, validators }, heard(inputs))

/** `b equivocation: prevote 0 A, prevote 0 nil` */
const written = ({ findings }: Blame): readonly string[] =>
  findings.map(
    ({ validator, charge }) =>
      `${names.get(validator)} ${charge.kind}: ${charge.messages.map(brief).join(', ')}`,
  )

const polka = (round: number, name: string, from: readonly Address[], since?: number): readonly Input[] =>
  from.map((validator) => prevote(validator, round, name, since))
const precommits = (round: number, name: string, from: readonly Address[]): readonly Input[] =>
  from.map((validator) => precommit(validator, round, name))

describe('equivocation', () => {
  test('two prevotes, two precommits and two proposals of one round', () => {
    const found = lookInto(
      prevote(a, 0, 'A'),
      prevote(a, 0),
      precommit(b, 3, 'A'),
      precommit(b, 3, 'B'),
      proposal(c, 1, 'A'),
      proposal(c, 1, 'A', { polkaRound: 0 }),
      prevote(d, 0, 'A'),
      prevote(d, 1, 'B'),
    )
    expect(written(found)).toEqual([
      'a equivocation: prevote 0 A, prevote 0 nil',
      'b equivocation: precommit 3 A, precommit 3 B',
      'c equivocation: proposal 1 A, proposal 1 A since 0',
    ])
    expect(found).toMatchObject({ decided: [], provenStake: 3n, namedStake: 3n, totalStake: 4n })
  })

  test('the same message heard twice is none', () => {
    expect(written(lookInto(prevote(a, 0, 'A'), prevote(a, 0, 'A')))).toEqual([])
  })
})

describe('amnesia', () => {
  test('who has precommitted a block prevotes another, on no polka or an older one', () => {
    const found = lookInto(
      precommit(a, 1, 'A'),
      prevote(a, 2, 'B'),
      prevote(b, 3, 'B', 0),
      precommit(b, 1, 'A'),
      precommit(c, 1, 'A'),
      prevote(c, 2, 'B', 1),
      precommit(d, 1, 'A'),
      prevote(d, 2, 'A'),
    )
    expect(written(found)).toEqual([
      'a amnesia: precommit 1 A, prevote 2 B',
      'b amnesia: precommit 1 A, prevote 3 B since 0',
    ])
  })

  test('prevotes for nil, and those before the precommit, forget nothing', () => {
    expect(
      written(lookInto(prevote(a, 0, 'B'), prevote(a, 1, 'B'), precommit(a, 1, 'A'), prevote(a, 2))),
    ).toEqual([])
  })

  test('a newer lock is forgotten, though an older one allows the prevote', () => {
    expect(written(lookInto(precommit(a, 0, 'A'), precommit(a, 2, 'C'), prevote(a, 3, 'B', 1)))).toEqual([
      'a amnesia: precommit 2 C, prevote 3 B since 1',
    ])
  })

  test('what no honest validator hears proves nothing: a polka of the own or a later round', () => {
    expect(written(lookInto(precommit(a, 0, 'A'), prevote(a, 1, 'B', 1), prevote(a, 2, 'B', 9)))).toEqual([])
  })
})

describe('a fork', () => {
  test('in one round: the two certificates alone name those who signed both', () => {
    const found = lookInto(...precommits(0, 'A', [a, b, c]), ...precommits(0, 'B', [b, c, d]))
    expect(found.decided.map((choice) => choice.block)).toEqual([block('A'), block('B')])
    expect(written(found)).toEqual([
      'b equivocation: precommit 0 A, precommit 0 B',
      'c equivocation: precommit 0 A, precommit 0 B',
    ])
    expect(found.provenStake).toBe(2n)
  })

  test('in two rounds by amnesia: those who forgot are named, and all others explained', () => {
    const found = lookInto(
      ...polka(0, 'A', [a, b, c]),
      ...precommits(0, 'A', [a, b, c]),
      ...polka(1, 'B', [b, c, d]),
      ...precommits(1, 'B', [b, c, d]),
    )
    expect(written(found)).toEqual([
      'b amnesia: precommit 0 A, prevote 1 B',
      'c amnesia: precommit 0 A, prevote 1 B',
    ])
    expect(found).toMatchObject({ provenStake: 2n, namedStake: 2n })
  })

  test('with a polka that never was: those who cite it are asked for it', () => {
    const found = lookInto(
      ...polka(0, 'A', [a, b, c]),
      ...precommits(0, 'A', [a, b, c]),
      ...polka(2, 'B', [b, c], 1),
      prevote(d, 2, 'B'),
      ...precommits(2, 'B', [b, c, d]),
    )
    expect(written(found)).toEqual([
      'b unexplained: prevote 2 B since 1',
      'c unexplained: prevote 2 B since 1',
    ])
    expect(found.findings[0]!.charge).toMatchObject({ polka: { block: block('B'), round: 1 } })
    expect(found).toMatchObject({ provenStake: 0n, namedStake: 2n })
  })

  test('with two polkas of one round: their common voters have equivocated', () => {
    const found = lookInto(
      ...polka(0, 'A', [a, b, c]),
      ...polka(0, 'B', [b, c, d]),
      ...precommits(0, 'A', [a, b, c]),
      ...polka(1, 'B', [b, c, d], 0),
      ...precommits(1, 'B', [b, c, d]),
    )
    expect(written(found)).toEqual([
      'b equivocation: prevote 0 A, prevote 0 B',
      'c equivocation: prevote 0 A, prevote 0 B',
    ])
  })

  test('is not one when a single block was decided twice', () => {
    const found = lookInto(...precommits(0, 'A', [a, b, c]), ...precommits(1, 'A', [b, c, d]))
    expect(found.decided).toHaveLength(1)
    expect(written(found)).toEqual([])
  })
})

test('messages of strangers and of other heights count for nothing', () => {
  const [stranger] = addresses.slice(8) as [Address]
  const elsewhere = heard([prevote(a, 0, 'A'), prevote(a, 0, 'B')])
  const found = blame({ network, height: (height + 1) as typeof height, validators }, elsewhere)
  expect(written(found)).toEqual([])
  expect(written(lookInto(prevote(stranger, 0, 'A'), prevote(stranger, 0, 'B')))).toEqual([])
})
