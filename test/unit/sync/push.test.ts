import { describe, expect, it } from 'vitest'
import { helpTicks, maxRestTicks, restTicks } from '../../../src/sync/limits.ts'
import { Push, type PushInput } from '../../../src/sync/push.ts'
import { height } from '../../../src/units.ts'
import { peer } from './stage.ts'

class Scene {
  readonly machine: Push
  pushed: string[] = []

  constructor(head: number) {
    this.machine = new Push(height(head))
  }

  tell(input: PushInput): this {
    for (const { peer, from } of this.machine.step(input)) this.pushed.push(`${peer.slice(5)} from ${from}`)
    return this
  }

  stands(name: string, at: number): this {
    return this.tell({ kind: 'stands', peer: peer(name), height: height(at) })
  }

  taken(name: string, upTo: number): this {
    return this.tell({ kind: 'taken', peer: peer(name), upTo: height(upTo) })
  }

  ticks(count: number): this {
    for (let tick = 0; tick < count; tick++) this.tell({ kind: 'tick' })
    return this
  }

  seen(): readonly string[] {
    return this.pushed.splice(0)
  }
}

describe('helping peers that are behind', () => {
  it('nobody is behind: nothing is sent, and no time passes', () => {
    const scene = new Scene(7).stands('a', 7).stands('b', 9)
    expect(scene.machine.needsTicks).toBe(false)
    expect(scene.ticks(1_000).seen()).toEqual([])
  })

  it('one that stands still is sent what follows its head, segment after segment, until it has all', () => {
    const scene = new Scene(100).stands('a', 10).ticks(helpTicks - 1)
    expect(scene.seen()).toEqual([])
    expect(scene.ticks(1).seen()).toEqual(['a from 11'])
    expect(scene.ticks(5).seen()).toEqual([])
    expect(scene.taken('a', 60).seen()).toEqual([])
    expect(scene.stands('a', 60).seen()).toEqual(['a from 61'])
    expect(scene.stands('a', 100).taken('a', 100).seen()).toEqual([])
    expect(scene.machine.needsTicks).toBe(false)
  })

  it('one that has no block yet, too', () => {
    const scene = new Scene(100).stands('a', 0).ticks(helpTicks - 1)
    expect(scene.seen()).toEqual([])
    expect(scene.ticks(1).seen()).toEqual(['a from 1'])
  })

  it('its status comes before the answer: that is the same', () => {
    const scene = new Scene(100).stands('a', 10).ticks(helpTicks)
    scene.seen()
    expect(scene.stands('a', 40).taken('a', 40).seen()).toEqual(['a from 41'])
  })

  it('one that moves by itself is left to it', () => {
    const scene = new Scene(100).stands('a', 10)
    for (let at = 11; at < 90; at++) scene.ticks(helpTicks - 1).stands('a', at)
    expect(scene.seen()).toEqual([])
  })

  it('one that was helped up to the head is not helped with every block from then on', () => {
    const scene = new Scene(100).stands('a', 99).ticks(helpTicks)
    scene.taken('a', 100).stands('a', 100).seen()
    scene.tell({ kind: 'head', height: height(101) })
    expect(scene.ticks(helpTicks - 1).seen()).toEqual([])
    expect(scene.stands('a', 101).ticks(helpTicks).seen()).toEqual([])
  })

  it.each<[string, PushInput]>([
    ['refuses', { kind: 'refused', peer: peer('a') }],
    ['takes it and does not move', { kind: 'taken', peer: peer('a'), upTo: height(60) }],
  ])('one that %s is left alone, longer each time', (_, answer) => {
    const scene = new Scene(100).stands('a', 10).ticks(helpTicks)
    for (let rest = restTicks; rest < 4 * maxRestTicks; rest *= 2) {
      expect(scene.seen()).toEqual(['a from 11'])
      scene.tell(answer).ticks(Math.min(rest, maxRestTicks) - 1)
      expect(scene.seen()).toEqual([])
      scene.ticks(1)
    }
  })

  it('one that has gone is not helped; back again, it is a new one', () => {
    const scene = new Scene(100).stands('a', 10).ticks(helpTicks - 1)
    scene
      .tell({ kind: 'gone', peer: peer('a') })
      .ticks(5)
      .stands('a', 10)
      .ticks(helpTicks - 1)
    expect(scene.seen()).toEqual([])
    expect(scene.ticks(1).seen()).toEqual(['a from 11'])
    expect(
      scene
        .tell({ kind: 'gone', peer: peer('a') })
        .taken('a', 60)
        .seen(),
    ).toEqual([])
  })

  it('several are helped side by side', () => {
    const scene = new Scene(100).stands('a', 10).stands('b', 20).ticks(helpTicks)
    expect(scene.seen()).toEqual(['a from 11', 'b from 21'])
  })
})
