/**
 * Who may bring how much: opening an envelope costs two key agreements, and whoever knows the name of a key can have
 * that done. Each refusal is logged once, until something good came in between, and costs its connection more.
 */
import { TautlineError } from '../../errors.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Log } from '../../ports/log.ts'
import { TokenBucket } from '../links/token-bucket.ts'
import { allEnvelopesPerSecond, envelopeBurstSeconds, envelopesPerSecond, refusedCost } from './limits.ts'

interface Conduct {
  readonly bucket: TokenBucket
  /** What was logged since something good came. */
  readonly logged: Set<string>
}

export class Doorkeeper {
  readonly #clock: Clock
  readonly #log: Log
  readonly #all: TokenBucket
  readonly #conducts = new Map<string, Conduct>()

  constructor(clock: Clock, log: Log) {
    this.#clock = clock
    this.#log = log
    this.#all = new TokenBucket(allEnvelopesPerSecond, envelopeBurstSeconds, clock.now())
  }

  /** @throws TautlineError `too-many-requests` */
  admit(connection: string): void {
    const now = this.#clock.now()
    if (this.#conduct(connection).bucket.take(1, now) && this.#all.take(1, now)) return
    throw new TautlineError(
      'too-many-requests',
      `this node opens ${envelopesPerSecond} envelopes a second for one connection: send more slowly`,
    )
  }

  refused(connection: string, { code, detail }: { readonly code: string; readonly detail: string }): void {
    const { bucket, logged } = this.#conduct(connection)
    bucket.spend(refusedCost - 1, this.#clock.now())
    if (logged.has(code)) return
    logged.add(code)
    this.#log.warn('an envelope was refused', { connection, reason: code, detail })
  }

  undelivered(connection: string, reason: string): void {
    const { logged } = this.#conduct(connection)
    if (logged.has('undelivered')) return
    logged.add('undelivered')
    this.#log.info("the other end of a connection can't be reached: what waits is sent again later", {
      connection,
      reason,
    })
  }

  heard(connection: string): void {
    this.#conduct(connection).logged.clear()
  }

  forget(connection: string): void {
    this.#conducts.delete(connection)
  }

  #conduct(connection: string): Conduct {
    let conduct = this.#conducts.get(connection)
    if (!conduct) {
      const bucket = new TokenBucket(envelopesPerSecond, envelopeBurstSeconds, this.#clock.now())
      conduct = { bucket, logged: new Set() }
      this.#conducts.set(connection, conduct)
    }
    return conduct
  }
}
