/** What is said of where a node stands, and how proposals and votes get around. */
import { describe, expect, test } from 'vitest'
import { maxKnownMessages } from '../../../src/gossip/limits.ts'
import { maxNamedLinks } from '../../../src/messages/limits.ts'
import type { StatusMessage } from '../../../src/messages/peer-message.ts'
import type { Address } from '../../../src/units.ts'
import { hash, hashes, proposal, Stage, standing, vote } from './stage.ts'

describe('where a node stands', () => {
  test('who opens a link is told, and so are the others, who learn of the link', () => {
    const stage = new Stage()
    stage.open('b')
    expect(stage.give({ kind: 'link-opened', peer: vote('c').validator })).toEqual([
      'b: status 0/0 bc',
      'c: status 0/0 bc',
    ])
  })

  test('a closed link is told to the others', () => {
    const stage = new Stage()
    stage.open('bc')
    expect(stage.close('b')).toEqual(['c: status 0/0 c'])
  })

  test('a new head and a new round are told once', () => {
    const stage = new Stage()
    stage.open('bc')
    expect(stage.move(1)).toEqual(['b: status 1/0 bc', 'c: status 1/0 bc'])
    expect(stage.move(1, 2)).toEqual(['b: status 1/2 bc', 'c: status 1/2 bc'])
    expect(stage.move(1, 2)).toEqual([])
  })

  test('more links than a status names', () => {
    const { gossip } = new Stage()
    for (let at = 0; at < maxNamedLinks + 2; at++)
      gossip.step({ kind: 'link-opened', peer: `${at}` as Address })
    const [last] = gossip.step({ kind: 'link-closed', peer: '0' as Address })
    expect(last).toMatchObject({ message: { kind: 'status' } })
    const { message } = last as { message: StatusMessage }
    expect(message.links).toHaveLength(maxNamedLinks)
  })

  test('nothing is said to or about a peer without a link', () => {
    const stage = new Stage()
    expect(stage.close('b')).toEqual([])
    expect(stage.hearStatus('b')).toEqual([])
    expect(stage.announce('b', [hash(1)])).toEqual([])
    expect(stage.say(vote('a'))).toEqual([])
  })

  test('a second link to one peer is a bug', () => {
    const stage = new Stage()
    stage.open('b')
    expect(() => stage.open('b')).toThrow('a peer has one link')
  })
})

describe('a message that is new', () => {
  test('an own one goes to all peers in this height', () => {
    const stage = new Stage()
    stage.open('bcd')
    stage.hearStatus('d', { height: 1 })
    expect(stage.say(vote('a'))).toEqual(['b: prevote 0 A of a', 'c: prevote 0 A of a'])
    expect(stage.say(vote('a'))).toEqual([])
  })

  test("another's goes to those that are not linked with its author", () => {
    const stage = new Stage()
    stage.open('bcde')
    stage.hearStatus('c', { links: 'ab' })
    expect(stage.say(vote('b'), 'b')).toEqual(['d: prevote 0 A of b', 'e: prevote 0 A of b'])
  })

  test("another's goes neither to its author nor to who brought it", () => {
    const stage = new Stage()
    stage.open('bcd')
    expect(stage.say(vote('b'), 'c')).toEqual(['d: prevote 0 A of b'])
  })

  test('what came by no link goes to all', () => {
    const stage = new Stage()
    stage.open('bc')
    stage.hearStatus('c', { links: 'ab' })
    expect(stage.say(vote('b'))).toEqual(['b: prevote 0 A of b', 'c: prevote 0 A of b'])
  })

  test('heard from a second peer it is not passed on again', () => {
    const stage = new Stage()
    stage.open('bcde')
    stage.say(vote('b'), 'c')
    expect(stage.say(vote('b'), 'e')).toEqual([])
  })

  test('a peer whose link with the author is over gets it from here', () => {
    const stage = new Stage()
    stage.open('bcd')
    stage.hearStatus('c', { links: 'ab' })
    stage.hearStatus('c')
    expect(stage.say(vote('b'), 'b')).toEqual(['c: prevote 0 A of b', 'd: prevote 0 A of b'])
  })

  test('of another height it goes nowhere', () => {
    const stage = new Stage()
    stage.open('bc')
    stage.move(1)
    stage.hearStatus('b', { height: 1 })
    expect(stage.say(vote('a', { height: 1 }))).toEqual([])
    expect(stage.say(vote('a', { height: 3 }))).toEqual([])
    expect(stage.say(vote('a', { height: 2 }))).toEqual(['b: prevote 0 A of a'])
  })

  test('a proposal goes with its block, and not without', () => {
    const stage = new Stage()
    stage.open('b')
    expect(stage.give({ kind: 'said', message: proposal('a') })).toEqual([])
    expect(stage.say(proposal('a'))).toEqual(['b: proposal 0 A of a'])
  })
})

describe('a peer that comes to this height', () => {
  test('gets all that is current, and nothing before', () => {
    const stage = new Stage()
    stage.recent = [proposal('a'), vote('a'), vote('b')]
    stage.give({ kind: 'link-opened', peer: vote('b').validator })
    expect(stage.say(vote('a', { round: 1 }))).toEqual([])
    expect(stage.hearStatus('b')).toEqual([
      'b: proposal 0 A of a',
      'b: prevote 0 A of a',
      'b: prevote 0 A of b',
    ])
    expect(stage.hearStatus('b', { round: 1 })).toEqual([])
  })

  test('is not told of a proposal whose block is not here', () => {
    const stage = new Stage()
    stage.recent = [proposal('a')]
    stage.hasBlock = false
    stage.give({ kind: 'link-opened', peer: vote('b').validator })
    expect(stage.hearStatus('b')).toEqual([])
    stage.hasBlock = true
    stage.tick()
    expect(stage.tick()).toEqual(['b: proposal 0 A of a'])
  })

  test('that goes back to come again gets nothing more', () => {
    const stage = new Stage()
    stage.move(4)
    stage.recent = [vote('a', { height: 5 })]
    stage.open('b')
    expect(stage.hearStatus('b', { height: 4 })).toHaveLength(1)
    expect(stage.hearStatus('b', { height: 3 })).toEqual([])
    expect(stage.hearStatus('b', { height: 4 })).toEqual([])
  })

  test('over a link that was opened again is told all again', () => {
    const stage = new Stage()
    stage.recent = [vote('a')]
    stage.open('b')
    stage.close('b')
    stage.give({ kind: 'link-opened', peer: vote('b').validator })
    expect(stage.hearStatus('b')).toEqual(['b: prevote 0 A of a'])
  })
})

describe('a tick', () => {
  test('repeats what a link has not carried, if it was here on the tick before', () => {
    const stage = new Stage()
    stage.open('bcd')
    stage.hearStatus('c', { links: 'ab' })
    stage.say(vote('b'), 'b')
    stage.recent = [vote('b')]
    expect(stage.tick()).toEqual([])
    expect(stage.tick()).toEqual(['c: prevote 0 A of b'])
    expect(stage.tick()).toEqual([])
  })

  test('does not give a message back to who brought it', () => {
    const stage = new Stage()
    stage.open('bc')
    stage.hearStatus('b', { links: 'ac' })
    stage.say(vote('c'), 'c')
    stage.say(vote('c'), 'b')
    stage.recent = [vote('c')]
    expect(stage.tick(3)).toEqual([])
  })

  test('gives nothing to peers in another height', () => {
    const stage = new Stage()
    stage.open('b')
    stage.recent = [vote('a', { height: 2 })]
    stage.move(1)
    expect(stage.tick(3)).toEqual([])
  })

  test('a new height begins with nothing known', () => {
    const stage = new Stage()
    stage.open('b')
    stage.hearStatus('b', { height: 1 })
    stage.move(1)
    stage.recent = [vote('a', { height: 2 })]
    stage.tick()
    expect(stage.tick()).toEqual(['b: prevote 0 A of a'])
  })

  test('with nothing to repeat says nothing, however long it lasts', () => {
    const stage = new Stage()
    stage.open('bc')
    stage.say(vote('a'))
    expect(stage.tick(200)).toEqual([])
    expect(stage.gossip.needsTicks).toBe(false)
  })
})

describe('a peer that does not move while there is something to agree on', () => {
  test('is told everything again after eight ticks, and where this node stands', () => {
    const stage = new Stage()
    stage.open('b')
    stage.say(vote('a'))
    stage.recent = [vote('a')]
    expect(stage.tick(7)).toEqual([])
    expect(stage.tick()).toEqual(['b: status 0/0 b', 'b: prevote 0 A of a'])
  })

  test('is told of all that waits again, though it has named it itself', () => {
    const stage = new Stage()
    stage.open('b')
    stage.admit(hashes(1, 3))
    stage.announce('b', [hash(2)])
    stage.recent = [vote('a')]
    expect(stage.tick(8)).toContain('b: announce 1-3')
  })

  test('is told seldomer and seldomer', () => {
    const stage = new Stage()
    stage.open('b')
    stage.recent = [vote('a')]
    const at: number[] = []
    for (let tick = 1; tick <= 260; tick++) if (stage.tick().includes('b: status 0/0 b')) at.push(tick)
    expect(at).toEqual([8, 16, 32, 64, 128, 192, 256])
  })

  test('has its time anew when it moves to another round or height', () => {
    const stage = new Stage()
    stage.open('bc')
    stage.say(vote('a'))
    stage.recent = [vote('a')]
    stage.tick(5)
    stage.hearStatus('b', { round: 1 })
    stage.hearStatus('c', { height: 1 })
    expect(stage.tick(7)).toEqual([])
    expect(stage.tick()).toEqual(['b: status 0/0 bc', 'c: status 0/0 bc', 'b: prevote 0 A of a'])
  })

  test('does not gain time by saying the same again', () => {
    const stage = new Stage()
    stage.open('b')
    stage.say(vote('a'))
    stage.recent = [vote('a')]
    stage.tick(7)
    stage.hearStatus('b')
    expect(stage.tick()).toEqual(['b: status 0/0 b', 'b: prevote 0 A of a'])
  })
})

test('a validator that signs without end costs bounded memory, and is told its own words again at worst', () => {
  const stage = new Stage()
  stage.open('b')
  const first = vote('b', { round: 1 })
  for (let round = 1; round <= maxKnownMessages * 2; round++) stage.say(vote('b', { round }), 'b')
  stage.recent = [first, vote('b', { round: maxKnownMessages * 2 })]
  stage.tick()
  expect(stage.tick()).toEqual(['b: prevote 1 A of b'])
})

test('a message is one object, whomever and how often it is told, so that it is encoded once', () => {
  const stage = new Stage()
  stage.open('bc')
  const message = vote('a')
  const current = { recent: () => [message], blockOf: () => undefined }
  const told = [
    ...stage.gossip.step({ kind: 'said', message }),
    ...Array.from({ length: 8 }, () => stage.gossip.step({ kind: 'tick', current })).flat(),
  ].flatMap((effect) => (effect.kind === 'send' && effect.message.kind === 'vote' ? [effect] : []))

  expect(told.map(({ peers }) => peers)).toEqual(Array(2).fill([vote('b').validator, vote('c').validator]))
  expect(told[0]!.message).toBe(told[1]!.message)
})

test('the same inputs give the same effects', () => {
  const run = () => {
    const stage = new Stage()
    stage.open('bcd')
    stage.recent = [vote('a'), vote('b')]
    return [stage.say(vote('a')), stage.say(vote('b'), 'b'), stage.tick(12), stage.move(1), standing(1)]
  }
  expect(run()).toEqual(run())
})
