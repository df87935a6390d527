/**
 * What has been checked against its signature (and, for a certificate, against its validator set).
 *
 * Machines take only `Verified` messages, so slow signature work stays outside of them, and nothing
 * unverified can reach one by mistake.
 */

declare const verification: unique symbol
export type Verified<Value> = Value & { readonly [verification]: true }

/**
 * Marks a value as checked.
 *
 * Only for those who have just done so: the verifier, the signer (for what it signed itself), and whoever
 * reads back this node's own record, into which nothing unverified is written.
 */
export const verified = <Value>(value: Value): Verified<Value> => value as Verified<Value>
