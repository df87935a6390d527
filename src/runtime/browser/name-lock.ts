/** One node at a time in one database, whichever tab or worker of the site it runs in: a Web Lock, which ends with its holder. */
import { TautlineError } from '../../errors.ts'

/** A page that is being reloaded still holds its lock for a moment. */
const patienceMs = 2_000

export interface NameLock {
  release(): void
}

/** @throws TautlineError `folder-in-use` */
export const takeNameLock = (name: string): Promise<NameLock> =>
  new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(patienceMs)
    const held = navigator.locks.request(
      name,
      { signal },
      () => new Promise<void>((release) => resolve({ release })),
    )
    held.catch((cause: unknown) =>
      reject(
        signal.aborted
          ? new TautlineError(
              'folder-in-use',
              'this node runs already, in another tab or worker of this browser: use that one, or close it first',
              { name },
            )
          : cause,
      ),
    )
  })
