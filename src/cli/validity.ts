/** How long a transaction that is signed on the command line can be included: a day at most, so an hour is safe. */
const validityMs = 60 * 60 * 1_000

/** @returns Unix seconds */
export const inAnHour = (): number => Math.floor((Date.now() + validityMs) / 1_000)
