/**
 * Words for the members of objects, in `openapi.yaml`.
 *
 * Objects share the schemas of their fields, so that what a field means in one object has no place there.
 */
import { assert } from '../src/errors.ts'

type Notes = Readonly<Record<string, Readonly<Record<string, string>>>>

const notes: Notes = {
  Transaction: {
    nonce: "The account's next sequence number.",
    validUntil: 'Unix seconds: what no block has included by then, none will. At most 24 hours ahead.',
    fee: 'Goes to the proposer of the block; at least 1 for each started KiB of canonical bytes, signatures included.',
    memo: 'At most 256 bytes of UTF-8.',
    operations: 'One to sixteen; all apply, or none.',
    signatures: "One: the sender's.",
  },
  Header: {
    time: "Milliseconds since the Unix epoch; later than the parent's.",
    parent: 'Hash of the block below; of block 1, the network id.',
    proposer: 'Who made the block, and earns its fees.',
    evidenceRoot: 'Merkle root over the hash of each piece of evidence.',
    transactionsRoot: 'Merkle root over transactions and their outcomes.',
    stateRoot: 'Root of the state after this block.',
    validatorsHash: 'Who votes on this block.',
    nextValidatorsHash: 'Who votes on the next.',
    count: 'Number of transactions.',
  },
  Block: {
    evidence:
      'Sorted by canonical text, and at most one piece against a validator. Takes effect before the transactions.',
  },
  Prevote: {
    polkaRound: 'Round of the prevotes of more than two thirds of the stake that this one relies on.',
  },
  Certificate: {
    round: 'Attempt within the height, from 0.',
    precommits: 'Sorted by validator, each once.',
  },
  Parameters: {
    feePerKib: "Least fee for each started KiB of a signed transaction's canonical bytes.",
    maxTransactionBytes: 'Most canonical bytes of one signed transaction.',
    maxBlockBytes: 'Most canonical bytes of all signed transactions of a block.',
    maxBlockTransactions: 'Most transactions of a block.',
    minStake: 'Least stake of a validator.',
    clockPrecisionMs: 'How far the clocks of honest validators may differ.',
    messageDelayMs: 'How long a proposal may take to arrive, in round 0.',
    trustingPeriodMs: 'How long a hash known from elsewhere pins the present.',
    unbondingPeriodMs: 'How long stake stays slashable after it was unbonded.',
    heartbeatMs: 'An empty block is valid only this long after its parent.',
    slashPercent: "Share of a validator's stake that proven misbehaviour burns.",
  },
  Genesis: {
    name: "The network's name.",
    accounts: 'Sorted by address.',
    validators: 'Sorted by address; their stakes come on top of the balances.',
  },
  TransactionProof: {
    genesis: 'Its hash is the network id: what the rest is checked against.',
    hops: 'Every change of the validator set between the genesis and the header, in order.',
    certificate: 'Makes the header final.',
    index: 'Place within the block, from 0.',
    path: 'Sibling hashes from the leaf up to `transactionsRoot`.',
  },
  AccountProof: {
    genesis: 'Its hash is the network id: what the rest is checked against.',
    hops: 'Every change of the validator set between the genesis and the header, in order.',
    header: 'Absent, like the certificate, only for the state of the genesis.',
    pages: "Canonical texts of the state's pages, from the root to where the account is, or would be.",
  },
}

interface Described {
  components?: { schemas?: Record<string, object> }
}

/** Adds the notes to a description; one about a member that isn't there is a mistake in this file. */
export const describeMembers = <Document extends Described>(document: Document): Document => {
  const schemas = (document.components?.schemas ?? {}) as Record<
    string,
    { properties?: Record<string, { description?: string }> }
  >
  for (const [name, members] of Object.entries(notes)) {
    for (const [member, description] of Object.entries(members)) {
      const property = schemas[name]?.properties?.[member]
      assert(property, `${name} has a member ${member} to describe`)
      property.description = description
    }
  }
  return document
}
