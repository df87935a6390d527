/** What bounds discovery. */

/** Links that this node dials of its own accord, to peers that others have told it of. */
export const outboundSlots = 8
/** Of these, so many are for keys that hold stake, as long as such are known: more than half, since links break. */
export const stakedSlots = 5

/** Cards that are kept, apart from those of keys that hold stake. */
export const maxCards = 1_024
/** Of one network group: whoever has many addresses has them in few groups. */
export const maxCardsOfGroup = 16
/** That one peer has brought. */
export const maxCardsOfSource = 128
/** Cards of one message, beside the own one. */
export const maxCardsHandedOut = 32
/** Of a peer at once, and a minute; what comes beyond is passed over. */
export const maxCardsHeard = 128

/** A card is made anew when a link opens and it is older than this … */
export const cardRenewalMs = 7 * 24 * 60 * 60 * 1_000
/** … and forgotten when it is older than this. */
export const maxCardAgeMs = 30 * 24 * 60 * 60 * 1_000
/** How far ahead of this node's clock a card's time may be. */
export const maxCardAheadMs = 60 * 60 * 1_000

/** Pause after the first failed attempt, doubling up to the longest. */
export const firstRetryMs = 10_000
export const maxRetryMs = 60 * 60 * 1_000
/** Failed attempts after which a peer that was never reached is forgotten. */
export const maxFailures = 5
/** Peers that are dialled first after a restart: those that were linked last. */
export const maxAnchors = 2
/** Cards that are kept over a restart. */
export const maxRemembered = 64
