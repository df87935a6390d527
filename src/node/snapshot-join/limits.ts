/** What bounds joining by a snapshot. */

/** Requests to one node at a time. */
export const requestsEach = 2
/** Pages are saved when so many characters of them wait. */
export const savedAtOnceChars = 8 * 1024 * 1024
/** Of an answer: a thousand hops of 64 validators are the largest. */
export const maxAnswerBytes = 64 * 1024 * 1024
export const timeoutMs = 30_000
/** Characters of a reason, much of which may be a node's own words. */
export const maxDetail = 200
/** Times that snapshots are looked for, when nobody has the one that was begun with any more. */
export const maxAttempts = 8
export const pauseMs = 2_000
/** How often the log says how far it has come. */
export const progressMs = 5_000
