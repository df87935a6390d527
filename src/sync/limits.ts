/** What bounds syncing, in ticks of {@link tickMs}. */

export const tickMs = 250
/** How long a peer may take to answer: 15 s. */
export const requestTicks = 60
/** How long it may take when all else waits for it, and another could be asked. */
export const stallTicks = 12

/** This far behind, blocks are asked for at once … */
export const eagerBlocks = 8
/** … and less far when the head has stood still for so long: otherwise they are just being decided here, too. */
export const graceTicks = 2

/** Requests under way, and answers that wait or are in use. */
export const maxSpans = 8
/** Bytes of answers that wait or are in use; a request counts with the most that its answer may have. */
export const maxAheadBytes = 32 * 1024 * 1024
/** Segments in use at a time: one is executed while the next is checked. */
export const maxInUse = 2

/** What a request aims at: enough to keep all cores busy, little enough for many peers to share a chain. */
export const aimBytes = 2 * 1024 * 1024
/** Blocks of the first request, when nothing is known of their size. */
export const firstBlocks = 32
/** By how much more blocks than the last time are asked for at most: blocks may suddenly be bigger. */
export const maxGrowth = 4

/** How long a peer that was too slow isn't asked again: 5 s, and twice as long after each further fault. */
export const slowBanTicks = 20
/** The same for one that gave something false, or broke a rule: 60 s. */
export const falseBanTicks = 240
/** An hour. */
export const maxBanTicks = 14_400

/** How long nothing is used after the storage refused to take a block. */
export const pauseTicks = 8

/** How long a peer that is behind must have stood still before it is helped. */
export const helpTicks = 12
/** How long a peer whose help came to nothing is left alone: 5 s, and twice as long each time. */
export const restTicks = 20
/** Ten minutes. */
export const maxRestTicks = 2_400
