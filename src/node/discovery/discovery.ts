/**
 * Discovery: how a node that was given one URL finds its way into the whole network.
 *
 * In: links that open and end, cards that peers bring, who holds stake. Out: this node's own card, cards passed on,
 * and peers dialled that the address book (`discovery/address-book.ts`) chooses. A URL that a peer has brought is
 * never dialled into this machine's own surroundings, unless the operator allows it; which are its addresses, the
 * transport looks at again when it has resolved the name.
 */
import { AddressBook, anchorsOf, type Linked } from '../../discovery/address-book.ts'
import { cardRenewalMs, maxCardsHeard } from '../../discovery/limits.ts'
import { refuseSuppliedUrl } from '../../discovery/public-address.ts'
import type { PeerMessage } from '../../messages/peer-message.ts'
import { type Card, cardSigningText, maxCardUrlLength, type UnsignedCard } from '../../objects/card.ts'
import type { ValidatorSet } from '../../objects/validators.ts'
import type { CardMemory } from '../../ports/card-memory.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Signer, Verifier } from '../../ports/keys.ts'
import type { Log } from '../../ports/log.ts'
import type { Random } from '../../ports/random.ts'
import { type Address, type NetworkId, unixMs } from '../../units.ts'
import { TokenBucket } from '../links/token-bucket.ts'
import { formatCards, parseCards } from './remembered-cards.ts'

/** Linked peers that news of a card is passed on to. */
const toldOfNews = 3
/** How long after a change what is remembered is written. */
const writeDelayMs = 5_000

/** What the operator has decided. */
export interface DiscoveryChoices {
  /** Peers may lead this node to addresses of private networks and of this machine. */
  readonly allowPrivate: boolean
  /** Under which this node wants to be dialled, once it can be; undefined: it only dials. */
  readonly url: Promise<string | undefined>
  readonly memory?: CardMemory
}

export interface DiscoveryParts extends DiscoveryChoices {
  readonly network: NetworkId
  readonly signer: Signer
  readonly verifier: Verifier
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Who holds stake now. */
  readonly validators: () => ValidatorSet
  /** The only keys that are linked; absent: all. */
  readonly allowed?: ReadonlySet<Address> | undefined
  readonly links: DiscoveryLinks
}

/** What discovery needs of links. */
export interface DiscoveryLinks {
  send(peer: Address, message: PeerMessage): void
  /** Links that there are, and those that are being made, in the order in which they came. */
  linked(): readonly Linked[]
  /** Dials once. What comes of it is told by {@link Discovery.opened} or {@link Discovery.givenUp}. */
  dialSupplied(card: Card): void
  letGo(peer: Address, reason: string): void
  reject(peer: Address, reason: string): void
}

export class Discovery {
  readonly #parts: DiscoveryParts
  readonly #book: AddressBook
  readonly #heard = new Map<Address, TokenBucket>()
  #own: Card | undefined
  #validators: ValidatorSet | undefined
  #cancelRetry: (() => void) | undefined
  #cancelWrite: (() => void) | undefined
  #isFilling = false
  #isClosed = false

  constructor(parts: DiscoveryParts) {
    this.#parts = parts
    this.#book = new AddressBook(parts.signer.address)
  }

  /** Number of peers that are known of. */
  get known(): number {
    return this.#book.size
  }

  /** Dials those first that were linked before the restart. */
  async start(): Promise<void> {
    const { memory, clock, links, log } = this.#parts
    this.headMoved()
    try {
      const remembered = parseCards(await memory?.read())
      for (const card of remembered) if (this.#mayDial(card)) this.#book.hear(card, undefined, clock.now())
      for (const card of anchorsOf(remembered)) if (this.#mayDial(card)) links.dialSupplied(card)
    } catch (error) {
      log.warn(`what is remembered of peers can't be read, and is found anew: ${String(error)}`)
    }
    this.#fill()
  }

  /** @param url - that was dialled, if this node did */
  async opened(peer: Address, url: string | undefined): Promise<void> {
    const { links, clock } = this.#parts
    this.#heard.set(peer, new TokenBucket(maxCardsHeard / 60, 60, clock.now()))
    this.#book.linked(peer, url !== undefined, clock.now())
    if (url !== undefined) this.#writeSoon()
    const own = await this.#ownCard()
    const cards = [...(own ? [own] : []), ...this.#book.handOut(peer)]
    if (cards.length > 0) links.send(peer, { kind: 'cards', cards })
    this.#fill()
  }

  closed(peer: Address): void {
    this.#heard.delete(peer)
    this.#fill()
  }

  /** One that was chosen here isn't linked, or not any more. */
  givenUp(peer: Address): void {
    this.#book.failed(peer, this.#parts.clock.now())
    this.#fill()
  }

  async heard(from: Address, cards: readonly Card[]): Promise<void> {
    for (const card of cards) {
      if (!this.#book.isNews(card) || !this.#heard.get(from)?.take(1, this.#parts.clock.now())) continue
      const flaw = await this.#flawOf(card)
      if (flaw !== undefined) return this.#parts.links.reject(from, flaw)
      if (this.#mayDial(card) && this.#book.hear(card, from, this.#parts.clock.now()))
        this.#passOn(card, from)
    }
    this.#fill()
  }

  /** Who holds stake may have changed. */
  headMoved(): void {
    const validators = this.#parts.validators()
    if (validators === this.#validators) return
    this.#validators = validators
    this.#book.knowStaked(new Set(validators.stakes.keys()))
    this.#fill()
  }

  close(): void {
    this.#isClosed = true
    this.#cancelRetry?.()
    this.#cancelWrite?.()
  }

  async #flawOf(card: Card): Promise<string | undefined> {
    const { network, verifier } = this.#parts
    if (card.network !== network) return `a card is of network ${card.network}`
    const isSigned = await verifier.verify(card.key, cardSigningText(card), card.signature)
    return isSigned ? undefined : `the signature of ${card.key}'s card is not one`
  }

  #mayDial({ key, url }: Card): boolean {
    const { allowPrivate, allowed } = this.#parts
    return (allowPrivate || refuseSuppliedUrl(url) === undefined) && (allowed?.has(key) ?? true)
  }

  #passOn(card: Card, from: Address): void {
    const { links, random } = this.#parts
    const others = links.linked().filter(({ peer }) => peer !== from && peer !== card.key)
    for (let told = 0; told < toldOfNews && others.length > 0; told++) {
      const [{ peer }] = others.splice(Math.floor(random.fraction() * others.length), 1) as [Linked]
      links.send(peer, { kind: 'cards', cards: [card] })
    }
  }

  /** A new one when there is none, it says something else, or it gets old. Its number is the time, which only grows. */
  async #ownCard(): Promise<Card | undefined> {
    const { network, signer, clock, allowPrivate } = this.#parts
    const url = await this.#parts.url
    const now = clock.now()
    if (url === undefined || url.length > maxCardUrlLength) return undefined
    if (!allowPrivate && refuseSuppliedUrl(url) !== undefined) return undefined
    if (this.#own?.url === url && now - this.#own.time < cardRenewalMs) return this.#own
    const sequence = Math.max(now, (this.#own?.sequence ?? 0) + 1)
    const unsigned: UnsignedCard = { key: signer.address, network, sequence, time: unixMs(now), url }
    this.#own = { ...unsigned, signature: await signer.sign(cardSigningText(unsigned)) }
    return this.#own
  }

  /** Dials as many as there are slots for, and lets go of those who are too many. */
  #fill(): void {
    if (this.#isFilling || this.#isClosed) return
    this.#isFilling = true
    const { links, clock, random } = this.#parts
    for (let peer = this.#book.surplus(links.linked()); peer; peer = this.#book.surplus(links.linked()))
      links.letGo(peer, 'more links than this node dials of its own accord')
    for (;;) {
      const card = this.#book.choose(links.linked(), clock.now(), random.fraction())
      if (!card) break
      links.dialSupplied(card)
    }
    this.#isFilling = false
    this.#retryLater()
  }

  #retryLater(): void {
    const { clock, links } = this.#parts
    this.#cancelRetry?.()
    this.#cancelRetry = undefined
    const now = clock.now()
    const due = this.#book.nextDue(now, links.linked())
    if (due !== undefined) this.#cancelRetry = clock.schedule(due - now, () => this.#fill())
  }

  #writeSoon(): void {
    const { memory, clock, log } = this.#parts
    if (!memory || this.#isClosed) return
    this.#cancelWrite ??= clock.schedule(writeDelayMs, () => {
      this.#cancelWrite = undefined
      memory.write(formatCards(this.#book.remembered())).catch((error: unknown) => {
        log.warn(`peers could not be remembered for the next start: ${String(error)}`)
      })
    })
  }
}
