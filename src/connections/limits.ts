/** What bounds a connection, and how long it waits. */

/** Messages in flight: sent, and not yet acknowledged. */
export const maxInFlight = 32
/** Messages of ours that wait for the peer's acknowledgement; more are refused. */
export const maxUnacknowledged = 20_000
/** Acknowledged messages that stay here, so that a peer that was restored from a backup can have them again. */
export const keptAcknowledged = 1_000
/** Acknowledgements wait this long for more messages to acknowledge. */
export const acknowledgeAfterMs = 200
/** So many messages are acknowledged at once. */
export const acknowledgeEvery = 16
/** Wait before a message that nobody has answered is sent again; doubled each time. */
export const firstRetryMs = 2_000
/** Longest such wait. An hour: whoever comes back is found within it, and finds us sooner by a message of its own. */
export const maxRetryMs = 60 * 60 * 1_000
/** For how long the end is said again to a peer that can't be reached; after that it hears it when it writes. */
export const farewellSeconds = 30 * 24 * 60 * 60
/** How long an invitation holds when nobody says otherwise, and at most. */
export const invitationSeconds = 24 * 60 * 60
export const maxInvitationSeconds = 30 * 24 * 60 * 60
/** Once it has been accepted, the other end has at least this long to confirm. */
export const confirmationSeconds = 7 * 24 * 60 * 60
/** DIDs of ours by which one connection is remembered: its rotations. The oldest are forgotten beyond that. */
export const maxOwnDids = 64
/** DIDs of ours that can still name their successor. */
export const maxElders = 16
/** Wait between two answers to envelopes for keys that were rotated away: anybody can send those. */
export const elderEveryMs = 60_000
/** Ranges of lost messages that are remembered. */
export const maxLostRanges = 16
