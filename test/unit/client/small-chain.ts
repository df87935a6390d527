/** A chain made by hand, with noble's keys: what proofs are checked against, independent of the node that makes them. */
import { getPublicKey, hashes, sign } from '@noble/ed25519'
import { sha512 } from '@noble/hashes/sha2.js'
import { encodeAddress } from '../../../src/codec/address.ts'
import { encodeHex, encodeUtf8 } from '../../../src/codec/bytes.ts'
import { canonicalize, type Json } from '../../../src/codec/json.ts'
import { merklePath, merkleRoot } from '../../../src/crypto/merkle.ts'
import { accountKey } from '../../../src/ledger/account.ts'
import { entryText, makeLeaf, pageText } from '../../../src/ledger/state/page.ts'
import {
  evidenceRoot,
  type Header,
  hashHeader,
  leafHash,
  type TransactionStatus,
} from '../../../src/objects/block.ts'
import { type GenesisAnchor, networkIdOf } from '../../../src/objects/genesis.ts'
import { defaultParameters } from '../../../src/objects/parameters.ts'
import type { Hop } from '../../../src/objects/proof.ts'
import { type DecodedTransaction, decodeTransaction, signingBytes } from '../../../src/objects/transaction.ts'
import { hashValidators, type ValidatorList } from '../../../src/objects/validators.ts'
import { type Certificate, certificateSigningText } from '../../../src/objects/vote.ts'
import {
  type Address,
  type Amount,
  type BlockHash,
  height,
  round,
  type Signature,
  unixMs,
} from '../../../src/units.ts'

hashes.sha512 = sha512

export interface Key {
  readonly address: Address
  readonly sign: (bytes: Uint8Array) => Signature
}

export const key = (seed: number): Key => {
  const secret = new Uint8Array(32).fill(seed)
  return {
    address: encodeAddress(getPublicKey(secret)),
    sign: (bytes) => encodeHex(sign(bytes, secret)) as Signature,
  }
}

const byAddress = (a: { address: Address }, b: { address: Address }): number =>
  a.address < b.address ? -1 : 1

export const setOf = (...members: readonly (readonly [Key, number])[]): ValidatorList =>
  members.map(([{ address }, stake]) => ({ address, stake: String(stake) as Amount })).sort(byAddress)

export const keys = { alice: key(1), bob: key(2), carol: key(3), dave: key(4) }

/** Of four validators with a stake of 1 each, three are a quorum and two aren't. */
export const firstSet = setOf([keys.alice, 1], [keys.bob, 1], [keys.carol, 1], [keys.dave, 1])
export const secondSet = setOf([keys.carol, 5], [keys.dave, 1])

export const account = {
  balance: '750',
  history: 3,
  nonce: 2,
  stake: '10',
  unbonding: [{ amount: '5', time: 1_800_000_000_000 }],
}

/** A state of one leaf, as it is with few entries. */
export const statePage = makeLeaf(
  [
    entryText(accountKey(keys.alice.address), canonicalize(account)),
    entryText('validators', canonicalize(firstSet as Json)),
  ].sort(),
)

export const anchor: GenesisAnchor = {
  name: 'test',
  time: unixMs(1_700_000_000_000),
  parameters: defaultParameters,
  stateRoot: statePage.hash,
  validators: [...firstSet],
}
export const network = networkIdOf(anchor)

export const transfer = (nonce: number): DecodedTransaction => {
  const unsigned = {
    network,
    from: keys.alice.address,
    nonce,
    validUntil: 1_800_000_000,
    fee: '1' as Amount,
    operations: [{ type: 'transfer' as const, to: keys.bob.address, amount: '250' as Amount }],
  }
  const signatures = [{ key: keys.alice.address, signature: keys.alice.sign(signingBytes(unsigned)) }]
  return decodeTransaction({ ...unsigned, signatures } as unknown as Json)
}

export const transactions = [0, 1, 2].map(transfer)
export const statuses: readonly TransactionStatus[] = ['committed', 'failed', 'committed']
const leaves = transactions.map(({ hash }, at) => leafHash(hash, statuses[at]!))

export const header = (at: number, members: Partial<Header> = {}): Header => ({
  network,
  height: height(at),
  time: unixMs(1_700_000_000_000 + at),
  parent: network,
  proposer: keys.bob.address,
  evidenceRoot: evidenceRoot([]),
  transactionsRoot: merkleRoot(leaves),
  stateRoot: statePage.hash,
  validatorsHash: hashValidators(firstSet),
  nextValidatorsHash: hashValidators(firstSet),
  count: transactions.length,
  ...members,
})

export const certify = (
  of: Header,
  signers: readonly Key[],
  members: Partial<Certificate> = {},
): Certificate => {
  const unsigned = {
    height: of.height,
    round: round(0),
    block: hashHeader(of) as BlockHash,
    ...members,
    precommits: [],
  }
  const bytes = encodeUtf8(certificateSigningText(network, unsigned))
  const precommits = [...signers]
    .sort(byAddress)
    .map((signer) => ({ validator: signer.address, signature: signer.sign(bytes) }))
  return { ...unsigned, precommits }
}

export const quorum = [keys.alice, keys.bob, keys.carol]

/** The block after which {@link secondSet} votes. */
export const changeAt = (
  at: number,
  members: Partial<Header> = {},
  signers: readonly Key[] = quorum,
): Hop => {
  const changing = header(at, { nextValidatorsHash: hashValidators(secondSet), ...members })
  return { header: changing, certificate: certify(changing, signers), validators: [...secondSet] }
}

/** A header that {@link secondSet} votes on. */
export const laterHeader = (at: number, members: Partial<Header> = {}): Header =>
  header(at, {
    validatorsHash: hashValidators(secondSet),
    nextValidatorsHash: hashValidators(secondSet),
    ...members,
  })

export interface Finality {
  readonly hops: readonly Hop[]
  readonly header?: Header
  readonly certificate?: Certificate
}

const first = header(4)
/** No change of validators between the genesis and the block. */
export const atFirst: Finality = { hops: [], header: first, certificate: certify(first, quorum) }

const later = laterHeader(9)
/** One change, at height 7. */
export const beyondHop: Finality = {
  hops: [changeAt(7)],
  header: later,
  certificate: certify(later, [keys.carol]),
}

/** A JSON object to take members out of and put others in. */
export type Answer = { [member: string]: unknown; proof: { [member: string]: unknown } }

export const transactionAnswer = (finality: Finality = atFirst, index = 1): Answer => ({
  id: transactions[index]!.id,
  status: statuses[index]!,
  height: finality.header!.height,
  index,
  transaction: transactions[index]!.transaction,
  proof: {
    kind: 'transaction',
    genesis: anchor,
    ...finality,
    transaction: transactions[index]!.transaction,
    status: statuses[index]!,
    index,
    path: merklePath(leaves, index),
  },
})

const { history: _, ...shown } = account
const zeros = { balance: '0', nonce: 0, stake: '0', unbonding: [] }

export const accountAnswer = (
  finality: Finality = atFirst,
  address: Address = keys.alice.address,
): Answer => ({
  address,
  ...(address === keys.alice.address ? shown : zeros),
  height: finality.header?.height ?? 0,
  proof: { kind: 'account', genesis: anchor, ...finality, address, pages: [pageText(statePage)] },
})

export const textOf = (answer: Answer): string => canonicalize(answer as Json)
