/**
 * Branded quantities: a Height is not a Round, a TransactionId is not a BlockHash.
 *
 * A brand is given where a value is checked (a schema, a hash function, a constructor below) and only
 * travels from there; nothing at run time tells it from the plain string or number.
 */

declare const brand: unique symbol
/** A name is a member, not a value: a value may carry two brands, where two values of one member would be `never`. */
export type Branded<Value, Name extends string> = Value & {
  readonly [brand]: { readonly [Mark in Name]: true }
}

/** Number of a block; 0 is genesis, which has no block. */
export type Height = Branded<number, 'Height'>
/** Attempt within a height, from 0. */
export type Round = Branded<number, 'Round'>
/** Milliseconds since the Unix epoch. */
export type UnixMs = Branded<number, 'UnixMs'>

/** SHA-256, 64 lowercase hex digits. */
export type Hash = Branded<string, 'Hash'>
/** Hash of a block's header; at height 0, the network id. */
export type BlockHash = Hash & Branded<string, 'BlockHash'>
/** Hash of a transaction without its signatures. */
export type TransactionId = Hash & Branded<string, 'TransactionId'>
/** Hash of the genesis. */
export type NetworkId = BlockHash & Branded<string, 'NetworkId'>

/** `taut1…`, bech32m over a 32-byte Ed25519 public key; 63 characters. */
export type Address = Branded<string, 'Address'>
/** Ed25519 signature, 128 lowercase hex digits. */
export type Signature = Branded<string, 'Signature'>
/** Base units as an unsigned decimal string below 2^128, no leading zeros. */
export type Amount = Branded<string, 'Amount'>

export const height = (value: number): Height => value as Height
export const round = (value: number): Round => value as Round
export const unixMs = (value: number): UnixMs => value as UnixMs
export const amount = (value: bigint): Amount => value.toString() as Amount

export const firstHeight = height(1)
export const nextHeight = (of: Height): Height => height(of + 1)
