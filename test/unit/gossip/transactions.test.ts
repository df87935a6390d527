/** How transactions get around: pushed, announced, and pulled from one peer at a time. */
import { describe, expect, test } from 'vitest'
import {
  maxAnswered,
  maxNeeded,
  maxOffered,
  maxPast,
  maxWaiting,
  requestWindow,
} from '../../../src/gossip/limits.ts'
import { hash, hashes, peer, Stage } from './stage.ts'

const staged = (peers: string) => {
  const stage = new Stage()
  stage.open(peers)
  return stage
}

const openLink = (stage: Stage, name: string) => stage.give({ kind: 'link-opened', peer: peer(name) })
const wantedOf = (all: readonly string[], name: string) =>
  all.filter((each) => each.startsWith(`${name}: want`))

describe('who is told', () => {
  test('what enters the network here is pushed to all peers', () => {
    expect(staged('bc').admit(hashes(1, 3))).toEqual(['b: push 1-3', 'c: push 1-3'])
  })

  test('what a peer brought is announced to those that are not linked with it', () => {
    const stage = staged('bcd')
    stage.hearStatus('c', { links: 'ab' })
    expect(stage.admit(hashes(1, 3), 'b')).toEqual(['d: announce 1-3'])
  })

  test('what was pushed by a peer whose link is over is announced, not pushed', () => {
    const stage = staged('bc')
    stage.close('b')
    expect(stage.admit([hash(1)], 'b')).toEqual(['c: announce 1'])
  })

  test('who should have it from elsewhere is told on the second tick, if it still waits', () => {
    const stage = staged('bc')
    stage.hearStatus('c', { links: 'ab' })
    stage.admit(hashes(1, 3), 'b')
    expect(stage.gossip.needsTicks).toBe(true)
    expect(stage.tick()).toEqual([])
    stage.depart([hash(2)])
    stage.announce('c', [hash(3)])
    expect(stage.tick()).toEqual(['c: announce 1'])
    expect(stage.gossip.needsTicks).toBe(false)
  })

  test('who opens a link is told of all that waits, one portion at once and one a tick', () => {
    const stage = new Stage()
    stage.admit(hashes(1, 3_000))
    stage.depart(hashes(1, 100))
    expect(openLink(stage, 'b')).toEqual(['b: status 0/0 b', 'b: announce 101-1124'])
    stage.announce('b', hashes(1125, 1200))
    expect(stage.tick()).toEqual(['b: announce 1201-2224'])
    expect(stage.gossip.needsTicks).toBe(true)
    expect(stage.tick()).toEqual(['b: announce 2225-3000'])
    expect(stage.tick()).toEqual([])
    expect(stage.gossip.needsTicks).toBe(false)
  })

  test('a link that was opened again is told all again', () => {
    const stage = staged('b')
    stage.admit([hash(1)], 'b')
    stage.close('b')
    expect(openLink(stage, 'b')).toEqual(['b: status 0/0 b', 'b: announce 1'])
  })

  test('who has asked too early gets it as soon as it is here, and nothing besides', () => {
    const stage = staged('bcd')
    stage.hearStatus('d', { links: 'ab' })
    expect(stage.want('c', hashes(1, 2))).toEqual(['c: push 1-2'])
    expect(stage.want('d', [hash(3)])).toEqual(['d: push 3'])
    expect(stage.admit(hashes(1, 3), 'b')).toEqual(['c: push 1-2', 'd: push 3', 'c: announce 3'])
    expect(stage.tick(2)).toEqual(['d: announce 1-2'])
  })

  test('who asks for the same again and again gets it once between two ticks', () => {
    const stage = staged('b')
    stage.admit(hashes(1, 3), 'b')
    expect(stage.want('b', hashes(1, 2))).toEqual(['b: push 1-2'])
    expect(stage.want('b', hashes(1, 2))).toEqual([])
    expect(stage.want('b', hashes(2, 3))).toEqual(['b: push 3'])
    expect(stage.gossip.needsTicks).toBe(true)
    stage.tick()
    expect(stage.gossip.needsTicks).toBe(false)
    expect(stage.want('b', hashes(1, 2))).toEqual(['b: push 1-2'])
  })

  test('who asks for more than blocks hold has to wait for a tick', () => {
    const stage = staged('b')
    expect(stage.want('b', hashes(1, maxAnswered + 10))).toEqual([`b: push 1-${maxAnswered}`])
    expect(stage.want('b', [hash(maxAnswered + 1)])).toEqual([])
    stage.tick()
    expect(stage.want('b', [hash(maxAnswered + 1)])).toEqual([`b: push ${maxAnswered + 1}`])
  })

  test('who has asked long ago is told like everybody', () => {
    const stage = staged('bc')
    stage.want('c', [hash(1)])
    stage.tick(2)
    expect(stage.admit([hash(1)], 'b')).toEqual(['c: announce 1'])
  })

  test('more than one announcement holds', () => {
    const stage = staged('bc')
    expect(stage.admit(hashes(1, 1_500), 'b')).toEqual(['c: announce 1-1024', 'c: announce 1025-1500'])
  })

  test('more transactions than any mempool holds: the oldest are forgotten', () => {
    const stage = new Stage()
    stage.admit(hashes(1, maxWaiting + 1))
    expect(openLink(stage, 'b')).toEqual(['b: status 0/0 b', 'b: announce 2-1025'])
  })
})

describe('who is asked', () => {
  test('the first that announces it, for what is not here', () => {
    const stage = staged('bc')
    stage.admit([hash(2)], 'c')
    expect(stage.announce('b', hashes(1, 3))).toEqual(['b: want 1,3'])
    expect(stage.announce('c', hashes(1, 3))).toEqual([])
    expect(stage.announce('b', hashes(1, 3))).toEqual([])
  })

  test('nobody for what has arrived and is being judged, or is gone', () => {
    const stage = staged('bc')
    stage.receive('b', [hash(1)])
    stage.admit([hash(2)])
    stage.depart([hash(2), hash(3)])
    expect(stage.announce('c', hashes(1, 4))).toEqual(['c: want 4'])
  })

  test('whoever announces what is gone for long', () => {
    const stage = staged('b')
    stage.depart(hashes(1, maxPast * 1.5))
    expect(stage.announce('b', [hash(1), hash(maxPast)])).toEqual(['b: want 1'])
  })

  test('the next that announced it, when the link closes', () => {
    const stage = staged('bcd')
    stage.announce('b', hashes(1, 3))
    stage.announce('c', hashes(2, 3))
    stage.announce('d', [hash(3)])
    stage.receive('b', [hash(2)])
    expect(wantedOf(stage.close('b'), 'c')).toEqual(['c: want 3'])
    expect(wantedOf(stage.close('c'), 'd')).toEqual(['d: want 3'])
    stage.close('d')
    expect(stage.gossip.needsTicks).toBe(false)
  })

  test('the next that announced it, when five ticks went by', () => {
    const stage = staged('bcd')
    stage.announce('b', hashes(1, 2))
    stage.announce('c', hashes(1, 2))
    stage.receive('b', [hash(2)])
    expect(stage.tick(4)).toEqual([])
    expect(stage.tick()).toEqual(['c: want 1'])
    expect(stage.tick(4)).toEqual([])
    expect(stage.gossip.needsTicks).toBe(true)
    expect(stage.tick()).toEqual([])
    expect(stage.gossip.needsTicks).toBe(false)
  })

  test('nobody any more once it came from elsewhere', () => {
    const stage = staged('bc')
    stage.announce('b', [hash(1)])
    stage.announce('c', [hash(1)])
    stage.admit([hash(1)])
    expect(wantedOf(stage.close('b'), 'c')).toEqual([])
    expect(stage.tick(10)).toEqual([])
  })

  test('a peer for no more than its window at once, and for the rest as it sends', () => {
    const stage = staged('b')
    const { first } = requestWindow
    expect(stage.announce('b', hashes(1, 1_000))).toEqual([`b: want 1-${first}`])
    expect(stage.receive('b', hashes(1, 50))).toEqual([])
    // Less than half is under way then, and what was sent has made the window larger.
    expect(stage.receive('b', hashes(51, 100))).toEqual([`b: want ${first + 1}-${first + 200}`])
    stage.receive('b', hashes(101, 1_000))
    expect(stage.gossip.needsTicks).toBe(false)
  })

  test('a peer that has sent much still for no more than one message holds', () => {
    const stage = staged('b')
    for (let at = 0; at < 4; at++) {
      stage.announce('b', hashes(at * 1_000 + 1, at * 1_000 + 1_000))
      stage.receive('b', hashes(at * 1_000 + 1, at * 1_000 + 1_000))
    }
    expect(stage.announce('b', hashes(5_001, 7_000))).toEqual(['b: want 5001-6024'])
  })
})

describe('a peer that announces what it does not send', () => {
  test('soon holds up next to nothing: an honest one is asked at once', () => {
    const stage = staged('bc')
    stage.announce('b', hashes(1, 1_000))
    expect(stage.announce('c', hashes(1, 1_000))).toEqual([
      `c: want ${requestWindow.first + 1}-${requestWindow.first * 2}`,
    ])
    stage.tick(25)
    stage.depart(hashes(1, 1_000))

    const { least } = requestWindow
    stage.announce('b', hashes(2_001, 2_100))
    expect(wantedOf(stage.announce('c', hashes(2_001, 2_100)), 'c')).toEqual([
      `c: want ${2_001 + least}-${2_000 + 2 * least}`,
    ])
  })

  test('has room for so many, and what is beyond that was never said', () => {
    const stage = staged('b')
    for (let at = 0; at < 10; at++) stage.announce('b', hashes(at * 1_000 + 1, at * 1_000 + 1_000))
    stage.depart(hashes(1, maxOffered))
    expect(stage.gossip.needsTicks).toBe(false)
    expect(stage.announce('b', [hash(maxOffered + 1)])).toEqual([`b: want ${maxOffered + 1}`])
  })

  test('leaves the room of others alone', () => {
    const stage = staged('bc')
    for (let at = 0; at < 10; at++) stage.announce('b', hashes(at * 1_000 + 1, at * 1_000 + 1_000))
    expect(stage.announce('c', hashes(9_001, 9_100))).toEqual(['c: want 9001-9100'])
  })

  test('has no second turn for having said it twice', () => {
    const stage = staged('b')
    stage.announce('b', [hash(1)])
    stage.announce('b', [hash(1)])
    expect(stage.tick(5)).toEqual([])
    expect(stage.gossip.needsTicks).toBe(false)
  })

  test('and whom nobody backs is forgotten with all that it named', () => {
    const stage = staged('b')
    stage.announce('b', hashes(1, 1_000))
    let ticks = 0
    for (; stage.gossip.needsTicks && ticks < 500; ticks++) stage.tick()
    expect(ticks).toBeLessThan(300)
    expect(stage.tick(10)).toEqual([])
  })
})

describe('what a proposal names and this node lacks', () => {
  test('is asked of who brought it, all at once', () => {
    const stage = staged('bc')
    expect(stage.lack(hashes(1, 3_000), 'c')).toEqual([
      'c: want 1-1024',
      'c: want 1025-2048',
      'c: want 2049-3000',
    ])
    expect(stage.lack(hashes(1, 3_000), 'b')).toEqual([])
  })

  test('is asked for though it was here before', () => {
    const stage = staged('b')
    stage.depart([hash(1)])
    expect(stage.lack([hash(1)], 'b')).toEqual(['b: want 1'])
  })

  test('is not asked for while it may be under verification here', () => {
    const stage = staged('bc')
    stage.receive('b', hashes(1, 2))
    expect(stage.lack(hashes(1, 3), 'c')).toEqual(['c: want 3'])
    stage.admit([hash(1)], 'b')
    expect(stage.tick()).toEqual(['c: want 2'])
  })

  test('is asked for at once when it arrived long ago and was not admitted', () => {
    const stage = staged('b')
    stage.receive('b', [hash(1)])
    stage.tick(2)
    expect(stage.lack([hash(1)], 'b')).toEqual(['b: want 1'])
  })

  test('is not asked for twice while a peer has its turn, and goes to the bringer on the second tick', () => {
    const stage = staged('bcd')
    stage.announce('b', [hash(1)])
    stage.announce('d', [hash(1)])
    expect(stage.lack([hash(1)], 'c')).toEqual([])
    expect(stage.tick()).toEqual([])
    expect(stage.tick()).toEqual(['c: want 1'])
  })

  test('is asked of one peer in this height after the other until it comes', () => {
    const stage = staged('bcd')
    stage.hearStatus('d', { height: 1 })
    stage.lack([hash(1)], 'b')
    expect(stage.tick(2)).toEqual(['c: want 1'])
    expect(stage.tick(2)).toEqual(['b: want 1'])
    expect(wantedOf(stage.close('b'), 'c')).toEqual(['c: want 1'])
    stage.receive('c', [hash(1)])
    expect(stage.tick(5)).toEqual([])
  })

  test('of a proposal that came by no link is asked of any peer in this height', () => {
    const stage = staged('bc')
    stage.hearStatus('b', { height: 1 })
    expect(stage.lack([hash(1)])).toEqual(['c: want 1'])
  })

  test('without a peer waits for one', () => {
    const stage = new Stage()
    expect(stage.lack([hash(1)])).toEqual([])
    expect(stage.gossip.needsTicks).toBe(true)
    stage.open('b')
    expect(stage.tick()).toEqual(['b: want 1'])
  })

  test('is like all the rest once the height is over', () => {
    const stage = staged('bc')
    stage.lack([hash(1)], 'b')
    stage.move(1)
    stage.tick(10)
    expect(stage.gossip.needsTicks).toBe(false)
  })

  test('of more proposals than matter: the newest are asked for longest', () => {
    const stage = staged('bc')
    stage.lack([hash(1)], 'b')
    stage.lack(hashes(2, maxNeeded + 1), 'b')
    const again = stage.tick(2)
    expect(again[0]).toBe('c: want 2-1025')
    expect(again.at(-1)).toMatch(/-16385$/)
  })

  test('makes room as it comes', () => {
    const stage = staged('bc')
    stage.lack([hash(1)], 'b')
    stage.lack(hashes(2, maxNeeded), 'b')
    stage.receive('b', hashes(2, maxNeeded))
    stage.lack(hashes(20_001, 20_000 + maxNeeded - 1), 'b')
    expect(stage.tick(2)[0]).toMatch(/^c: want 1,20001-/)
  })
})
