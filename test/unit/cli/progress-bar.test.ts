import { describe, expect, it } from 'vitest'
import { progressBar } from '../../../src/cli/progress-bar.ts'
import { fakeTerminal } from './fake-terminal.ts'

describe('the progress bar', () => {
  it('is drawn once for each percent, not for each block', () => {
    const terminal = fakeTerminal()
    const bar = progressBar(terminal, 'blocks')
    for (let done = 0; done <= 100_000; done++) bar.update(done, 100_000)
    expect(terminal.drawn).toHaveLength(101)
    expect(terminal.drawn[0]).toBe(`[${'.'.repeat(40)}]   0 % of 100000 blocks`)
    expect(terminal.drawn[50]).toBe(`[${'#'.repeat(20)}${'.'.repeat(20)}]  50 % of 100000 blocks`)
    expect(terminal.drawn[100]).toBe(`[${'#'.repeat(40)}] 100 % of 100000 blocks`)
  })

  it('of nothing is full, and can be taken away', () => {
    const terminal = fakeTerminal()
    const bar = progressBar(terminal, 'blocks')
    bar.update(0, 0)
    bar.clear()
    expect(terminal.drawn).toEqual([expect.stringContaining('100 %'), ''])
  })
})
