/** Bounds of one look at the network: who answers with anything can make it fail, never make it long or large. */

/** Most requests of one look, to all sources together. Halving takes at most 53 for each change of the validators. */
export const maxRequests = 1_000
/** Verified headers that are kept to go on from; the oldest go first. */
export const maxTrusted = 256
/** Most sources that are compared with the first. */
export const maxWitnesses = 16
/** How long a source may lack a block that another one has. */
export const maxLagMs = 60_000
