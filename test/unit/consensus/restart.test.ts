/** A crash at any point: the sign record is all that is left. */
import { describe, expect, test } from 'vitest'
import { canonicalize, parseCanonical } from '../../../src/codec/json.ts'
import { ownRounds, type SignState, signStateSchema } from '../../../src/consensus/sign-state.ts'
import type { Address } from '../../../src/units.ts'
import {
  Actor,
  addresses,
  block,
  brief,
  hear,
  height,
  kinds,
  network,
  nothingPending,
  only,
  pending,
  precommit,
  prevote,
  proposal,
  proposersIn,
  said,
  scheduled,
  setOf,
  sign,
  timeout,
  value,
} from './actor.ts'

const validators = setOf(1, 1, 1, 1)
const [first, second, third, self] = proposersIn(validators) as [Address, Address, Address, Address]

const restart = (actor: Actor, key = self) =>
  new Actor({ validators, self: key, restored: reread(actor.record!) })

/** Through the bytes on the disk. */
const reread = (record: SignState): SignState => signStateSchema.parse(parseCanonical(canonicalize(record)))

const lockedOnA = () => {
  const actor = new Actor({ validators, self })
  actor.give(proposal(first, 0, 'A'), prevote(first, 0, 'A'), prevote(second, 0, 'A'))
  return actor
}

describe('a validator restarts', () => {
  test('it says again what it had said, word for word, and it counts', () => {
    const restarted = restart(lockedOnA())

    expect(said(restarted.give(nothingPending))).toEqual(['prevote 0 A', 'precommit 0 A'])
    expect(restarted.machine.recent().map(brief)).toContain('precommit 0 A')
    expect(only(restarted.give(precommit(first, 0, 'A'), precommit(second, 0, 'A')), 'decide')).toHaveLength(
      1,
    )
  })

  test('the lock holds: no amnesia', () => {
    const restarted = restart(lockedOnA())
    restarted.give(nothingPending, precommit(first, 1), precommit(second, 1))

    expect(said(restarted.give(proposal(second, 1, 'B')))).toEqual(['prevote 1 nil'])
  })

  test('the polka is kept, so the lock can be explained to the others', () => {
    const restarted = restart(lockedOnA())
    const effects = restarted.give(nothingPending, prevote(first, 3), prevote(second, 3))

    expect(said(effects)).toContain('proposal 3 A since 0')
    expect(
      restarted.machine
        .recent()
        .map(brief)
        .filter((text) => text === 'prevote 0 A'),
    ).toHaveLength(3)
  })

  test('the record of a precommit already holds its lock and polka', () => {
    const actor = new Actor({ validators, self })
    actor.give(proposal(first, 0, 'A'), prevote(first, 0, 'A'))
    const [effect] = only(actor.give(prevote(second, 0, 'A')), 'sign')

    expect(effect!.state).toMatchObject({
      step: 'precommit',
      locked: { block: block('A'), round: 0 },
      valid: { block: block('A'), round: 0 },
    })
    expect(effect!.state.valid!.polka.map(({ validator }) => validator)).toEqual([first, second, self].sort())
    expect(effect!.state.said.map(brief)).toEqual(['prevote 0 A', 'precommit 0 A'])
  })

  test('between proposal and prevote: the same proposal, and no block is asked for', () => {
    const proposer = new Actor({ validators, self: first })
    proposer.give(pending)
    const [effect] = only(proposer.machine.step(value(0, 'A')), 'sign')
    const restarted = new Actor({ validators, self: first, restored: effect!.state })

    const effects = restarted.give(pending)
    expect(said(effects)).toEqual(['proposal 0 A', 'prevote 0 A'])
    expect(only(effects, 'propose')).toEqual([])
  })

  test('after a prevote: another proposal of the same round changes nothing', () => {
    const actor = new Actor({ validators, self })
    actor.give(proposal(first, 0, 'A'))
    const restarted = restart(actor)
    restarted.give(pending)

    expect(said(restarted.give(proposal(first, 0, 'B')))).toEqual([])
    expect(scheduled(restarted.give(prevote(first, 0, 'A'), prevote(third, 0)))).toEqual(['prevote 0'])
  })

  test('after a nil precommit: the polka that completes then does not make it precommit', () => {
    const actor = new Actor({ validators, self })
    actor.give(
      pending,
      proposal(first, 0, 'A'),
      prevote(first, 0, 'A'),
      prevote(third, 0),
      timeout('prevote', 0),
    )
    const restarted = restart(actor)
    restarted.give(pending, proposal(first, 0, 'A'), prevote(first, 0, 'A'))

    expect(said(restarted.give(prevote(second, 0, 'A')))).toEqual([])
    expect(restarted.machine.view().valid).toEqual({ block: block('A'), round: 0 })
  })

  test('nothing to do: it repeats itself when asked, and rests', () => {
    const actor = new Actor({ validators, self })
    actor.give(pending, timeout('propose', 0), prevote(first, 0), prevote(second, 0))
    const restarted = restart(actor)

    const effects = restarted.give(nothingPending)
    expect(kinds(effects)).not.toContain('schedule')
    expect(restarted.machine.recent().map(brief)).toEqual(['prevote 0 nil', 'precommit 0 nil'])
  })

  test('all validators die right after a lock, with nothing pending any more, and decide when they are back', () => {
    const keys = [first, second, third, self]
    const actors = keys.map((key) => new Actor({ validators, self: key }))
    const [proposer, ...voters] = actors as [Actor, Actor, Actor, Actor]
    const prevotes = [first, second, third].map((key) => prevote(key, 0, 'A'))
    proposer.give(pending, value(0, 'A'), ...prevotes)
    voters[0].give(proposal(first, 0, 'A'), ...prevotes)
    voters[1].give(proposal(first, 0, 'A'), ...prevotes)
    voters[2].give(proposal(first, 0, 'A', { timely: false })) // prevoted nil, and saw no more

    const back = actors.map((actor, at) => restart(actor, keys[at]!))
    for (const actor of back) actor.give(nothingPending)
    const repeated = back.flatMap((actor) => actor.machine.recent())
    const decisions = back.map((actor) =>
      only(actor.give(...repeated.map((message) => hear(message))), 'decide'),
    )

    expect(decisions.map(([effect]) => effect?.certificate.block)).toEqual(Array(4).fill(block('A')))
  })

  test('a set of one, at each of its signatures', () => {
    const alone = setOf(3)
    const me = addresses[0]!
    const play = new Actor({ validators: alone, self: me })
    const effects = play.give(pending, value(0, 'A'))
    const records = only(effects, 'sign').map(({ state }) => state)

    for (const restored of records) {
      const again = new Actor({ validators: alone, self: me, restored }).give(nothingPending)
      expect(said(again)).toEqual(said(effects))
      expect(only(again, 'decide')[0]!.certificate).toEqual(only(effects, 'decide')[0]!.certificate)
    }
  })
})

describe('the sign record', () => {
  test('holds own messages of a few rounds, however long the height takes', () => {
    const actor = new Actor({ validators, self })
    actor.give(pending)
    for (let failed = 0; failed < 50; failed++) {
      actor.give(timeout('propose', failed), prevote(first, failed), prevote(second, failed))
      actor.give(precommit(first, failed), precommit(second, failed), timeout('precommit', failed))
    }

    expect(actor.record!.said).toHaveLength(2 * ownRounds)
    expect(actor.record!.said.map(brief)).toContain('precommit 49 nil')
  })

  test('of another height or validator is refused', () => {
    const restored = lockedOnA().record!

    expect(() => new Actor({ validators, self: first, restored })).toThrow('of this validator')
    expect(() => new Actor({ validators, restored })).toThrow('of this validator')
    const other = { ...restored, height: (height + 1) as typeof height }
    expect(() => new Actor({ validators, self, restored: other })).toThrow('of this height')
  })

  test('that contradicts itself halts the machine before it contradicts itself too', () => {
    const actor = new Actor({ validators, self })
    actor.give(proposal(first, 0, 'A'))
    const stale = new Actor({ validators, self, restored: { ...actor.record!, step: 'propose' } })

    expect(() => stale.give(proposal(first, 0, 'B'))).toThrow('one prevote is signed in a round')
  })

  test('that went back behind its own messages halts the machine', () => {
    const actor = new Actor({ validators, self })
    actor.give(pending, prevote(first, 2), prevote(second, 2), timeout('propose', 2))
    const stale = new Actor({
      validators,
      self,
      restored: { ...actor.record!, round: 1 as never, step: 'propose' },
    })

    expect(() => stale.give(proposal(second, 1, 'B'))).toThrow('a round that was left')
  })
})

describe('a key in two places, or a record from a backup', () => {
  const strange = (round: number, name: string) =>
    sign({ kind: 'precommit', network, height, round: round as never, validator: self, block: block(name) })

  test('a vote of our own that we never cast: from here on we are silent, and still decide', () => {
    const actor = new Actor({ validators, self })
    actor.give(pending)
    const effects = actor.give(hear(strange(0, 'A')))

    expect(kinds(effects)).toEqual(['foreign-signature', 'cancel-timers'])
    expect(said(actor.give(proposal(first, 0, 'B')))).toEqual([])
    expect(only(actor.give(precommit(first, 0, 'A'), precommit(second, 0, 'A')), 'decide')).toHaveLength(1)
  })

  test('our own words, heard from others, are nothing strange; nor is what we have forgotten', () => {
    const actor = lockedOnA()
    const own = actor.machine.recent().filter(({ validator }) => validator === self)
    actor.give(prevote(first, 9), prevote(second, 9), timeout('propose', 9))

    expect(own).toHaveLength(2)
    expect(only(actor.give(...own.map((message) => hear(message))), 'foreign-signature')).toEqual([])
  })
})
