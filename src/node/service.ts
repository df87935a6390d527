/**
 * What a node does for those at its doors: the HTTP routes, the command line, a program that embeds it.
 *
 * Everything returned is ready to be written out as JSON. Methods reject with a TautlineError whose code
 * says why; nothing here knows HTTP.
 */

import type { Json } from '../codec/json.ts'
import type { ConsensusView } from '../consensus/view.ts'
import type { PeerMessage, SelfProvingMessage } from '../messages/peer-message.ts'
import type { Block, Header, TransactionStatus } from '../objects/block.ts'
import type { Genesis } from '../objects/genesis.ts'
import type { HeaderView } from '../objects/light-block.ts'
import type { Operation } from '../objects/operation.ts'
import type { AccountProof, Finality, TransactionProof } from '../objects/proof.ts'
import type { DecodedTransaction, Transaction } from '../objects/transaction.ts'
import type { ValidatorList } from '../objects/validators.ts'
import type { Certificate } from '../objects/vote.ts'
import type { Wire, WireListener } from '../ports/transport.ts'
import type { Address, Amount, BlockHash, Hash, Height, NetworkId, TransactionId, UnixMs } from '../units.ts'

/** Messages and their bytes, by kind; what frames and sockets add isn't counted. */
export type SentMessages = Readonly<Record<PeerMessage['kind'], { messages: number; bytes: number }>>

export interface Status {
  readonly version: string
  readonly network: NetworkId
  readonly name: string
  readonly node: { readonly address: Address; readonly url: string }
  readonly head: { readonly height: Height; readonly hash: BlockHash; readonly time: UnixMs }
  /** Height of the first block that is kept. */
  readonly oldest: Height
  /** Number of validators. */
  readonly validators: number
  /** Number of connected peers. */
  readonly peers: number
  readonly mempool: { readonly transactions: number; readonly bytes: number }
  /** Blocks are being fetched from others, or taken in. */
  readonly syncing: boolean
  /** How catching up with others goes, while there is something to say about it. */
  readonly sync?: SyncProgress
  /** What a newcomer dials: URL, network, and a recent block that pins the present. */
  readonly join: string
}

export interface SyncProgress {
  /** Height that others say they have; nothing is believed for it. */
  readonly target: Height
  /** Peers that can be asked for what is missing. */
  readonly sources: number
  /** Why a peer was last left alone for a while. */
  readonly refused?: { readonly peer: Address; readonly reason: string }
}

export interface CommittedBlock {
  readonly hash: BlockHash
  readonly block: Block
  readonly certificate: Certificate
}

/** Consecutive blocks and the certificate of the last. */
export interface Segment {
  readonly blocks: readonly Block[]
  /** One for each block, when they were asked for. */
  readonly certificates?: readonly Certificate[]
  /** Absent when there are no blocks from there on yet. */
  readonly certificate?: Certificate
}

/** A {@link Segment} as JSON. */
export interface SegmentText {
  readonly text: string
  /** How many it has. */
  readonly blocks: number
}

/** Why a committed transaction had no effect but its fee. */
export interface FailureReason {
  readonly code: string
  readonly detail: string
  /** Index of the operation that failed. */
  readonly operation: number
}

export interface PendingTransaction {
  readonly id: TransactionId
  readonly status: 'pending'
}

export interface FinalTransaction {
  readonly id: TransactionId
  readonly status: TransactionStatus
  readonly height: Height
  /** Place within the block, from 0. */
  readonly index: number
  readonly reason?: FailureReason
}

export type Submission = PendingTransaction | FinalTransaction

export type TransactionView = Submission & {
  readonly transaction: Transaction
  readonly proof?: TransactionProof
}

export interface AccountView {
  readonly address: Address
  readonly balance: Amount
  /** Sequence number that the account's next transaction must carry. */
  readonly nonce: number
  readonly stake: Amount
  /** Stake on its way back to the balance, and when each part of it arrives. */
  readonly unbonding: readonly { readonly amount: Amount; readonly time: UnixMs }[]
  /** Present for a key that has contradicted itself as a validator: it never has stake again. */
  readonly expelled?: true
  /** Height of the state that this was read from. */
  readonly height: Height
  readonly proof?: AccountProof
}

export interface HistoryPage {
  readonly transactions: readonly (FinalTransaction & { readonly transaction: Transaction })[]
  /** Continues the list; absent on the last page. */
  readonly cursor?: string
}

/** A state that can be fetched whole. */
export interface SnapshotView {
  /** Of the block after which it is. */
  readonly height: Height
  readonly hash: BlockHash
  readonly stateRoot: Hash
  readonly entries: number
}

export interface ValidatorsView {
  readonly height: Height
  readonly totalStake: Amount
  readonly validators: ValidatorList
}

/** Where the present height stands, as far as this node has heard. */
export interface ConsensusStatus extends ConsensusView {
  /** When the round began, or when in it there began to be something to agree on. */
  readonly since: UnixMs
  /** Node keys at the other ends of this node's links. */
  readonly linked: readonly Address[]
}

/**
 * A place in the ledger: `<height>` for a block, `<height>.<index>` for a transaction in it. Events are
 * ordered: a block's own event first, then its transactions. The same on every node.
 */
export type EventId = string

export type LedgerEvent =
  | {
      readonly id: EventId
      readonly type: 'block'
      readonly data: { readonly hash: BlockHash; readonly header: Header }
    }
  | {
      readonly id: EventId
      readonly type: 'transaction'
      readonly data: FinalTransaction & { readonly transaction: Transaction }
    }

export interface EventFilter {
  /** Only transactions that this account sent or was named in, and no block events. */
  readonly account?: Address
  /** Resume after this event; absent: from now on. */
  readonly after?: EventId
}

/** A peer at the other end of an open link. */
export interface PeerView {
  /** Its node key. */
  readonly id: Address
  /** That this node dialled. */
  readonly url?: string
  readonly direction: 'outbound' | 'inbound'
  readonly version: string
  readonly since: UnixMs
  /** Of its head, as it said last. */
  readonly height?: Height
  /** `dropped` are messages that it was too slow for. */
  readonly sent: { readonly bytes: number; readonly messages: number; readonly dropped: number }
  readonly received: { readonly bytes: number; readonly messages: number }
  /** 100 for one that nothing is held against; rejected messages cost 25, and a point comes back each second. */
  readonly score: number
}

/** A URL that this node dials and isn't linked through. */
export interface DialledView {
  readonly url: string
  /** Since it was linked last. */
  readonly attempts: number
  /** Why the last attempt failed. */
  readonly failure?: string
  /** When the next one begins. */
  readonly next?: UnixMs
}

export interface BanView {
  readonly id: Address
  readonly until: UnixMs
  readonly reason: string
}

export interface PeersView {
  readonly peers: readonly PeerView[]
  readonly dialled: readonly DialledView[]
  readonly bans: readonly BanView[]
  /** Number of peers whose address cards are known. */
  readonly known: number
}

/** A way to submit that keeps a stream's order and waits for room instead of failing. */
export interface SubmissionResult {
  readonly submission?: Submission
  readonly error?: unknown
}

export interface NodeService {
  readonly genesis: Genesis
  readonly network: NetworkId

  status(): Status
  /** Everything that metrics show, by name, in base units of measure. */
  metrics(): Readonly<Record<MetricName, number>>
  /** Since the process started. */
  sentToPeers(): SentMessages

  /** @returns undefined when there is no such block (yet) */
  block(at: Height | BlockHash | 'latest'): Promise<CommittedBlock | undefined>
  /**
   * A block without its transactions, and who votes on it; of height 0, what the network id is the hash of.
   *
   * @returns undefined when there is no such block (yet)
   */
  header(at: Height | 'latest', options: { proof: boolean }): Promise<HeaderView | undefined>
  /** At most `limit` blocks and {@link maxSegmentBytes}, ending where the validator set changes. */
  segment(from: Height, limit: number, options?: { certificates: boolean }): Promise<SegmentText>

  /**
   * Takes a segment with all its certificates that another node sends unasked: parsed JSON, nothing more.
   *
   * One that isn't needed is passed over.
   * @throws TautlineError `malformed-request`, `segment-refused` with what is false
   */
  takeSegment(segment: Json): Promise<void>

  /**
   * Checks a transaction and takes it into the mempool.
   *
   * Submitting the same one again changes nothing and answers as before.
   * @throws TautlineError with the code of what is wrong; `mempool-full` when there is no room now
   */
  submit(transaction: DecodedTransaction): Promise<Submission>
  /**
   * As {@link submit} for a batch from one stream: verified side by side, admitted in the given order, waiting
   * for room in the mempool instead of failing. One result for each, in order.
   */
  submitAll(
    transactions: readonly DecodedTransaction[],
    signal: AbortSignal,
  ): Promise<readonly SubmissionResult[]>
  /**
   * Resolves when the transaction is final, or as pending when the time is over.
   *
   * @throws TautlineError `transaction-dropped` when it was replaced, has expired or was evicted
   */
  waitUntilFinal(id: TransactionId, timeoutMs: number): Promise<Submission>
  /** @returns undefined when the node knows no such transaction */
  transaction(id: TransactionId, options: { proof: boolean }): Promise<TransactionView | undefined>

  account(address: Address, options: { proof: boolean }): Promise<AccountView>
  history(address: Address, options: { cursor?: string; limit: number }): Promise<HistoryPage>
  /** @param at - a height up to the head's: the set that votes on that block, or with none the next one's */
  validators(at?: Height): Promise<ValidatorsView | undefined>

  /** The newest first. */
  snapshots(): Promise<readonly SnapshotView[]>
  /** What leads from the network id to a snapshot's header. */
  snapshotProof(height: Height): Promise<Finality>
  /** Pages of a subtree, root first: all of a small one, otherwise the first. Undefined when none begins there. */
  snapshotPages(height: Height, way: string): Promise<readonly string[] | undefined>

  consensus(): ConsensusStatus

  /**
   * Events in order, past ones first, until the signal aborts. Reads at the consumer's pace: past events come
   * from the ledger, so a slow consumer costs no memory and loses nothing.
   */
  events(filter: EventFilter, signal: AbortSignal): AsyncIterable<LedgerEvent>

  /** Fills in nonce, fee and expiry, signs with the node's own key, and submits. */
  spend(request: { operations: readonly Operation[]; memo?: string }): Promise<Submission>

  /**
   * Takes a socket on which somebody dialled this node as a peer.
   *
   * @param urls - all that this node is reached under, by its configuration
   */
  acceptPeer(wire: Wire, urls: readonly string[]): WireListener
  /** Hears messages that prove themselves, whoever brings them. @returns the transactions that it lacks to use them */
  peerMessages(messages: readonly SelfProvingMessage[]): Promise<{ readonly wanted: readonly Hash[] }>
  peers(): PeersView
  /**
   * Dials a URL now, and again for as long as the node runs.
   *
   * @throws TautlineError `too-many-peers`
   */
  addPeer(url: string): void
  /** Ends a link and doesn't take the peer back until the ban ends. @returns undefined when there is no such peer */
  removePeer(id: Address): BanView | undefined

  /** Resolves when everything is on the disk and nothing is running any more. */
  close(): Promise<void>
}

export const maxHistoryPage = 100

/** Metrics, named as Prometheus wants them: unit last, `_total` for what only grows. */
export const metricNames = [
  'head_height',
  'head_time_seconds',
  'blocks_committed_total',
  'transactions_committed_total',
  'transactions_failed_total',
  'transactions_refused_total',
  'signatures_verified_total',
  'mempool_transactions',
  'mempool_bytes',
  'state_entries',
  'state_cache_bytes',
  'validators',
  'peers',
  'event_subscribers',
] as const
export type MetricName = (typeof metricNames)[number]
