/**
 * The shapes of answers, and the names and words under which all shapes appear in `openapi.yaml`.
 *
 * Objects come from `src/objects`, whose schemas check what is hashed and signed; here they only get names.
 */
import { z } from '@hono/zod-openapi'
import { globalRegistry } from 'zod'
import { transactionsMessageSchema } from '../src/messages/peer-message.ts'
import { blockSchema, headerSchema } from '../src/objects/block.ts'
import { consensusMessageSchema, evidenceSchema } from '../src/objects/evidence.ts'
import {
  addressField,
  amountField,
  blockHashField,
  hashField,
  heightField,
  networkIdField,
  roundField,
  signatureField,
  transactionIdField,
  unixMsField,
  wholeField,
} from '../src/objects/fields.ts'
import { genesisAnchorSchema, genesisSchema } from '../src/objects/genesis.ts'
import { headerViewSchema, originSchema } from '../src/objects/light-block.ts'
import {
  anchorSchema,
  bondSchema,
  networkUpdateSchema,
  operationSchema,
  transferSchema,
  unbondSchema,
} from '../src/objects/operation.ts'
import { parametersSchema } from '../src/objects/parameters.ts'
import { accountProofSchema, finalitySchema, transactionProofSchema } from '../src/objects/proof.ts'
import { transactionSchema } from '../src/objects/transaction.ts'
import { validatorSchema } from '../src/objects/validators.ts'
import { certificateSchema, precommitSchema, prevoteSchema, proposalSchema } from '../src/objects/vote.ts'
import * as examples from './examples.ts'

const describe = (schema: z.ZodType, words: Readonly<Record<string, unknown>>): void => {
  globalRegistry.add(schema, words)
}
/** Makes a schema a component of its own. `_internal.refId` is what `.openapi(name)` would put on a copy; these must stay themselves. */
const component = (name: string, schema: z.ZodType, words: Readonly<Record<string, unknown>> = {}): void =>
  describe(schema, { ...words, _internal: { refId: name } })

describe(hashField, { description: 'SHA-256 in lowercase hex.', example: examples.hash })
describe(blockHashField, { description: "Hash of a block's header.", example: examples.hash })
describe(networkIdField, { description: 'The network: the hash of its genesis.', example: examples.network })
describe(transactionIdField, {
  description: 'Hash of a transaction without its signatures.',
  example: examples.transactionId,
})
describe(signatureField, { description: 'Ed25519 signature in lowercase hex.', example: examples.signature })
describe(amountField, { description: 'Base units, below 2^128.', example: '250' })
describe(addressField, {
  description: 'Address: bech32m (BIP-350), human part `taut`, over the 32-byte Ed25519 public key.',
  pattern: '^taut1[02-9ac-hj-np-z]{58}$',
  example: examples.address,
})
describe(heightField, { description: 'Number of a block; 0 is genesis, which has no block.', example: 7 })
describe(unixMsField, { description: 'Milliseconds since the Unix epoch.', example: examples.timeMs })

component('Transfer', transferSchema, {
  description: 'Moves base units from the sender to another account, which need not exist yet.',
})
component('Anchor', anchorSchema, {
  description:
    'Keeps a text (at most 4,096 bytes of UTF-8), or the hash of something, in the block: provably there, from then on.',
})
component('Bond', bondSchema, { description: 'Turns balance of the sender into stake.' })
component('Unbond', unbondSchema, {
  description: 'Turns stake of the sender back into balance, once the unbonding period is over.',
})
component('NetworkUpdate', networkUpdateSchema, {
  description:
    'Vote of a validator to take another out of the validators from block `fromHeight` on; its stake is unbonded. It takes effect when validators with more than two thirds of the stake stand behind the same update once the block before has been executed, and lapses otherwise. Each validator stands behind one update at a time: another replaces it.',
})
component('Operation', operationSchema, {
  description: 'What a transaction does. All operations of a transaction apply, or none.',
})
component('Transaction', transactionSchema, {
  description:
    'Signed over the UTF-8 of `tautline/transaction/1`, a line feed, and the canonical JSON (RFC 8785) of the transaction without `signatures`. Its id is the SHA-256 of the same bytes.',
  example: examples.transaction,
})
describe(transactionsMessageSchema.shape.transactions.element, { $ref: '#/components/schemas/Transaction' })
component('Header', headerSchema, { description: 'Its hash is that of the block.' })
component('Block', blockSchema)
component('Proposal', proposalSchema, {
  description:
    'Signed, like the votes, over the UTF-8 of `tautline/<kind>/1`, a line feed, and the canonical JSON of the message without `kind`, `validator` and `signature`.',
})
component('Prevote', prevoteSchema, { description: 'Without a `block`, a vote for nil.' })
component('Precommit', precommitSchema, { description: 'Without a `block`, a vote for nil.' })
component('ConsensusMessage', consensusMessageSchema)
component('Evidence', evidenceSchema, {
  description:
    'Two messages of one validator, for one height, round and kind, that say different things. The one whose canonical text without `signature` is smaller comes first. Burns a share of the stake, and ends the validator for good.',
})
component('Certificate', certificateSchema, {
  description:
    'Precommits of more than two thirds of the stake: proves that a block is final. Certificates of one block may differ between nodes.',
})
component('Validator', validatorSchema)
component('Parameters', parametersSchema, {
  description: 'The numbers that a network agrees on in its genesis.',
})
component('Genesis', genesisSchema, { description: 'What a network starts from.' })
component('GenesisAnchor', genesisAnchorSchema, { description: 'What the network id is the hash of.' })
component('TransactionProof', transactionProofSchema, {
  description: 'Proves a transaction and its outcome to someone who knows the network id.',
})
component('AccountProof', accountProofSchema, {
  description: 'Proves an account, or that there is none, to someone who knows the network id.',
})

export const problemSchema = z
  .looseObject({
    type: z.string().meta({ description: '`/problems/` and the code.', example: '/problems/nonce-used' }),
    title: z.string().meta({ example: 'Nonce used' }),
    status: z.int().meta({ example: 422 }),
    detail: z.string().meta({
      description: 'What was wrong, what was expected, what to do.',
      example: "nonce 3 is used, the account's next is 5: sign it again with that",
    }),
  })
  .openapi('Problem', { description: 'RFC 9457. Further members depend on the code.' })

export const statusSchema = z
  .strictObject({
    version: z.string().meta({ example: '0.1.0' }),
    network: networkIdField,
    name: z.string().meta({ description: "The network's name.", example: 'friends' }),
    node: z.strictObject({
      address: addressField,
      url: z.string().meta({ example: 'http://127.0.0.1:8787' }),
    }),
    head: z
      .strictObject({ height: heightField, hash: blockHashField, time: unixMsField })
      .meta({ description: 'The last block; at height 0 the genesis.' }),
    oldest: heightField.meta({
      description:
        'Height of the first block that this node keeps; what is about blocks below is answered with 410 `pruned`.',
      example: 1,
    }),
    validators: wholeField.meta({ description: 'Number of validators.', example: 1 }),
    peers: wholeField.meta({ description: 'Number of connected peers.', example: 0 }),
    mempool: z.strictObject({ transactions: wholeField, bytes: wholeField }),
    syncing: z.boolean().meta({ description: 'Blocks are being fetched from others, or taken in.' }),
    sync: z
      .strictObject({
        target: heightField,
        sources: wholeField.meta({ description: 'Peers that can be asked for what is missing.', example: 2 }),
        refused: z.strictObject({ peer: addressField, reason: z.string() }).optional().meta({
          description: 'Why a peer was last left alone for a while.',
        }),
      })
      .optional()
      .meta({
        description:
          'How catching up with others goes, while there is something to say about it. `target` is what they say they have; nothing is believed for it.',
      }),
    join: z.string().meta({
      description: 'What a newcomer dials: URL, network, and a recent block that pins the present.',
    }),
  })
  .openapi('Status')

const trafficSchema = { bytes: wholeField, messages: wholeField }

const peerSchema = z
  .strictObject({
    id: addressField.meta({ description: 'Its node key.' }),
    url: z
      .string()
      .optional()
      .meta({ description: 'That this node dialled.', example: 'https://node.example' }),
    direction: z.enum(['outbound', 'inbound']).meta({ description: 'Who dialled: this node, or the peer.' }),
    version: z.string().meta({ example: '0.1.0' }),
    since: unixMsField,
    height: heightField.optional().meta({ description: 'Of its head, as it said last.' }),
    sent: z.strictObject({
      ...trafficSchema,
      dropped: wholeField.meta({ description: 'Messages that it was too slow for.' }),
    }),
    received: z.strictObject(trafficSchema),
    score: z.int().max(100).meta({
      description: '100 when nothing is held against it. Bad messages lower it; it grows back with time.',
      example: 100,
    }),
  })
  .openapi('Peer')

const dialledSchema = z
  .strictObject({
    url: z.string().meta({ example: 'https://node.example' }),
    attempts: wholeField,
    failure: z.string().optional().meta({ description: 'Why the last attempt failed.' }),
    next: unixMsField.optional().meta({ description: 'When the next one begins.' }),
  })
  .openapi('Dialled')

export const banSchema = z
  .strictObject({ id: addressField, until: unixMsField, reason: z.string() })
  .openapi('Ban')

export const peersSchema = z
  .strictObject({
    peers: z.array(peerSchema),
    dialled: z
      .array(dialledSchema)
      .meta({ description: 'URLs that this node keeps dialling, and isn’t linked through.' }),
    bans: z.array(banSchema).meta({ description: 'Node keys that are refused for now.' }),
    known: wholeField.meta({ description: 'Number of peers whose address cards are known.', example: 0 }),
  })
  .openapi('Peers')

export const committedBlockSchema = z
  .strictObject({ hash: blockHashField, block: blockSchema, certificate: certificateSchema })
  .openapi('CommittedBlock')

component('Origin', originSchema, {
  description: 'What leads from the network id to the validators of a block.',
})

component('HeaderView', headerViewSchema)

export { headerViewSchema }

export const segmentSchema = z
  .strictObject({
    blocks: z.array(blockSchema),
    certificates: z
      .array(certificateSchema)
      .optional()
      .meta({ description: 'One for each block, when they were asked for.' }),
    certificate: certificateSchema
      .optional()
      .meta({ description: 'Of the last block; absent when there are none from there on yet.' }),
  })
  .openapi('Segment', {
    description: 'Consecutive blocks, and the certificate of the last, which proves all of them.',
  })

const reasonSchema = z
  .strictObject({
    code: z.string().meta({ example: 'insufficient-funds' }),
    detail: z.string(),
    operation: wholeField.meta({ description: 'Index of the operation that failed.' }),
  })
  .openapi('FailureReason', {
    description: 'Why a transaction that was committed as failed had no effect but its fee.',
  })

export const pendingSchema = z
  .strictObject({ id: transactionIdField, status: z.literal('pending') })
  .openapi('PendingTransaction', {
    description: 'Accepted, and nothing more: it isn’t promised until it is final.',
    example: examples.pending,
  })

const final = {
  id: transactionIdField,
  status: z.enum(['committed', 'failed']),
  height: heightField,
  index: wholeField.meta({ description: 'Place within the block, from 0.', example: 0 }),
  reason: reasonSchema.optional(),
}

export const finalSchema = z.strictObject(final).openapi('FinalTransaction', { example: examples.final })

const finalWithTransactionSchema = z
  .strictObject({ ...final, transaction: transactionSchema })
  .openapi('FinalTransactionInFull')

export const transactionViewSchema = z.union([
  z.strictObject({ id: transactionIdField, status: z.literal('pending'), transaction: transactionSchema }),
  z.strictObject({ ...final, transaction: transactionSchema, proof: transactionProofSchema.optional() }),
])

export const accountSchema = z
  .strictObject({
    address: addressField,
    balance: amountField,
    nonce: wholeField.meta({
      description: "Sequence number that the account's next transaction must carry.",
      example: 3,
    }),
    stake: amountField,
    unbonding: z
      .array(z.strictObject({ amount: amountField, time: unixMsField }))
      .meta({ description: 'Stake on its way back to the balance, and when each part of it arrives.' }),
    expelled: z.literal(true).optional().meta({
      description:
        'Present for a key that has contradicted itself as a validator: it never has stake again, but for what is on its way back.',
    }),
    height: heightField.meta({ description: 'Height of the state that this was read from.' }),
    proof: accountProofSchema.optional(),
  })
  .openapi('Account')

component('Finality', finalitySchema)

export { finalitySchema }

export const snapshotsSchema = z
  .strictObject({
    snapshots: z.array(
      z.strictObject({
        height: heightField.meta({ description: 'Of the block after which the state is.' }),
        hash: blockHashField,
        stateRoot: hashField,
        entries: wholeField.meta({ description: 'How many there are in the state.' }),
      }),
    ),
  })
  .openapi('Snapshots')

export const historySchema = z
  .strictObject({
    transactions: z.array(finalWithTransactionSchema),
    cursor: z.string().optional().meta({ description: 'Continues the list; absent on the last page.' }),
  })
  .openapi('History')

export const validatorsSchema = z
  .strictObject({ height: heightField, totalStake: amountField, validators: z.array(validatorSchema) })
  .openapi('Validators')

const choiceSchema = z.strictObject({ block: blockHashField, round: roundField })

const votesSchema = z.strictObject({
  values: z
    .array(z.strictObject({ block: blockHashField.optional(), stake: amountField }))
    .meta({ description: 'What was voted for, and by how much stake; without a block, for none.' }),
  missing: z.array(validatorSchema).meta({ description: 'Who has not voted in this round.' }),
})

export const consensusSchema = z
  .strictObject({
    height: heightField.meta({ description: 'Number of the block that is agreed on.' }),
    round: roundField.meta({ description: 'Attempt within the height, from 0.' }),
    step: z.enum(['propose', 'prevote', 'precommit']).meta({
      description: 'What this node waits for: the proposal, prevotes, or precommits.',
    }),
    proposer: addressField.meta({ description: 'Whose proposal the round is about.' }),
    active: z.boolean().meta({
      description: 'False when there is nothing to agree on, and for nodes that don’t vote.',
    }),
    totalStake: amountField.meta({
      description: 'Of all validators; votes of more than two thirds of it are a quorum.',
    }),
    locked: choiceSchema.optional().meta({ description: 'What this node has precommitted last.' }),
    valid: choiceSchema.optional().meta({ description: 'What a quorum has prevoted last.' }),
    prevotes: votesSchema,
    precommits: votesSchema,
    decided: blockHashField.optional(),
    since: unixMsField.meta({
      description: 'When the round began, or when in it there began to be something to agree on.',
    }),
    linked: z.array(addressField).meta({ description: "Node keys at the other ends of this node's links." }),
  })
  .openapi('Consensus')

export const blockEventSchema = z
  .strictObject({ hash: blockHashField, header: headerSchema })
  .openapi('BlockEvent', { description: 'Data of an event of type `block`.' })

export const eventFrameSchema = z
  .union([
    z.strictObject({ id: z.string(), type: z.literal('block'), data: blockEventSchema }),
    z.strictObject({ id: z.string(), type: z.literal('transaction'), data: finalWithTransactionSchema }),
    z.strictObject({
      id: z.string(),
      type: z.literal('cut-off'),
      data: z.strictObject({ reason: z.string() }),
    }),
  ])
  .openapi('Event', {
    description:
      'One frame of the stream over WebSocket. Over SSE the same in the fields `id`, `event` and `data`.',
  })
