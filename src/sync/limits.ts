/** What bounds syncing. A tick is the shell's: {@link tickMs}. */

export const tickMs = 1_000
/** How long a peer may take to answer. */
export const requestTicks = 15
/** How long it may take when all else waits for it, and another could be asked. */
export const stallTicks = 3

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

/** How long a peer that was too slow isn't asked again; twice as long after each further fault. */
export const slowBanTicks = 5
/** The same for one that gave something false, or broke a rule. */
export const falseBanTicks = 60
export const maxBanTicks = 3_600

/** How long nothing is used after the storage refused to take a block. */
export const pauseTicks = 2
