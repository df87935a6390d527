import { describe, expect, test } from 'vitest'
import {
  type Evidence,
  evidenceOf,
  evidenceSchema,
  evidenceText,
  flawOfEvidence,
  flawOfEvidenceList,
  maxEvidence,
} from '../../../src/objects/evidence.ts'
import type { ConsensusMessage } from '../../../src/objects/vote.ts'
import { type Address, type BlockHash, height, type NetworkId, round } from '../../../src/units.ts'
import { precommitBy, prevoteBy, proposalBy } from './messages.ts'
import { alice, bob, network } from './samples.ts'

const one = '77'.repeat(32) as BlockHash
const other = '88'.repeat(32) as BlockHash
const [a, b] = [alice as Address, bob as Address]
const here = network as NetworkId

describe('what two messages of one validator prove', () => {
  const pairs: readonly (readonly [string, ConsensusMessage, ConsensusMessage])[] = [
    ['prevotes for two blocks', prevoteBy(a, { block: one }), prevoteBy(a, { block: other })],
    ['a prevote for a block and one for nil', prevoteBy(a, { block: one }), prevoteBy(a, {})],
    [
      'prevotes that rely on different polkas',
      prevoteBy(a, { block: one, polkaRound: round(0), round: round(2) }),
      prevoteBy(a, { block: one, polkaRound: round(1), round: round(2) }),
    ],
    ['precommits for two blocks', precommitBy(a, { block: one }), precommitBy(a, { block: other })],
    ['proposals of two blocks', proposalBy(a, { block: one }), proposalBy(a, { block: other })],
  ]

  test.for(pairs)('%s: that it contradicts itself, in one order only', ([, first, second]) => {
    const evidence = evidenceOf(first, second)
    expect(flawOfEvidence(evidence)).toBeUndefined()
    expect(evidenceOf(second, first)).toEqual(evidence)
    expect(evidenceSchema.parse(evidence)).toEqual(evidence)
    expect(flawOfEvidence({ first: evidence.second, second: evidence.first })).toMatch(/not in order/)
  })

  test.for<readonly [string, ConsensusMessage]>([
    ['another validator', prevoteBy(b, { block: other })],
    ['another round', prevoteBy(a, { block: other, round: round(2) })],
    ['another height', prevoteBy(a, { block: other, height: height(4) })],
    ['another network', prevoteBy(a, { block: other, network: '12'.repeat(32) as NetworkId })],
    ['another kind', precommitBy(a, { block: other })],
  ])('nothing, when one is of %s', ([, second]) => {
    expect(flawOfEvidence(evidenceOf(prevoteBy(a, { block: one }), second))).toMatch(/not of one validator/)
  })

  test('nothing, when they say the same under two signatures', () => {
    const message = prevoteBy(a, { block: one })
    const again = { ...message, signature: '0'.repeat(128) as typeof message.signature }
    expect(flawOfEvidence({ first: message, second: again })).toMatch(/say the same/)
  })
})

describe('the evidence of a block', () => {
  const against = (validator: Address): Evidence =>
    evidenceOf(prevoteBy(validator, { block: one }), prevoteBy(validator, { block: other }))
  const sorted = [against(a), against(b)].sort((left, right) =>
    evidenceText(left) < evidenceText(right) ? -1 : 1,
  )

  test('may be none, or sorted by its text', () => {
    expect(flawOfEvidenceList([], here)).toBeUndefined()
    expect(flawOfEvidenceList(sorted, here)).toBeUndefined()
  })

  test('in another order, or twice, is refused', () => {
    expect(flawOfEvidenceList([...sorted].reverse(), here)).toMatch(/not sorted/)
    expect(flawOfEvidenceList([sorted[0]!, sorted[0]!], here)).toMatch(/not sorted/)
  })

  test('against one validator twice is refused', () => {
    const twice = [evidenceOf(precommitBy(a, { block: one }), precommitBy(a, {})), against(a)].sort(
      (left, right) => (evidenceText(left) < evidenceText(right) ? -1 : 1),
    )
    expect(flawOfEvidenceList(twice, here)).toMatch(/same validator/)
  })

  test('of another network is refused', () => {
    expect(flawOfEvidenceList([against(a)], '12'.repeat(32) as NetworkId)).toMatch(/of network/)
  })

  test('that is none is refused', () => {
    const { first, second } = against(a)
    expect(flawOfEvidenceList([{ first: second, second: first }], here)).toMatch(/evidence 0 is none/)
  })

  test('beyond the bound is refused before anything else is looked at', () => {
    const many = Array.from({ length: maxEvidence + 1 }, () => against(a))
    expect(flawOfEvidenceList(many, here)).toMatch(/17 pieces/)
  })
})
