/**
 * Keeps dialling: every URL that the operator gave is linked, or tried again, for as long as the node runs.
 *
 * Pauses double from attempt to attempt up to a cap and are jittered, so that a node that comes back isn't
 * met by all others at once.
 */
import { TautlineError } from '../../errors.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Random } from '../../ports/random.ts'
import type { Reach, Transport, Wire, WireListener } from '../../ports/transport.ts'
import { type Address, type UnixMs, unixMs } from '../../units.ts'
import type { DialledView } from '../service.ts'
import { firstRedialMs, goodLinkMs, maxDialledUrls, maxRedialMs, patientAttempts } from './limits.ts'

export interface DiallerParts {
  readonly transport: Transport
  readonly clock: Clock
  readonly random: Random
  readonly isLinked: (peer: Address) => boolean
  /** It wants no link for the moment. */
  readonly isResting: (peer: Address) => boolean
  /** When the ban of a peer ends. */
  readonly bannedUntil: (peer: Address) => UnixMs | undefined
  /** A peer that was to be dialled once isn't linked, or not any more. */
  readonly onGivenUp: (peer: Address) => void
  /** Where URLs may lead that peers have supplied. */
  readonly reachOfSupplied: Reach
  /** Somebody answered. */
  readonly greet: (wire: Wire, target: Target) => WireListener
  /** An attempt failed, for another reason than the one before. */
  readonly onFailure: (url: string, failure: string) => void
}

/** A URL that is dialled; only the dialler changes it. */
export interface Target {
  readonly url: string
  /** Only this key is wanted there; and once that comes to an end, the URL isn't dialled again. */
  readonly expects?: Address
  /** Who answered there last. */
  peer?: Address
  /** Since a link through it was good. */
  attempts: number
  failure?: string
  /** What the operator was told last that failed. */
  told?: string
  /** From the beginning of an attempt until it failed or has made a link. */
  isTrying: boolean
  /** When the next attempt begins. */
  next?: UnixMs
  isRemoved: boolean
  cancel: () => void
}

export class Dialler {
  readonly #parts: DiallerParts
  readonly #targets = new Map<string, Target>()

  constructor(parts: DiallerParts) {
    this.#parts = parts
  }

  /**
   * Dials at once, and again for as long as the URL isn't removed.
   *
   * @throws TautlineError `too-many-peers`
   */
  add(url: string): void {
    const known = this.#targets.get(url)
    if (known) {
      if (known.next !== undefined) this.#dialSoon(known, 0)
      return
    }
    if (this.#targets.size >= maxDialledUrls)
      throw new TautlineError(
        'too-many-peers',
        `this node dials ${maxDialledUrls} URLs already: remove a peer first`,
      )
    this.#begin({ url })
  }

  /**
   * Dials a URL once, of which a peer has said that this key is reached there.
   *
   * @returns whether it does: not one that is dialled already, or when there is no room
   */
  addSupplied(url: string, expects: Address): boolean {
    if (this.#targets.has(url) || this.#targets.size >= maxDialledUrls) return false
    this.#begin({ url, expects })
    return true
  }

  #begin(of: Pick<Target, 'url' | 'expects'>): void {
    const target: Target = { ...of, attempts: 0, isTrying: false, isRemoved: false, cancel: () => undefined }
    this.#targets.set(of.url, target)
    this.#dial(target)
  }

  /** Where a URL may lead that this node dials or has dialled. */
  reachOf(url: string): Reach {
    const target = this.#targets.get(url)
    return target && target.expects === undefined ? 'anywhere' : this.#parts.reachOfSupplied
  }

  /** @returns whether there were any */
  removeThoseOf(peer: Address): boolean {
    const targets = this.#targetsOf(peer)
    for (const target of targets) this.remove(target)
    return targets.length > 0
  }

  remove(target: Target): void {
    target.isRemoved = true
    target.cancel()
    this.#targets.delete(target.url)
  }

  /** Who is there isn't proven yet. */
  answered(target: Target, peer: Address): void {
    target.peer = peer
  }

  /**
   * Who answered refused, or was refused.
   *
   * @param leastMs - the shortest pause before the next attempt
   */
  refused(target: Target, failure: string, leastMs = 0): void {
    target.failure = failure
    this.#tell(target, failure)
    this.#tryLater(target, leastMs)
  }

  /** There is a link with who answered already, at one of the two ends at least. */
  notNeeded(target: Target): void {
    delete target.failure
    this.#tryLater(target)
  }

  linked(target: Target): void {
    target.isTrying = false
    delete target.failure
    delete target.told
  }

  /** The link with a peer is over. @param lastedMs - how long there was one */
  unlinked(peer: Address, lastedMs: number): void {
    for (const target of this.#targetsOf(peer)) {
      if (lastedMs >= goodLinkMs) target.attempts = 0
      if (!target.isTrying && target.next === undefined && !this.#parts.isResting(peer)) this.#redial(target)
    }
  }

  /** Dials a peer at once that was given a rest. */
  wake(peer: Address): void {
    for (const target of this.#targetsOf(peer)) if (!target.isTrying) this.#dialSoon(target, 0)
  }

  /** At which this peer has answered. */
  urlOf(peer: Address): string | undefined {
    return this.#targetsOf(peer)[0]?.url
  }

  /** Peers that are to be dialled once, and are being dialled or linked. */
  get supplied(): readonly { readonly peer: Address; readonly url: string }[] {
    return [...this.#targets.values()].flatMap(({ url, expects }) =>
      expects ? [{ peer: expects, url }] : [],
    )
  }

  /** Those that have no link. */
  views(): readonly DialledView[] {
    return [...this.#targets.values()]
      .filter(({ peer, expects }) => !expects && (peer === undefined || !this.#parts.isLinked(peer)))
      .map(({ url, attempts, failure, next }) => ({
        url,
        attempts,
        ...(failure === undefined ? {} : { failure }),
        ...(next === undefined ? {} : { next }),
      }))
  }

  close(): void {
    for (const target of this.#targets.values()) this.remove(target)
  }

  #targetsOf(peer: Address): readonly Target[] {
    return [...this.#targets.values()].filter((target) => target.peer === peer)
  }

  /** Nobody answered. While a network is being started that is to be expected. */
  #unreached(target: Target, failure: string): void {
    target.failure = failure
    if (target.attempts >= patientAttempts) this.#tell(target, failure)
    this.#tryLater(target)
  }

  #tell(target: Target, failure: string): void {
    if (failure === target.told || target.isRemoved) return
    target.told = failure
    this.#parts.onFailure(target.url, failure)
  }

  #tryLater(target: Target, leastMs = 0): void {
    target.isTrying = false
    if (!target.isRemoved) this.#redial(target, leastMs)
  }

  #redial(target: Target, leastMs = 0): void {
    const { clock, random, bannedUntil, onGivenUp } = this.#parts
    if (target.expects !== undefined) {
      this.remove(target)
      onGivenUp(target.expects)
      return
    }
    const pauseMs = Math.min(maxRedialMs, firstRedialMs * 2 ** Math.min(target.attempts, 16))
    const jitteredMs = pauseMs * (1 / 2 + random.fraction() / 2)
    const banMs = ((target.peer && bannedUntil(target.peer)) ?? 0) - clock.now()
    target.attempts++
    this.#dialSoon(target, Math.max(jitteredMs, banMs, leastMs))
  }

  #dialSoon(target: Target, delayMs: number): void {
    const { clock } = this.#parts
    target.cancel()
    target.next = unixMs(Math.ceil(clock.now() + delayMs))
    target.cancel = clock.schedule(delayMs, () => this.#dial(target))
  }

  /** A target whose peer is linked some other way rests until that is over, and one whose peer sleeps too. */
  #dial(target: Target): void {
    const { transport, isLinked, isResting, greet } = this.#parts
    delete target.next
    if (target.peer && (isLinked(target.peer) || isResting(target.peer))) return
    target.isTrying = true
    const listen = (wire: Wire): WireListener => {
      if (!target.isRemoved) return greet(wire, target)
      wire.close('not wanted any more')
      return { onText() {}, onClose() {} }
    }
    transport
      .dial(target.url, listen, this.reachOf(target.url))
      .catch((error: unknown) => this.#unreached(target, sentenceOf(error)))
  }
}

const sentenceOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
