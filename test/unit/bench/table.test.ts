import { describe, expect, it } from 'vitest'
import { median, percentile } from '../../bench/rows.ts'
import { linesOf, renderTables } from '../../bench/table.ts'

describe('figures', () => {
  it('takes the middle of an odd number of samples, and the mean of the two middle ones of an even number', () => {
    expect(median([9, 1, 5])).toBe(5)
    expect(median([4, 1, 9, 2])).toBe(3)
    expect(median([7])).toBe(7)
  })

  it('takes the least sample that 95 % do not exceed', () => {
    const hundred = Array.from({ length: 100 }, (_, at) => 100 - at)
    expect(percentile(hundred, 0.95)).toBe(95)
    expect(percentile([3], 0.95)).toBe(3)
  })
})

describe('a table of two sizes', () => {
  const lines = linesOf([
    { row: 'ndjsonRate', size: 1_000, samples: [800] },
    { row: 'ndjsonRate', size: 10, samples: [1_900, 2_000, 2_100] },
    { row: 'ndjsonShare', size: 10, samples: [45] },
    { row: 'ndjsonShare', size: 1_000, samples: [39.9] },
    { row: 'idleBlocks', size: 10, samples: [0] },
    { row: 'idleBlocks', size: 1_000, samples: [0] },
  ])

  it('orders by size, and compares the largest with the smallest', () => {
    const [rate, share] = lines
    expect(rate).toMatchObject({
      row: 'ndjsonRate',
      growth: 0.4,
      asked: { text: 'growth ≥ 0.5', met: false },
    })
    expect(rate!.figures).toEqual([
      { size: 10, value: 2_000, samples: [1_900, 2_000, 2_100] },
      { size: 1_000, value: 800, samples: [800] },
    ])
    expect(share).toMatchObject({ asked: { text: '≥ 40 %', met: false } })
  })

  it('shows what is met and what is missed', () => {
    const text = renderTables(lines)
    expect(text).toMatch(/ 10 accounts +1,000 accounts +growth +asked$/m)
    expect(text).toMatch(/NDJSON +2,000 \/s +800 \/s +× 0\.40 +growth ≥ 0\.5: MISSED$/m)
    expect(text).toMatch(/blocks of an idle minute +0 +0 +≤ 0: met$/m)
  })

  it('judges every size', () => {
    const judge = (values: readonly number[]) =>
      linesOf(values.map((value, at) => ({ row: 'latencyShare', size: at + 1, samples: [value] })))[0]!.asked!
        .met
    expect(judge([1.5, 1.2])).toBe(true)
    expect(judge([1.2, 1.51])).toBe(false)
  })

  it('asks nothing of growth when there is one size', () => {
    const [line] = linesOf([{ row: 'singleRate', size: 10, samples: [1] }])
    expect(line).not.toHaveProperty('growth')
    expect(line).not.toHaveProperty('asked')
    expect(renderTables([line!])).not.toMatch(/growth/)
  })
})

describe('tables of ledgers and of networks', () => {
  const lines = linesOf([
    { row: 'oneCore', size: 10, samples: [9_000] },
    { row: 'networkLatencyMedian', size: 16, samples: [40] },
    { row: 'networkLatencyMedian', size: 4, samples: [20] },
  ])

  it('are two, each with columns of its own', () => {
    const [ledgers, networks] = renderTables(lines).split('\n\n')
    expect(ledgers).toMatch(/ 10 accounts +asked$/m)
    expect(ledgers).not.toMatch(/validators/)
    expect(networks).toMatch(/ 4 validators +16 validators +growth +asked$/m)
    expect(networks).not.toMatch(/accounts/)
  })

  it('judge a figure where it is asked alone', () => {
    expect(lines.at(-1)).toMatchObject({ asked: { text: '≤ 25 ms', met: true } })
    const [elsewhere] = linesOf([{ row: 'networkLatencyMedian', size: 7, samples: [20] }])
    expect(elsewhere).not.toHaveProperty('asked')
  })
})
