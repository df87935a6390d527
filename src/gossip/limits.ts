/** What bounds gossip. Links are few: whoever keeps them bounds their number. */
import { maxHashes } from '../messages/limits.ts'

/** Messages that a link is known to have carried; who sends more of one height is told them again. */
export const maxKnownMessages = 2_048

/** Transactions that wait here: twice what the mempool holds by default. */
export const maxWaiting = 65_536
/** Transactions that were here, or arrived and weren't admitted: nobody is asked for them again. */
export const maxPast = 65_536
/** Transactions that a peer will hear of on later ticks, unless it names them itself or they are gone by then. */
export const maxUntold = 32_768

/** Transactions that arrived a tick or two ago and may be under verification still. */
export const maxArriving = 16_384
/** Transactions that a peer is given between two ticks, each once: as many as two of the largest blocks hold. */
export const maxAnswered = 16_384
/** Transactions that a peer asked for a tick or two ago, and that weren't here. */
export const maxAwaited = 2_048

/** Transactions that a peer has announced and hasn't sent yet. */
export const maxOffered = 2_048
/** Transactions that proposals of the present height name and this node lacks: two of the largest blocks. */
export const maxNeeded = 16_384

/**
 * How many transactions a peer is asked for at once.
 *
 * Grows by each that it sends and is halved by each tick on which it let one lapse, so that a peer which
 * announces what it doesn't send soon holds up next to nothing.
 */
export const requestWindow = { first: 256, least: 16, most: maxHashes } as const

/** Ticks that a peer is given to send what was asked of it, before another is asked. */
export const patienceTicks = 4
/** The same for what a block lacks. */
export const blockPatienceTicks = 1
