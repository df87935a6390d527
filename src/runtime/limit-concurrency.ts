/** Tasks that share a scarce place, as verifications and storage share a runtime's threads. */

interface Waiting {
  readonly enter: () => void
  next?: Waiting
}

/**
 * Runs at most so many tasks at once, the others in their order as places come free. Callers bound the number
 * of those: each waits for its own.
 */
export const limitConcurrency = (most: number) => {
  let running = 0
  let first: Waiting | undefined
  let last: Waiting | undefined

  const waitForPlace = (): Promise<void> =>
    new Promise((enter) => {
      const waiting = { enter }
      if (last) last.next = waiting
      else first = waiting
      last = waiting
    })
  // A place goes from hand to hand while anybody waits, so that nobody slips in between.
  const leave = (): void => {
    if (!first) {
      running--
      return
    }
    first.enter()
    first = first.next
    if (!first) last = undefined
  }
  return async <Result>(task: () => Promise<Result>): Promise<Result> => {
    if (running >= most) await waitForPlace()
    else running++
    try {
      return await task()
    } finally {
      leave()
    }
  }
}
