import { describe, expect, it } from 'vitest'
import { maxSegmentBlocks, maxSegmentBytes } from '../../../src/messages/limits.ts'
import {
  aimBytes,
  eagerBlocks,
  falseBanTicks,
  firstBlocks,
  graceTicks,
  maxAheadBytes,
  maxBanTicks,
  maxInUse,
  maxSpans,
  pauseTicks,
  requestTicks,
  slowBanTicks,
  stallTicks,
} from '../../../src/sync/limits.ts'
import { peer, type Request, range, Stage } from './stage.ts'

describe('catching up', () => {
  it('nobody is ahead: nothing is asked, and no time passes', () => {
    const stage = new Stage(7).stands('a', 7).stands('b', 3)
    expect(stage.effects).toEqual([])
    expect(stage.machine.needsTicks).toBe(false)
    expect(stage.machine.view()).toEqual({
      head: 7,
      target: 7,
      sources: 0,
      requests: 0,
      heldBytes: 0,
      banned: 0,
    })
  })

  it('one peer is one block ahead, and the head stands still: that block is asked for, and then it is quiet', () => {
    const stage = new Stage(7).stands('a', 8)
    expect(stage.machine.needsTicks).toBe(true)
    stage.ticks(graceTicks - 1)
    expect(stage.effects).toEqual([])
    const request = stage.ticks(1).request()
    expect({ peer: request.peer, range: range(request) }).toEqual({ peer: peer('a'), range: '8-8' })
    stage.answer(request)
    expect(stage.used()).toEqual([request.request])
    stage.head(8)
    expect(stage.take('forget')).toEqual([{ kind: 'forget', request: request.request }])
    expect(stage.machine.needsTicks).toBe(false)
    expect(stage.effects).toEqual([])
  })

  it('peers are a few blocks ahead while blocks are decided here, too: nothing is asked', () => {
    const stage = new Stage(7)
    for (let at = 8; at < 40; at++) {
      stage
        .stands('a', at + eagerBlocks - 2)
        .ticks(graceTicks - 1)
        .head(at)
    }
    expect(stage.effects).toEqual([])
  })

  it('it is quiet for long, then a peer is ahead: that one has no less grace', () => {
    const stage = new Stage(7).stands('a', 8).ticks(1).head(8).ticks(10).stands('a', 9)
    expect(stage.effects).toEqual([])
    stage.ticks(graceTicks)
    expect(stage.requests()).toHaveLength(1)
  })

  it('far behind, blocks are asked for at once', () => {
    expect(range(new Stage(7).stands('a', 7 + eagerBlocks).request())).toBe(`8-${7 + eagerBlocks}`)
  })

  it('several peers: each is asked for another range, none beyond what it says it has', () => {
    const stage = new Stage().stands('a', 1_000).stands('b', 40).stands('c', 1_000)
    expect(stage.requests().map((request) => [request.peer, range(request)])).toEqual([
      [peer('a'), `1-${firstBlocks}`],
      [peer('b'), `${firstBlocks + 1}-40`],
      [peer('c'), `41-${40 + firstBlocks}`],
    ])
  })

  it('answers come in any order and are used in the order of heights', () => {
    const stage = new Stage().stands('a', 1_000).stands('b', 1_000)
    const [first, second] = stage.requests() as [Request, Request]
    stage.answer(second)
    expect(stage.used()).toEqual([])
    stage.answer(first)
    expect(stage.used()).toEqual([first.request, second.request])
  })

  it('one segment is executed while the next is checked, and no more are in use', () => {
    const stage = new Stage().stands('a', 100_000)
    const asked: Request[] = []
    for (let count = 0; count < maxInUse + 2; count++) {
      asked.push(stage.request())
      stage.answer(asked.at(-1)!)
    }
    expect(stage.used()).toEqual(asked.slice(0, maxInUse).map(({ request }) => request))
    stage.head(asked[0]!.from + asked[0]!.blocks - 1)
    expect(stage.used()).toEqual([asked[maxInUse]!.request])
  })

  it('small blocks are asked for by the thousand, big ones one by one', () => {
    const small = new Stage().stands('a', 1_000_000)
    const big = new Stage().stands('a', 1_000_000)
    const sizes = [small, big].map((stage, at) => {
      let request = stage.request()
      for (let count = 0; count < 6; count++) {
        stage.answer(request, request.blocks * (at === 0 ? 300 : aimBytes))
        stage.used()
        stage.head(request.from + request.blocks - 1)
        request = stage.request()
      }
      return request.blocks
    })
    expect(sizes).toEqual([maxSegmentBlocks, 1])
  })

  it('a peer that has pruned what comes next is asked only for what it has', () => {
    const stage = new Stage(7).stands('a', 5_000, 3_000)
    expect(stage.effects).toEqual([])
    expect(stage.machine.view()).toMatchObject({ target: 7, sources: 0, lowest: 3_000 })
    stage.stands('b', 5_000, 8)
    expect(stage.machine.view().lowest).toBeUndefined()
    expect(stage.requests().map((request) => request.peer)).toEqual([peer('b')])
  })

  it('a segment cut off where the validators change is gone on with behind it', () => {
    const stage = new Stage().stands('a', 20)
    const request = stage.request()
    stage.answer(request, 1_000, 5, true)
    expect(range(stage.request())).toBe('6-20')
    expect(stage.dropped()).toEqual([])
    expect(stage.used()).toEqual([request.request])
  })

  it('blocks that come in another way meanwhile are not waited for', () => {
    const stage = new Stage().stands('a', 10)
    const request = stage.request()
    stage.head(10)
    expect(stage.take('forget')).toEqual([{ kind: 'forget', request: request.request }])
    stage.answer(request)
    expect(stage.effects).toEqual([{ kind: 'forget', request: request.request }])
    expect(stage.machine.needsTicks).toBe(false)
  })
})

describe('bounds', () => {
  it('answers that wait are bounded in number', () => {
    const stage = new Stage().stands('z', 1_000_000)
    const first = stage.request() // never answered
    stage.stands('a', 1_000_000)
    let asked = 1
    for (let request = stage.requests()[0]; request; request = stage.requests()[0]) {
      asked++
      stage.answer(request, 10)
    }
    expect(asked).toBe(maxSpans)
    expect(stage.answer(first).used()).toHaveLength(maxInUse)
  })

  it('answers that wait are bounded in bytes, each request counting with the most that may come', () => {
    const stage = new Stage()
    for (let name = 0; name < 10; name++) stage.stands(`p${name}`, 1_000_000)
    const requests = stage.requests()
    expect(requests).toHaveLength(maxAheadBytes / maxSegmentBytes)
    for (const request of requests.slice(1)) stage.answer(request, maxSegmentBytes, 1, true)
    expect(stage.requests()).toEqual([])
    expect(stage.machine.view().heldBytes).toBeLessThanOrEqual(maxAheadBytes)
  })

  it('however much waits, what the head needs has room', () => {
    const stage = new Stage()
    for (let name = 0; name < 4; name++) stage.stands(`p${name}`, 1_000_000)
    const [first, ...others] = stage.requests()
    for (const request of others) stage.answer(request, maxSegmentBytes * 1.3)
    expect(stage.requests()).toEqual([])
    stage.tell({ kind: 'failed', request: first!.request, fault: 'slow', reason: 'no answer' })
    expect(stage.request().from).toBe(first!.from)
  })

  it('when the last peer is gone, what waited behind a gap is let go', () => {
    const stage = new Stage().stands('a', 1_000).stands('b', 1_000)
    const [, second] = stage.requests() as [Request, Request]
    stage.answer(second).tell({ kind: 'gone', peer: peer('a') })
    stage.take('forget')
    stage.tell({ kind: 'gone', peer: peer('b') })
    expect(stage.take('forget').map(({ request }) => request)).toContain(second.request)
    stage.ticks(slowBanTicks)
    expect(stage.machine.needsTicks).toBe(false)
    expect(stage.machine.view().heldBytes).toBe(0)
  })
})

describe('peers that are no good', () => {
  const withTwo = () => {
    const stage = new Stage().stands('a', firstBlocks)
    const request = stage.request()
    return { stage: stage.stands('b', firstBlocks), request }
  }

  it('one that gives no answer is dropped, and another asked', () => {
    const { stage, request } = withTwo()
    stage.tell({ kind: 'failed', request: request.request, fault: 'slow', reason: 'connection refused' })
    expect(stage.take('drop')).toEqual([
      { kind: 'drop', peer: peer('a'), fault: 'slow', reason: 'connection refused', ticks: slowBanTicks },
    ])
    expect(stage.request()).toMatchObject({ peer: peer('b'), from: 1 })
  })

  it('one that keeps all waiting is dropped as soon as another could be asked', () => {
    const { stage, request } = withTwo()
    stage.ticks(stallTicks - 1)
    expect(stage.effects).toEqual([])
    stage.ticks(1)
    expect(stage.dropped()).toEqual([expect.stringContaining(`${peer('a')} slow: it took more than`)])
    expect(stage.request()).toMatchObject({ peer: peer('b'), from: 1 })
    expect(stage.answer(request).used()).toEqual([])
  })

  it('the only one there is may take its time, but not for ever', () => {
    const stage = new Stage().stands('a', 10)
    stage.request()
    stage.ticks(requestTicks - 1)
    expect(stage.effects).toEqual([])
    stage.ticks(1)
    expect(stage.dropped()).toHaveLength(1)
    stage.ticks(slowBanTicks - 1)
    expect(stage.requests()).toEqual([])
    stage.ticks(1)
    expect(range(stage.request())).toBe('1-10')
  })

  it('one that others have kept out for being slow gets more time each time', () => {
    const stage = new Stage().stands('slow', 20)
    stage.request()
    stage.stands('b', 20).ticks(stallTicks)
    expect(stage.dropped()).toEqual([expect.stringContaining(peer('slow'))])
    stage.tell({ kind: 'failed', request: stage.request().request, fault: 'slow', reason: 'busy' })
    stage.take('drop')
    stage.ticks(slowBanTicks)
    expect(stage.request().peer).toBe(peer('slow'))
    stage.stands('c', 20).ticks(2 * stallTicks - 1)
    expect(stage.dropped()).toEqual([])
    stage.ticks(1)
    expect(stage.dropped()).toEqual([expect.stringContaining(peer('slow'))])
  })

  it('one that leaves while it is waited for is not asked at once when it is back', () => {
    const { stage } = withTwo()
    stage.tell({ kind: 'gone', peer: peer('a') }).stands('a', 1_000)
    expect(stage.dropped()).toEqual([`${peer('a')} slow: it left without an answer`])
    expect(stage.requests().map(({ peer }) => peer)).toEqual([peer('b')])
  })

  it('one that isn’t waited for has the whole time', () => {
    const stage = new Stage().stands('a', 1_000).stands('b', 1_000).stands('c', 20)
    const [first, second] = stage.requests() as [Request, Request]
    stage
      .ticks(stallTicks - 1)
      .answer(first)
      .used()
    stage.ticks(requestTicks - stallTicks)
    expect(stage.dropped().filter((text) => text.startsWith(second.peer))).toEqual([])
  })

  it('one that gives less than it has is dropped; what it gave is used', () => {
    const { stage, request } = withTwo()
    stage.answer(request, 1_000, 3)
    expect(stage.dropped()).toEqual([
      `${peer('a')} false: it gave 3 blocks where it has the ${firstBlocks} that were asked for`,
    ])
    expect(stage.used()).toEqual([request.request])
    expect(stage.request()).toMatchObject({ peer: peer('b'), from: 4 })
  })

  it.each([0, firstBlocks + 1])('one that gives %i blocks is dropped, and its answer too', (given) => {
    const { stage, request } = withTwo()
    stage.answer(request, 1_000, given, true)
    expect(stage.dropped()).toHaveLength(1)
    expect(stage.used()).toEqual([])
    expect(stage.request()).toMatchObject({ peer: peer('b'), from: 1, blocks: firstBlocks })
  })

  it('one whose blocks turn out false is dropped for long, and what others gave behind them is kept', () => {
    const stage = new Stage().stands('liar', 1_000).stands('b', 1_000)
    const [first, second] = stage.requests() as [Request, Request]
    stage.answer(first).answer(second)
    expect(stage.used()).toEqual([first.request, second.request])
    stage.requests()
    stage.stands('c', 1_000).requests()
    stage.tell({ kind: 'refused', request: first.request, reason: 'block 3: forged' })
    expect(stage.take('drop')).toEqual([
      { kind: 'drop', peer: peer('liar'), fault: 'false', reason: 'block 3: forged', ticks: falseBanTicks },
    ])
    const again = stage
      .ticks(1)
      .requests()
      .find(({ from }) => from === 1)
    expect(again).toBeUndefined() // all others are busy
    stage.stands('d', 1_000)
    const instead = stage.request()
    expect(range(instead)).toBe(range(first))
    stage.answer(instead)
    expect(stage.used()).toEqual([instead.request, second.request])
  })

  it('one that reports a lower height than before is dropped', () => {
    const stage = new Stage().stands('a', 50)
    stage.request()
    stage.stands('a', 20)
    expect(stage.dropped()).toEqual([`${peer('a')} false: its head went back from height 50 to 20`])
    expect(stage.machine.view()).toMatchObject({ target: 0, sources: 0, requests: 0 })
    stage.ticks(falseBanTicks)
    expect(range(stage.request())).toBe('1-20')
  })

  it('one that comes back is not asked before its time, and its faults add up', () => {
    const stage = new Stage().stands('a', 10)
    const fail = (): number => {
      stage.tell({ kind: 'failed', request: stage.request().request, fault: 'false', reason: 'not JSON' })
      return stage.take('drop')[0]!.ticks
    }
    expect(fail()).toBe(falseBanTicks)
    stage
      .tell({ kind: 'gone', peer: peer('a') })
      .ticks(1)
      .stands('a', 10)
    expect(stage.requests()).toEqual([])
    stage.ticks(falseBanTicks - 1)
    expect(fail()).toBe(2 * falseBanTicks)
    stage.ticks(2 * falseBanTicks)
    expect(fail()).toBe(4 * falseBanTicks)
    for (let ticks = 4 * falseBanTicks; ticks < maxBanTicks; ) {
      stage.ticks(ticks)
      ticks = fail()
    }
    stage.ticks(maxBanTicks)
    expect(fail()).toBe(maxBanTicks)
  })

  it('one that was of use is trusted like the first time', () => {
    const stage = new Stage().stands('a', 100)
    stage.tell({ kind: 'failed', request: stage.request().request, fault: 'slow', reason: 'busy' })
    stage.ticks(slowBanTicks).take('drop')
    const request = stage.request()
    stage.answer(request).head(request.from + request.blocks - 1)
    stage.tell({ kind: 'failed', request: stage.request().request, fault: 'slow', reason: 'busy' })
    expect(stage.take('drop')).toMatchObject([{ ticks: slowBanTicks }])
  })

  it('the reliable are asked first', () => {
    const stage = new Stage().stands('a', 20)
    stage.tell({ kind: 'failed', request: stage.request().request, fault: 'slow', reason: 'busy' })
    stage.stands('b', 40)
    const [busy] = stage.requests()
    stage.ticks(slowBanTicks - 1).stands('c', 20)
    stage.ticks(1).answer(busy!)
    expect(stage.requests().map(({ peer }) => peer)).toEqual([peer('c')])
  })
})

describe('trouble at home', () => {
  it('the storage refuses: nobody is blamed, and after a pause the same segments are used', () => {
    const stage = new Stage().stands('a', firstBlocks * 5)
    const first = stage.request()
    stage.answer(first)
    expect(stage.used()).toEqual([first.request])
    stage.tell({ kind: 'postponed' })
    stage.ticks(pauseTicks - 1)
    expect(stage.used()).toEqual([])
    stage.ticks(1)
    expect(stage.used()).toEqual([first.request])
    expect(stage.dropped()).toEqual([])
  })
})
