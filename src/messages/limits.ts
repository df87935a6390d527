/** What bounds what peers send each other. */

/** Canonical bytes of one frame: a proposal of the largest block that the default parameters allow fits. */
export const maxFrameBytes = 1024 * 1024
/** Messages of one frame, or of one POST. */
export const maxFrameMessages = 256
/** Hashes of one announcement or request. */
export const maxHashes = 1_024
/** Address cards of one message. */
export const maxCardsOfMessage = 33
/** Links that a status names. */
export const maxNamedLinks = 64
/** Text of the blocks of a segment, with their certificates when these are asked for; one block is given whatever its size. */
export const maxSegmentBytes = 8 * 1024 * 1024
/** Blocks of a segment. */
export const maxSegmentBlocks = 1_000

/** Canonical bytes of one message of the handshake. */
export const maxHandshakeBytes = 4 * 1024
/** Bytes of the origin that a dialler says it dialled. */
export const maxOriginBytes = 300
/** Origins that a refusal lists. */
export const maxListedOrigins = 8
/** Characters of the sentence that a refusal carries. */
export const maxRefusalChars = 1_000
