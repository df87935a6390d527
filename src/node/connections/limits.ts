/** What bounds the connections of a node. */

/** Those that haven't ended, invitations among them. */
export const maxConnections = 1_000
/** Invitations that nobody has accepted yet. */
export const maxInvitations = 100
/** Those that have ended are remembered, the newest of them. */
export const maxEnded = 1_000
/** Messages of the other end that are kept to be read, the newest of them. */
export const maxInbox = 10_000
/** Events that are kept, the newest of them. */
export const maxEvents = 10_000
/** Messages of one answer. */
export const maxPage = 100
/** Bytes of what one message says, as JSON: what an envelope holds, less its headers with a DID that has no short form. */
export const maxContentBytes = 61_000
/** Envelopes for one key: as many a second, and in one go. Each costs two key agreements and more. */
export const envelopesPerSecond = 100
export const envelopeBurstSeconds = 4
/** What a refused one costs, in envelopes. */
export const refusedCost = 10
/** Envelopes a second over all keys. */
export const allEnvelopesPerSecond = 200
/** How long the other end's node may take to answer. */
export const postTimeoutMs = 10_000
/** Bytes of its answer: a sealed END, or a problem. */
export const maxAnswerBytes = 128 * 1024
/** Connections that something is being sent over at a time. */
export const maxSending = 16
/** Between two connections that are taken up again when the node starts. */
export const resumeEveryMs = 50
/** Characters of a label or goal. */
export const maxLabelChars = 200
