/** What bounds links. */

/** Links at a time; what a status can name. */
export { maxNamedLinks as maxLinks } from '../../messages/limits.ts'
/** Links at a time that others dialled, so that they leave room for those that this node dials. */
export const maxInboundLinks = 48
/** URLs that this node keeps dialling. */
export const maxDialledUrls = 256

/** Sockets at a time whose handshake isn't over; the eldest gives way to a new one. */
export const maxHandshakes = 64
/** How long a handshake may take. */
export const handshakeMs = 10_000
/** How long a peer that sleeps may take to answer a POST: it starts, and catches up, in the middle of it. */
export const postMs = 15_000

/** Longest pause before a URL is dialled again, and the first. */
export const maxRedialMs = 15_000
export const firstRedialMs = 500
/** Attempts at a URL where nobody answers that the log says nothing of. */
export const patientAttempts = 4
/** Pause before a URL is dialled again at which this node itself seems to answer. */
export const selfRedialMs = 10 * 60_000
/** A link that held for this long was good: the pauses start again from the first. */
export const goodLinkMs = 30_000

/** Bytes and messages that wait for one peer; beyond that, announcements go first, then what is eldest. */
export const maxQueuedBytes = 8 * 1024 * 1024
export const maxQueuedMessages = 16_384
/** Bytes that were given to a socket and not yet taken by the operating system: beyond that, messages wait here. */
export const maxUnsentBytes = 2 * 1024 * 1024
/** How often to look whether a socket has room again. */
export const lookAgainMs = 50
/** A peer that takes none of the bytes that wait for it is let go after this. */
export const stalledMs = 30_000

/** What one peer may send: bytes and messages a second, and how many seconds' worth at once. */
export const inboundRate = { bytes: 16 * 1024 * 1024, messages: 32_768, burstSeconds: 3 } as const
/** What is sent to one peer: half of what it takes, so that honest ones never exceed it. */
export const outboundRate = { bytes: 8 * 1024 * 1024, messages: 16_384, burstSeconds: 2 } as const

/** Transactions wait this long for others to share a frame with, once a frame was sent as recently. */
export const gatherMs = 2

/** Having sent something, how long a peer may be quiet before it is asked whether it is there, and to answer. */
export const quietMs = 5_000
export const answerMs = 10_000

/** Score of a peer that nothing is held against; it regains a point a second. */
export const fullScore = 100
/** What a reject costs. */
export const rejectCost = 25
/** At or below this, each further reject ends the link. */
export const unlinkScore = 50
/** The first ban; each further one of the same key takes twice as long, up to the longest. */
export const firstBanMs = 10 * 60_000
export const maxBanMs = 24 * 60 * 60_000
/** How long a peer stays away that the operator removed. */
export const removalMs = 60 * 60_000
/** Keys whose conduct is remembered. */
export const maxRemembered = 4_096

/** Refusals of strangers that the log tells of, a minute. */
export const loggedRefusals = 30
