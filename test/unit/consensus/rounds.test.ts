/** One height, seen by one validator of a few: Algorithm 1 rule by rule. */
import { describe, expect, test } from 'vitest'
import { verified } from '../../../src/objects/verified.ts'
import { type Address, round as asRound, nextHeight } from '../../../src/units.ts'
import {
  Actor,
  addresses,
  block,
  brief,
  height,
  kinds,
  nothingPending,
  only,
  pending,
  precommit,
  prevote,
  proposal,
  proposersIn,
  roundsBegun,
  said,
  scheduled,
  setOf,
  timeout,
  value,
} from './actor.ts'

const validators = setOf(1, 1, 1, 1)
const [first, second, third, self] = proposersIn(validators) as [Address, Address, Address, Address]
const voter = () => new Actor({ validators, self })

describe('a round that goes well', () => {
  test('a set of one decides in one go', () => {
    const alone = setOf(5)
    const actor = new Actor({ validators: alone, self: addresses[0]! })

    expect(only(actor.give(pending), 'propose')).toHaveLength(1)
    const effects = actor.give(value(0, 'A'))

    expect(said(effects)).toEqual(['proposal 0 A', 'prevote 0 A', 'precommit 0 A'])
    const [decision] = only(effects, 'decide')
    expect(decision!.certificate).toMatchObject({ height: 1, round: 0, block: block('A') })
    expect(decision!.certificate.precommits.map(({ validator }) => validator)).toEqual([addresses[0]])
    expect(kinds(effects).at(-1)).toBe('cancel-timers')
    expect(actor.machine.active).toBe(false)
  })

  test('the proposer asks for a block once, and offers it once', () => {
    const actor = new Actor({ validators, self: first })

    expect(kinds(actor.give(pending))).toEqual(['round', 'propose', 'schedule'])
    expect(actor.give(pending)).toEqual([])
    expect(said(actor.give(value(0, 'A'), value(0, 'B')))).toEqual(['proposal 0 A', 'prevote 0 A'])
  })

  test('a block that was built too late is not offered', () => {
    const actor = new Actor({ validators, self: first })
    actor.give(pending, timeout('propose', 0))

    expect(said(actor.give(value(0, 'A')))).toEqual([])
  })

  test('three of four decide, the certificate sorted by validator', () => {
    const actor = voter()

    expect(said(actor.give(proposal(first, 0, 'A')))).toEqual(['prevote 0 A'])
    expect(said(actor.give(prevote(first, 0, 'A')))).toEqual([])
    expect(said(actor.give(prevote(second, 0, 'A')))).toEqual(['precommit 0 A'])
    expect(kinds(actor.give(precommit(second, 0, 'A'), precommit(third, 0)))).toEqual(['schedule'])
    const [decision] = only(actor.give(precommit(first, 0, 'A')), 'decide')

    const signers = decision!.certificate.precommits.map(({ validator }) => validator)
    expect(signers).toEqual([first, second, self].sort())
  })

  test('votes that arrive before the proposal count once it is here', () => {
    const actor = voter()
    actor.give(precommit(first, 0, 'A'), precommit(second, 0, 'A'))
    actor.give(prevote(first, 0, 'A'), prevote(second, 0, 'A'))

    const effects = actor.give(proposal(first, 0, 'A'))

    expect(said(effects)).toEqual(['prevote 0 A', 'precommit 0 A'])
    expect(only(effects, 'decide')).toHaveLength(1)
  })

  test('precommits of a quorum decide without the proposal, in a round not yet reached', () => {
    const actor = voter()
    const effects = actor.give(...[first, second, third].map((from) => precommit(from, 7, 'A')))

    expect(only(effects, 'decide')[0]!.certificate).toMatchObject({ round: 7, block: block('A') })
  })

  test('after the decision nothing more is said', () => {
    const actor = voter()
    actor.give(pending, ...[first, second, third].map((from) => precommit(from, 0, 'A')))

    expect(actor.give(pending, timeout('propose', 0), proposal(first, 0, 'A'), value(0, 'B'))).toEqual([])
  })
})

describe('two thirds exactly', () => {
  const three = setOf(1, 1, 1)
  const [one, two, me] = proposersIn(three) as [Address, Address, Address]

  test('two of three are no quorum, for no vote', () => {
    const actor = new Actor({ validators: three, self: me })

    expect(said(actor.give(proposal(one, 0, 'A'), prevote(one, 0, 'A')))).toEqual(['prevote 0 A'])
    expect(said(actor.give(prevote(two, 0, 'A')))).toEqual(['precommit 0 A'])
    expect(only(actor.give(precommit(one, 0, 'A')), 'decide')).toEqual([])
    expect(only(actor.give(precommit(two, 0, 'A')), 'decide')).toHaveLength(1)
  })

  test('one third exactly moves nobody to a later round', () => {
    const actor = new Actor({ validators: three, self: me })

    expect(roundsBegun(actor.give(prevote(one, 4)))).toEqual([0])
    expect(roundsBegun(actor.give(prevote(two, 4)))).toEqual([4])
  })

  test('stake counts, not heads', () => {
    const uneven = setOf(7, 1, 1, 1)
    const [rich, ...poor] = addresses.slice(0, 4) as [Address, ...Address[]]
    const actor = new Actor({ validators: uneven, self: poor[0]! })

    expect(only(actor.give(...poor.map((from) => precommit(from, 0, 'A'))), 'decide')).toEqual([])
    expect(only(actor.give(precommit(rich, 0, 'A')), 'decide')).toHaveLength(1)
  })

  test('a validator with most of the stake decides alone, whoever proposes', () => {
    const uneven = setOf(98, 1, 1)
    const rich = addresses[0]!
    const actor = new Actor({ validators: uneven, self: rich })
    const round = proposersIn(uneven).indexOf(addresses[1]!)

    const effects = actor.give(prevote(addresses[1]!, round), prevote(addresses[2]!, round))
    expect(roundsBegun(effects)).toEqual([0]) // two hundredths of the stake move nobody
    for (let failed = 0; failed < round; failed++) {
      actor.give(pending, timeout('propose', failed), timeout('precommit', failed))
    }
    expect(only(actor.give(proposal(addresses[1]!, round, 'A')), 'decide')).toHaveLength(1)
  })
})

describe('a round that fails', () => {
  test('no proposal: nil, nil, next round', () => {
    const actor = voter()

    expect(scheduled(actor.give(pending))).toEqual(['propose 0'])
    expect(said(actor.give(timeout('propose', 0)))).toEqual(['prevote 0 nil'])
    expect(said(actor.give(prevote(first, 0), prevote(second, 0)))).toEqual(['precommit 0 nil'])
    expect(scheduled(actor.give(precommit(first, 0), precommit(second, 0)))).toEqual(['precommit 0'])
    const effects = actor.give(timeout('precommit', 0))
    expect(roundsBegun(effects)).toEqual([1])
    expect(scheduled(effects)).toEqual(['propose 1'])
  })

  test('prevotes that differ: wait once, then precommit nil (L34, L61)', () => {
    const actor = voter()
    actor.give(pending, proposal(first, 0, 'A'))

    expect(scheduled(actor.give(prevote(first, 0, 'A'), prevote(second, 0)))).toEqual(['prevote 0'])
    expect(scheduled(actor.give(prevote(first, 0, 'A')))).toEqual([])
    expect(said(actor.give(timeout('prevote', 0)))).toEqual(['precommit 0 nil'])
  })

  test('precommits that differ: wait once, then the next round (L47, L65)', () => {
    const actor = voter()
    actor.give(pending)

    const effects = actor.give(precommit(first, 0, 'A'), precommit(second, 0), precommit(third, 0))
    expect(scheduled(effects)).toEqual(['precommit 0'])
    expect(roundsBegun(actor.give(timeout('precommit', 0)))).toEqual([1])
  })

  test.each([
    ['whose block is invalid', { valid: false }],
    ['that is not timely', { timely: false }],
  ])('a proposal %s gets nil', (_, options) => {
    expect(said(voter().give(proposal(first, 0, 'A', options)))).toEqual(['prevote 0 nil'])
  })

  test('a polka for a block not known to be valid locks nobody', () => {
    const actor = voter()
    actor.give(proposal(first, 0, 'A', { valid: false }))

    expect(said(actor.give(...[first, second, third].map((from) => prevote(from, 0, 'A'))))).toEqual([])
    expect(actor.machine.view()).not.toHaveProperty('locked')
  })

  test('a timeout of a step that is over, or that was never scheduled, does nothing', () => {
    const actor = voter()
    actor.give(pending, proposal(first, 0, 'A'))

    expect(actor.give(timeout('propose', 0), timeout('prevote', 0), timeout('precommit', 0))).toEqual([])
  })

  test('a prevote timeout after the precommit does nothing', () => {
    const actor = voter()
    actor.give(proposal(first, 0, 'A'), prevote(first, 0), prevote(second, 0, 'A'), prevote(third, 0, 'A'))
    expect(actor.machine.view().step).toBe('precommit')

    expect(actor.give(timeout('prevote', 0))).toEqual([])
  })

  test('a timeout of a round that was left, or of another height, does nothing', () => {
    const actor = voter()
    expect(scheduled(actor.give(pending, prevote(first, 1), prevote(second, 1)))).toEqual([
      'propose 0',
      'propose 1',
    ])
    const other = { kind: 'propose', height: nextHeight(height), round: asRound(1) } as const

    expect(actor.give(timeout('propose', 0), { kind: 'timeout', timeout: other })).toEqual([])
    expect(said(actor.give(timeout('propose', 1)))).toContain('prevote 1 nil')
  })

  test('nil rounds grow their timeouts up to the cap', () => {
    const actor = voter()
    const delays: number[] = []
    const note = (effects: ReturnType<Actor['give']>) =>
      delays.push(
        ...only(effects, 'schedule').flatMap(({ timeout: { kind }, delayMs }) =>
          kind === 'propose' ? [delayMs] : [],
        ),
      )
    note(actor.give(pending))
    for (let failed = 0; failed < 30; failed++) {
      actor.give(timeout('propose', failed), prevote(first, failed), prevote(second, failed))
      actor.give(precommit(first, failed), precommit(second, failed))
      const isMine = proposersIn(validators)[(failed + 1) % 4] === self
      const effects = actor.give(timeout('precommit', failed))
      expect(only(effects, 'propose')).toHaveLength(isMine ? 1 : 0)
      note(effects)
    }

    expect(delays.slice(0, 3)).toEqual([1_000, 1_500, 2_000])
    expect(delays.slice(-3)).toEqual([10_000, 10_000, 10_000])
  })
})

describe('a round jump (L55)', () => {
  test('two of four in a later round take the others along', () => {
    const actor = voter()
    actor.give(pending)

    expect(roundsBegun(actor.give(prevote(first, 5)))).toEqual([])
    expect(roundsBegun(actor.give(prevote(second, 5)))).toEqual([5])
  })

  test('a proposal counts as well as a vote', () => {
    const actor = voter()
    const effects = actor.give(prevote(first, 5), proposal(second, 5, 'A'))

    expect(roundsBegun(effects)).toEqual([0, 5])
    expect(said(effects)).toEqual(['prevote 5 A'])
  })

  test('two in different later rounds lead to the lower of them', () => {
    expect(roundsBegun(voter().give(prevote(first, 1_000_000), precommit(second, 3)))).toEqual([0, 3])
  })

  test('one liar moves nobody, however many messages it sends', () => {
    const actor = voter()
    const effects = actor.give(
      ...[1, 2, 3, 4, 5].flatMap((round) => [prevote(first, round), precommit(first, round)]),
    )

    expect(roundsBegun(effects)).toEqual([0])
  })

  test('votes that were heard ahead count on arrival', () => {
    const actor = voter()
    const effects = actor.give(prevote(first, 2), prevote(first, 2), precommit(first, 2), prevote(second, 2))

    expect(roundsBegun(effects)).toEqual([0, 2])
    expect(said(actor.give(prevote(third, 2), timeout('propose', 2)))).toEqual([
      'prevote 2 nil',
      'precommit 2 nil',
    ])
  })
})

describe('locks', () => {
  /** Locked on A in round 0, then moved on to the given round. */
  const lockedOnA = (round: number) => {
    const actor = voter()
    actor.give(proposal(first, 0, 'A'), prevote(first, 0, 'A'), prevote(second, 0, 'A'))
    expect(actor.machine.view()).toMatchObject({ locked: { block: block('A'), round: 0 } })
    actor.give(prevote(first, round), precommit(second, round))
    expect(actor.machine.view().round).toBe(round)
    return actor
  }

  test('a locked validator refuses another fresh block, and takes its own again (L23)', () => {
    expect(said(lockedOnA(1).give(proposal(second, 1, 'B')))).toEqual(['prevote 1 nil'])
    expect(said(lockedOnA(1).give(proposal(second, 1, 'A')))).toEqual(['prevote 1 A since 0'])
  })

  test('a re-proposal waits for the polka that it cites (L28)', () => {
    const actor = lockedOnA(2)
    actor.give(proposal(third, 2, 'B', { polkaRound: 1 }))
    expect(said(actor.give(prevote(first, 1, 'B'), prevote(second, 1, 'B')))).toEqual([])

    expect(said(actor.give(prevote(third, 1, 'B')))).toEqual(['prevote 2 B since 1'])
    expect(actor.machine.view()).toMatchObject({ locked: { block: block('A'), round: 0 } })
  })

  test('a re-proposal with a polka older than the lock is refused (L29)', () => {
    const actor = voter()
    actor.give(proposal(first, 0, 'B'), proposal(second, 1, 'A'))
    actor.give(prevote(first, 1, 'A'), prevote(second, 1, 'A'), prevote(third, 1, 'A'))
    expect(actor.machine.view().locked).toEqual({ block: block('A'), round: 1 })
    actor.give(precommit(first, 2), precommit(second, 2))

    const polka = [first, second, third].map((from) => prevote(from, 0, 'B'))
    expect(said(actor.give(proposal(third, 2, 'B', { polkaRound: 0 }), ...polka))).toEqual(['prevote 2 nil'])
  })

  test('a re-proposal with a polka of the very round of the lock is for the same block, and taken (L29)', () => {
    const actor = lockedOnA(2)

    expect(said(actor.give(proposal(third, 2, 'A', { polkaRound: 0 })))).toEqual(['prevote 2 A since 0'])
  })

  test('a re-proposal of the own lock with an older polka is taken, and the prevote cites the lock', () => {
    const actor = voter()
    actor.give(proposal(first, 0, 'A'), prevote(first, 1), precommit(second, 1))
    actor.give(
      proposal(second, 1, 'A'),
      prevote(first, 1, 'A'),
      prevote(second, 1, 'A'),
      prevote(third, 1, 'A'),
    )
    expect(actor.machine.view().locked).toEqual({ block: block('A'), round: 1 })
    actor.give(precommit(first, 2), precommit(second, 2))

    const polka = [first, second, third].map((from) => prevote(from, 0, 'A'))
    expect(said(actor.give(...polka, proposal(third, 2, 'A', { polkaRound: 0 })))).toEqual([
      'prevote 2 A since 1',
    ])
  })

  test('a re-proposal skips the time check, but not that of the block', () => {
    const late = lockedOnA(2)
    const wrong = lockedOnA(2)

    expect(said(late.give(proposal(third, 2, 'A', { polkaRound: 0, timely: false })))).toEqual([
      'prevote 2 A since 0',
    ])
    expect(said(wrong.give(proposal(third, 2, 'A', { polkaRound: 0, valid: false })))).toEqual([
      'prevote 2 nil',
    ])
  })

  test('a re-proposal that cites its own or a later round is not heard', () => {
    const actor = lockedOnA(2)
    expect(
      actor.give(proposal(third, 2, 'B', { polkaRound: 2 }), proposal(third, 2, 'B', { polkaRound: 9 })),
    ).toEqual([])
  })

  test('a new polka moves the lock', () => {
    const actor = lockedOnA(2)
    actor.give(...[first, second, third].map((from) => prevote(from, 1, 'B')))
    actor.give(
      proposal(third, 2, 'B', { polkaRound: 1 }),
      prevote(first, 2, 'B', 1),
      prevote(second, 2, 'B', 1),
    )

    expect(actor.machine.view().locked).toEqual({ block: block('B'), round: 2 })
  })

  test('a late polka makes the block valid, and locks nobody (L42)', () => {
    const actor = voter()
    actor.give(pending, proposal(first, 0, 'A'), prevote(first, 0), prevote(second, 0, 'A'))
    expect(said(actor.give(timeout('prevote', 0)))).toEqual(['precommit 0 nil'])

    actor.give(prevote(third, 0, 'A'))

    expect(actor.machine.view().valid).toEqual({ block: block('A'), round: 0 })
    expect(actor.machine.view()).not.toHaveProperty('locked')
  })

  test('a hidden lock: a polka that becomes known rounds later is what the next proposer offers', () => {
    const actor = voter()
    actor.give(pending, proposal(first, 0, 'A'), prevote(first, 0, 'A'))
    actor.give(prevote(first, 3), prevote(second, 3))
    actor.give(prevote(second, 0, 'A'))

    expect(actor.machine.view()).toMatchObject({ round: 3, valid: { block: block('A'), round: 0 } })
    // It asked for a block when the round began; the polka comes before the answer, and goes first.
    expect(said(actor.give(value(3, 'B')))).toEqual([])
    expect(actor.machine.recent().map(brief)).toContain('proposal 3 A since 0')
  })

  test('an older polka does not replace a newer one', () => {
    const actor = lockedOnA(3)
    actor.give(proposal(second, 1, 'B'), proposal(third, 2, 'C'))
    actor.give(...[first, second, third].map((from) => prevote(from, 2, 'C')))
    actor.give(...[first, second, third].map((from) => prevote(from, 1, 'B')))

    expect(actor.machine.view()).toMatchObject({
      locked: { block: block('A'), round: 0 },
      valid: { block: block('C'), round: 2 },
    })
  })

  test('the valid value, not the lock, is what a proposer offers (L15)', () => {
    const actor = lockedOnA(2)
    actor.give(proposal(second, 1, 'B'), ...[first, second, third].map((from) => prevote(from, 1, 'B')))

    expect(said(actor.give(prevote(first, 3), prevote(second, 3)))).toEqual([
      'proposal 3 B since 1',
      'prevote 3 B since 1',
    ])
  })
})

describe('those who contradict themselves', () => {
  test('two votes are accused, once', () => {
    const actor = voter()
    const effects = actor.give(
      prevote(first, 0, 'A'),
      prevote(first, 0, 'B'),
      prevote(first, 0),
      prevote(first, 0, 'B'),
    )

    const accusations = only(effects, 'accuse')
    expect(accusations).toHaveLength(1)
    expect(accusations[0]!.conflict.map(brief)).toEqual(['prevote 0 A', 'prevote 0 B'])
  })

  test('two prevotes that differ only in the polka they cite are a contradiction', () => {
    expect(only(voter().give(prevote(first, 3, 'A', 1), prevote(first, 3, 'A', 2)), 'accuse')).toHaveLength(1)
  })

  test('two proposals are accused', () => {
    const effects = voter().give(proposal(first, 0, 'A'), proposal(first, 0, 'B'))

    expect(only(effects, 'accuse')[0]!.conflict.map(brief)).toEqual(['proposal 0 A', 'proposal 0 B'])
    expect(said(effects)).toEqual(['prevote 0 A'])
  })

  test('repeating oneself is none, nor is saying different things in different rounds or kinds', () => {
    const once = [
      proposal(first, 0, 'A'),
      prevote(first, 0, 'A'),
      precommit(first, 0),
      prevote(first, 1),
      precommit(first, 1, 'B'),
    ]

    expect(only(voter().give(...once, ...once), 'accuse')).toEqual([])
  })

  test('a certificate shows what others were told', () => {
    const precommits = [first, second, third].map((from) => precommit(from, 0, 'A'))
    const [decision] = only(new Actor({ validators }).give(...precommits), 'decide')
    const actor = voter()
    const lied = precommit(second, 0, 'B')
    const effects = actor.give(precommit(first, 0, 'A'), lied, {
      kind: 'certificate',
      certificate: verified(decision!.certificate),
    })
    expect(only(effects, 'accuse').map(({ conflict }) => conflict.map(brief))).toEqual([
      ['precommit 0 B', 'precommit 0 A'],
    ])
    expect(only(effects, 'decide')).toHaveLength(1)
  })

  test('accused even when the height is decided', () => {
    const actor = voter()
    actor.give(...[first, second, third].map((from) => precommit(from, 0, 'A')))

    expect(only(actor.give(precommit(first, 0, 'B')), 'accuse')).toHaveLength(1)
  })

  test('one vote counts for one value: a repeated or second one makes no quorum', () => {
    const actor = voter()
    actor.give(prevote(first, 0, 'A'), prevote(first, 0, 'A'), prevote(first, 0, 'B'))
    actor.give(proposal(first, 0, 'C'))

    expect(said(actor.give(prevote(first, 0, 'C')))).toEqual([])
    const stakes = actor.machine.view().prevotes.values
    expect(stakes).toEqual([
      { block: block('A'), stake: '1' },
      { block: block('C'), stake: '2' },
    ])
  })

  test('a liar that showed us another vote can not hide the polka that it helped to make', () => {
    const actor = voter()
    actor.give(
      pending,
      proposal(first, 0, 'A', { timely: false }),
      prevote(third, 0, 'Z'),
      prevote(third, 0, 'B'),
    )
    actor.give(prevote(first, 1), prevote(second, 1))
    expect(said(actor.give(proposal(second, 1, 'B', { polkaRound: 0 })))).toEqual([])

    const polka = [first, second, third].map((from) => prevote(from, 0, 'B'))
    expect(said(actor.give(...polka))).toEqual(['prevote 1 B since 0'])
  })
})

describe('what is not for us', () => {
  test('a proposal of somebody else than the proposer', () => {
    expect(kinds(voter().give(proposal(second, 0, 'A')))).toEqual(['round'])
  })

  test('votes of strangers, other networks and other heights', () => {
    const actor = voter()
    const change = (changes: object, input = precommit(first, 0, 'A')) => {
      if (input.kind !== 'vote') throw new Error('expected a vote')
      return { ...input, message: { ...input.message, ...changes } }
    }
    const strangers = addresses.slice(4, 8).map((from) => precommit(from, 0, 'A'))
    const foreign = [first, second, third].flatMap((from) => [
      change({ network: 'cd'.repeat(32) }, precommit(from, 0, 'A')),
      change({ height: 2 }, precommit(from, 0, 'A')),
    ])

    expect(kinds(actor.give(...strangers, ...foreign))).toEqual(['round'])
  })
})

describe('who observes', () => {
  test.each([
    ['without a key', undefined],
    ['outside the set', addresses[9]],
  ])('%s: says nothing, waits for nothing, decides', (_, key) => {
    const actor = new Actor({ validators, ...(key && { self: key }) })
    actor.give(pending, proposal(first, 0, 'A'))
    actor.give(...[first, second, third].map((from) => prevote(from, 0, 'A')))
    const effects = actor.give(...[first, second, third].map((from) => precommit(from, 0, 'A')))

    expect(kinds(effects)).toEqual(['decide'])
  })

  test('follows the rounds', () => {
    const actor = new Actor({ validators })
    expect(kinds(actor.give(pending, prevote(first, 2), prevote(second, 2)))).toEqual(['round', 'round'])
  })
})

describe('a certificate shown by a peer', () => {
  test('decides, if it is for this height', () => {
    const actor = voter()
    const decider = new Actor({ validators })
    const [decision] = only(
      decider.give(...[first, second, third].map((from) => precommit(from, 0, 'A'))),
      'decide',
    )
    const certificate = decision!.certificate as never

    expect(
      kinds(
        actor.give({ kind: 'certificate', certificate: { ...(certificate as object), height: 2 } as never }),
      ),
    ).toEqual(['round'])
    expect(only(actor.give({ kind: 'certificate', certificate }), 'decide')).toEqual([decision])
  })
})

describe('start and stop: blocks on demand', () => {
  test('nothing pending: nothing happens', () => {
    expect(kinds(voter().give(nothingPending))).toEqual(['round'])
  })

  test("a proposer that has nothing doesn't ask for a block", () => {
    const actor = new Actor({ validators, self: first })
    expect(only(actor.give(prevote(second, 0)), 'propose')).toEqual([])
  })

  test('any message starts the height', () => {
    expect(scheduled(voter().give(nothingPending, prevote(second, 0)))).toEqual(['propose 0'])
  })

  test('the last pending transaction expires: timers stop, and state is kept', () => {
    const actor = voter()
    actor.give(pending)

    expect(kinds(actor.give(nothingPending))).toEqual(['cancel-timers'])
    expect(actor.give(timeout('propose', 0))).toEqual([]) // it was on its way already
    expect(scheduled(actor.give(pending))).toEqual(['propose 0'])
  })

  test('the last pending transaction expires before the proposer has built: it asks again for the next', () => {
    const actor = new Actor({ validators, self: first })
    actor.give(pending, nothingPending)

    expect(kinds(actor.give(pending))).toEqual(['propose', 'schedule'])
  })

  test('a round in which somebody has spoken is played to its end, and the next one is not begun by us', () => {
    const actor = voter()
    actor.give(pending, prevote(first, 0), nothingPending)
    expect(said(actor.give(timeout('propose', 0), prevote(second, 0)))).toEqual([
      'prevote 0 nil',
      'precommit 0 nil',
    ])
    actor.give(precommit(first, 0), precommit(second, 0))

    const effects = actor.give(timeout('precommit', 0))
    expect(kinds(effects)).toEqual(['round', 'cancel-timers'])
    expect(actor.machine.active).toBe(false)
    // One who has something speaks: we come along.
    expect(scheduled(actor.give(prevote(first, 1)))).toEqual(['propose 1'])
  })

  test('with a lock, or a block known to have a polka, there is no rest', () => {
    const actor = voter()
    actor.give(proposal(first, 0, 'A'), prevote(first, 0, 'A'), prevote(second, 0, 'A'))
    actor.give(precommit(first, 0), precommit(second, 0))

    expect(scheduled(actor.give(nothingPending, timeout('precommit', 0)))).toEqual(['propose 1'])
  })
})

describe('bounds', () => {
  test('a validator has room for its two newest rounds ahead', () => {
    const actor = voter()
    actor.give(...[9, 5, 7, 8, 6].map((round) => precommit(first, round, 'A')))
    const complete = (round: number) =>
      actor.give(precommit(second, round, 'A'), precommit(third, round, 'A'))

    const watcher = new Actor({ validators })
    watcher.give(...[9, 5, 7, 8, 6].map((round) => precommit(first, round, 'A')))
    expect(only(watcher.give(precommit(second, 7, 'A'), precommit(third, 7, 'A')), 'decide')).toEqual([])
    expect(only(complete(8), 'decide')).toHaveLength(1)
  })

  test('old rounds are forgotten, but for the polka of the valid value', () => {
    const actor = voter()
    actor.give(proposal(first, 0, 'A'), prevote(first, 0, 'A'), prevote(second, 0, 'A'))
    actor.give(
      precommit(first, 0, 'A'),
      prevote(first, 1),
      precommit(first, 1, 'A'),
      precommit(second, 1, 'A'),
    )
    actor.give(prevote(first, 100), prevote(second, 100))

    expect(only(actor.give(precommit(third, 1, 'A')), 'decide')).toEqual([])
    expect(
      actor.machine
        .recent()
        .map(brief)
        .filter((text) => text === 'prevote 0 A'),
    ).toHaveLength(3)
    expect(said(actor.give(proposal(first, 100, 'A', { polkaRound: 0 })))).toEqual(['prevote 100 A since 0'])
  })

  test('votes of a forgotten round are forgotten: they have to be heard again', () => {
    const actor = voter()
    actor.give(prevote(first, 1, 'A'), prevote(first, 100), prevote(second, 100))
    const effects = actor.give(
      proposal(first, 100, 'A', { polkaRound: 1 }),
      prevote(second, 1, 'A'),
      prevote(third, 1, 'A'),
    )

    expect(said(effects)).toEqual([])
    expect(said(actor.give(prevote(first, 1, 'A')))).toEqual(['prevote 100 A since 1'])
  })

  test('a polka of a forgotten round is heard again when a proposal cites it', () => {
    const actor = voter()
    actor.give(prevote(first, 100), prevote(second, 100), proposal(first, 100, 'A', { polkaRound: 3 }))

    expect(said(actor.give(...[first, second, third].map((from) => prevote(from, 3, 'A'))))).toEqual([
      'prevote 100 A since 3',
    ])
  })
})

describe('for those who watch and those who are behind', () => {
  test('the view says whose votes are missing, and how much is for what', () => {
    const actor = voter()
    actor.give(proposal(first, 0, 'A'), prevote(first, 0, 'A'), prevote(second, 0))

    expect(actor.machine.view()).toEqual({
      height: 1,
      round: 0,
      step: 'prevote',
      proposer: first,
      active: true,
      totalStake: '4',
      prevotes: {
        values: [{ block: block('A'), stake: '2' }, { stake: '1' }],
        missing: [{ address: third, stake: '1' }],
      },
      precommits: { values: [], missing: validators.list },
    })
  })

  test('worth repeating: own messages, the present round, the end of the one before, the polka', () => {
    const actor = voter()
    actor.give(proposal(first, 0, 'A'), prevote(first, 0, 'A'), prevote(second, 0, 'A'))
    actor.give(precommit(first, 0), precommit(second, 0), timeout('precommit', 0), prevote(first, 1))

    expect(actor.machine.recent().map(brief).sort()).toEqual([
      'precommit 0 A',
      'precommit 0 nil',
      'precommit 0 nil',
      'prevote 0 A',
      'prevote 0 A',
      'prevote 0 A',
      'prevote 1 nil',
      'proposal 0 A',
    ])
  })

  test('own votes of the rounds just left are repeated, for those who are still there', () => {
    const actor = voter()
    actor.give(pending, timeout('propose', 0), precommit(first, 2), precommit(second, 2))

    expect(actor.machine.recent().map(brief)).toEqual(['prevote 0 nil', 'precommit 2 nil', 'precommit 2 nil'])
  })

  test('what one repeats is all that another needs to catch up', () => {
    const actor = voter()
    actor.give(proposal(first, 0, 'A'), prevote(first, 0, 'A'), prevote(second, 0, 'A'))
    actor.give(precommit(first, 0), precommit(second, 0), timeout('precommit', 0))
    const late = new Actor({ validators, self: third })

    for (const message of actor.machine.recent()) {
      late.give(
        message.kind === 'proposal'
          ? { kind: 'proposal', message, valid: true, timely: true }
          : { kind: 'vote', message },
      )
    }

    expect(late.machine.view()).toMatchObject({ locked: { block: block('A'), round: 0 } })
    expect(roundsBegun(late.give(timeout('precommit', 0)))).toEqual([1])
  })
})
