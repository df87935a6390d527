/**
 * What is held against peers: scores and bans, by key.
 *
 * A reject costs score, at a low score the link, and at none a ban that ends. What a peer can't help, or what
 * may come of delays, is ignored and costs nothing.
 */
import type { Clock } from '../../ports/clock.ts'
import { type Address, type UnixMs, unixMs } from '../../units.ts'
import { firstBanMs, fullScore, maxBanMs, maxRemembered, rejectCost, unlinkScore } from './limits.ts'

export interface Ban {
  readonly until: UnixMs
  readonly reason: string
}

interface Record {
  readonly score: number
  /** When the score was that. */
  readonly atMs: UnixMs
  /** How many bans there were. */
  readonly bans: number
  readonly ban?: Ban
}

export class Conduct {
  readonly #clock: Clock
  /** In the order in which they were last changed. */
  readonly #records = new Map<Address, Record>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  score(peer: Address): number {
    const record = this.#records.get(peer)
    if (!record) return fullScore
    const regained = Math.max(0, this.#clock.now() - record.atMs) / 1_000
    return Math.min(fullScore, Math.floor(record.score + regained))
  }

  /** The ban that isn't over. */
  banOf(peer: Address): Ban | undefined {
    const ban = this.#records.get(peer)?.ban
    return ban && ban.until > this.#clock.now() ? ban : undefined
  }

  bans(): readonly (readonly [Address, Ban])[] {
    return [...this.#records.keys()].flatMap((peer) => {
      const ban = this.banOf(peer)
      return ban ? [[peer, ban] as const] : []
    })
  }

  /** @returns whether its link should end */
  reject(peer: Address, reason: string): boolean {
    const score = this.score(peer) - rejectCost
    if (score <= 0) {
      const bans = this.#records.get(peer)?.bans ?? 0
      this.ban(peer, Math.min(maxBanMs, firstBanMs * 2 ** bans), reason)
      return true
    }
    this.#remember(peer, { ...this.#recordOf(peer), score, atMs: this.#clock.now() })
    return score <= unlinkScore
  }

  /** A peer starts anew, with a full score, when its ban is over. */
  ban(peer: Address, forMs: number, reason: string): Ban {
    const ban = { until: unixMs(this.#clock.now() + forMs), reason }
    this.#remember(peer, {
      score: fullScore,
      atMs: this.#clock.now(),
      bans: this.#recordOf(peer).bans + 1,
      ban,
    })
    return ban
  }

  #recordOf(peer: Address): Record {
    return this.#records.get(peer) ?? { score: fullScore, atMs: this.#clock.now(), bans: 0 }
  }

  #remember(peer: Address, record: Record): void {
    this.#records.delete(peer)
    this.#records.set(peer, record)
    if (this.#records.size > maxRemembered) this.#forgetOne()
  }

  /** The one that was changed longest ago, if it can be one whose ban is over. */
  #forgetOne(): void {
    const peers = [...this.#records.keys()]
    this.#records.delete(peers.find((peer) => !this.banOf(peer)) ?? peers[0]!)
  }
}
