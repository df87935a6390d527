/** One object of each kind, with the keys of RFC 8032 §7.1: Alice has TEST 1's, Bob TEST 2's. */
import type { Json } from '../../../src/codec/json.ts'

export const alice = 'taut16adfsqvzky9t042tlmfujeq88g8wzuhnm2nzxfd0qgdx3ac82ydqy3t3cr'
export const bob = 'taut184qp0slggwy44y4hp2n56xm7hjwfstx09mzfdrxqe42lz2h5vcxqg7k06l'
export const network = '11'.repeat(32)

export type Members = Readonly<Record<string, Json>>

export const unsigned = {
  network,
  from: alice,
  nonce: 0,
  validUntil: 1_790_000_000,
  fee: '1',
  memo: 'für Bob €😀',
  operations: [
    { type: 'transfer', to: bob, amount: '250' },
    { type: 'anchor', data: 'line 1\nline "2"' },
    { type: 'stake.bond', amount: '1000000' },
    { type: 'stake.unbond', amount: '340282366920938463463374607431768211455' },
  ],
} satisfies Members

/** By `node:crypto` over the preimage; Ed25519 is deterministic. */
export const signature =
  'ac56a8f85a8c699b836f13125cda48a5eb40a4e716943406b36f073b8d878b7999c755c6001d89b3a0282d8367eae8fe8405b854428cfd1ffc2d26ea7410d60f'

export const signed = { ...unsigned, signatures: [{ key: alice, signature }] } satisfies Members

export const header = {
  network,
  height: 1,
  time: 1_789_999_000_123,
  parent: network,
  proposer: alice,
  evidenceRoot: '22'.repeat(32),
  transactionsRoot: '33'.repeat(32),
  stateRoot: '44'.repeat(32),
  validatorsHash: '55'.repeat(32),
  nextValidatorsHash: '66'.repeat(32),
  count: 2,
} satisfies Members
