import { describe, expect, test } from 'vitest'
import type { ZodType } from 'zod'
import { type Json, parseJson } from '../../../src/codec/json.ts'
import { blockSchema, headerSchema } from '../../../src/objects/block.ts'
import { evidenceSchema } from '../../../src/objects/evidence.ts'
import { genesisSchema } from '../../../src/objects/genesis.ts'
import { defaultParameters, parametersSchema } from '../../../src/objects/parameters.ts'
import { unsignedTransactionSchema } from '../../../src/objects/transaction.ts'
import { holdsHonest, isQuorum, validatorSchema, validatorSet } from '../../../src/objects/validators.ts'
import {
  certificateSchema,
  precommitSchema,
  prevoteSchema,
  proposalSchema,
} from '../../../src/objects/vote.ts'
import { alice, bob, header, type Members, network, signature, signed, unsigned } from './samples.ts'

const place = { network, height: 3, round: 1 }
const by = { validator: alice, signature }
const block = '77'.repeat(32)
const genesis = {
  name: 'sample',
  time: 0,
  parameters: defaultParameters,
  accounts: [
    { address: alice, balance: '1' },
    { address: bob, balance: '0' },
  ],
  validators: [{ address: alice, stake: '5' }],
} satisfies Members

const objects: readonly (readonly [string, ZodType, Members, readonly string[]])[] = [
  ['header', headerSchema, header, []],
  ['unsigned transaction', unsignedTransactionSchema, unsigned, ['memo']],
  ['block', blockSchema, { header, evidence: [], transactions: [signed] }, []],
  ['genesis', genesisSchema, genesis, []],
  ['parameters', parametersSchema, defaultParameters, []],
  ['validator', validatorSchema, { address: alice, stake: '5' }, []],
  ['proposal', proposalSchema, { kind: 'proposal', ...place, block, polkaRound: 0, ...by }, ['polkaRound']],
  [
    'prevote',
    prevoteSchema,
    { kind: 'prevote', ...place, block, polkaRound: 0, ...by },
    ['block', 'polkaRound'],
  ],
  ['precommit', precommitSchema, { kind: 'precommit', ...place, block, ...by }, ['block']],
  [
    'evidence',
    evidenceSchema,
    {
      first: { kind: 'precommit', ...place, block, ...by },
      second: { kind: 'precommit', ...place, ...by },
    },
    [],
  ],
  ['certificate', certificateSchema, { height: 3, round: 1, block, precommits: [by] }, []],
]

const accepts = (schema: ZodType, value: Json): boolean => schema.safeParse(value).success

describe.for(objects)('%s', ([, schema, sample, optional]) => {
  test('is taken as it is, and comes out as it went in', () => {
    expect(schema.parse(sample)).toEqual(sample)
  })

  test('is refused with a member missing, of another type, or null', () => {
    for (const name of Object.keys(sample)) {
      const { [name]: _left, ...rest } = sample
      expect([name, accepts(schema, rest)]).toEqual([name, optional.includes(name)])
      for (const wrong of [null, true, '', -1, 0.5, {}, 'x', '\ud800']) {
        // A time of 0, an empty list of evidence and the like are right; what is tried here never is.
        const isText =
          (name === 'name' && wrong === 'x') || (name === 'memo' && (wrong === 'x' || wrong === ''))
        expect([name, wrong, accepts(schema, { ...sample, [name]: wrong })]).toEqual([name, wrong, isText])
      }
    }
  })

  test.for(['extra', '__proto__', 'constructor', 'toString', ''])('is refused with a member "%s"', (name) => {
    const text = JSON.stringify(sample).replace(/}$/, `,${JSON.stringify(name)}:{}}`)
    expect(accepts(schema, parseJson(text))).toBe(false)
  })
})

describe('what must be sorted and unique', () => {
  const lists: readonly (readonly [string, Json])[] = [
    ['accounts', genesis.accounts],
    [
      'validators',
      [
        { address: alice, stake: '5' },
        { address: bob, stake: '5' },
      ],
    ],
  ]

  test.for(lists)('%s of a genesis', ([name, list]) => {
    const [first, second] = list as readonly [Json, Json]
    expect(accepts(genesisSchema, { ...genesis, [name]: [first, second] })).toBe(true)
    expect(accepts(genesisSchema, { ...genesis, [name]: [second, first] })).toBe(false)
    expect(accepts(genesisSchema, { ...genesis, [name]: [first, first] })).toBe(false)
  })

  test('a genesis may have no accounts, but not no validators', () => {
    expect(accepts(genesisSchema, { ...genesis, accounts: [] })).toBe(true)
    expect(accepts(genesisSchema, { ...genesis, validators: [] })).toBe(false)
  })
})

describe('shares of the stake', () => {
  test.for<[bigint, bigint, boolean, boolean]>([
    [0n, 1n, false, false],
    [1n, 1n, true, true],
    [1n, 3n, false, false],
    [2n, 3n, false, true],
    [3n, 3n, true, true],
    [2n, 4n, false, true],
    [3n, 4n, true, true],
    [2n ** 127n, 3n * 2n ** 126n, false, true],
    [2n ** 127n + 1n, 3n * 2n ** 126n, true, true],
    [2n ** 126n, 3n * 2n ** 126n, false, false],
    [2n ** 126n + 1n, 3n * 2n ** 126n, false, true],
    [0n, 0n, false, false],
  ])('%d of %d', ([stake, total, quorum, honest]) => {
    expect([isQuorum(stake, total), holdsHonest(stake, total)]).toEqual([quorum, honest])
  })

  test('a set adds up its stakes beyond what a number holds', () => {
    const list = [alice, bob].map((address) => validatorSchema.parse({ address, stake: `${2n ** 100n}` }))
    expect(validatorSet(list).total).toBe(2n ** 101n)
  })
})
