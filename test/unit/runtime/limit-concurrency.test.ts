import { expect, test } from 'vitest'
import { limitConcurrency } from '../../../src/runtime/limit-concurrency.ts'

/** Tasks that end when told to. */
const createTasks = () => {
  const started: number[] = []
  const ends: (() => void)[] = []
  const task = (at: number) => () => {
    started.push(at)
    return new Promise<number>((resolve, reject) => {
      ends[at] = () => (at % 4 === 3 ? reject(new Error(`task ${at}`)) : resolve(at))
    })
  }
  return { started, ends, task }
}

test('two places, three bursts of seven: in order, never more than two at once, failures give their place on', async () => {
  const limited = limitConcurrency(2)
  for (let burst = 0; burst < 3; burst++) {
    const { started, ends, task } = createTasks()
    const outcomes = [0, 1, 2, 3, 4, 5, 6].map((at) =>
      limited(task(at)).catch((error: Error) => error.message),
    )
    for (let at = 0; at < 7; at++) {
      expect(started).toEqual([0, 1, 2, 3, 4, 5, 6].slice(0, Math.min(at + 2, 7)))
      ends[at]!()
      await outcomes[at]
      await Promise.resolve() // the next one's turn to start
    }
    expect(await Promise.all(outcomes)).toEqual([0, 1, 2, 'task 3', 4, 5, 6])
  }
})

test('a task that throws before it waits gives its place back', async () => {
  const limited = limitConcurrency(1)
  const failing = (): Promise<never> => {
    throw new Error('at once')
  }
  for (let attempt = 0; attempt < 3; attempt++) await expect(limited(failing)).rejects.toThrow('at once')
  expect(await limited(async () => 'goes on')).toBe('goes on')
})

test('a newcomer does not slip in before those who wait', async () => {
  const limited = limitConcurrency(1)
  const { started, ends, task } = createTasks()
  const outcomes = [limited(task(0)), limited(task(1))]
  const newcomer = outcomes[0]!.then(() => limited(task(2)))
  ends[0]!()
  await outcomes[0]
  await Promise.resolve()
  expect(started).toEqual([0, 1])
  ends[1]!()
  await outcomes[1]
  await Promise.resolve()
  expect(started).toEqual([0, 1, 2])
  ends[2]!()
  expect(await newcomer).toBe(2)
})
