/**
 * A node: brings the machines together over its ports, and is what the doors talk to.
 *
 * In: transactions from the doors. They pass the door into the mempool; the decider puts them into blocks;
 * the chain makes those final; then whoever waited is told. Reads go to the chain alone.
 */

import type { Json } from '../codec/json.ts'
import type { Conflict } from '../consensus/message-log.ts'
import { TautlineError } from '../errors.ts'
import { createMempool, type Dropped, type Mempool } from '../mempool/mempool.ts'
import type { SelfProvingMessage } from '../messages/peer-message.ts'
import { formatJoinString } from '../objects/join-string.ts'
import type { HeaderView } from '../objects/light-block.ts'
import type { Operation } from '../objects/operation.ts'
import type { DecodedTransaction } from '../objects/transaction.ts'
import type { Clock } from '../ports/clock.ts'
import type { Signer, Verifier } from '../ports/keys.ts'
import type { Log } from '../ports/log.ts'
import type { ObjectStore } from '../ports/object-store.ts'
import type { Random } from '../ports/random.ts'
import type { SignRecordStore } from '../ports/sign-record-store.ts'
import type { Transport, Wire, WireListener } from '../ports/transport.ts'
import type { Address, BlockHash, Hash, Height, TransactionId } from '../units.ts'
import { BlockBuilder } from './block-builder.ts'
import type { Candidate, Chain } from './chain.ts'
import { Decider } from './decider.ts'
import { Discovery, type DiscoveryChoices } from './discovery/discovery.ts'
import { Door } from './door.ts'
import { streamEvents } from './events.ts'
import { EvidencePool } from './evidence-pool.ts'
import { finalsOf, readFinal } from './finals.ts'
import { readHeader } from './light-blocks.ts'
import { Links } from './links/links.ts'
import { Network } from './network.ts'
import { type Keep, Pruner } from './pruner.ts'
import {
  readAccount,
  readBlock,
  readHistory,
  readSegment,
  readTransaction,
  readValidators,
} from './queries.ts'
import { RecentBlocks } from './recent-blocks.ts'
import { SegmentPusher } from './segment-pusher.ts'
import type {
  AccountView,
  BanView,
  CommittedBlock,
  ConsensusStatus,
  EventFilter,
  HistoryPage,
  LedgerEvent,
  MetricName,
  NodeService,
  PeersView,
  SegmentText,
  SentMessages,
  Status,
  Submission,
  SubmissionResult,
  TransactionView,
  ValidatorsView,
} from './service.ts'
import { readSignRecord, type SignRecord } from './sign-record.ts'
import { listSnapshots, proveSnapshot, readSnapshotPages } from './snapshots.ts'
import { Synchronizer } from './synchronizer.ts'
import { verifiedEvidenceOf } from './verify-evidence.ts'
import { Waiters } from './waiters.ts'
import { Wallet } from './wallet.ts'

export interface NodeParts {
  readonly version: string
  readonly chain: Chain
  readonly store: ObjectStore
  readonly records: SignRecordStore
  readonly signer: Signer
  readonly verifier: Verifier
  readonly clock: Clock
  readonly log: Log
  readonly random: Random
  readonly transport: Transport
  /** Under which others reach this node; the first one is shown to them. */
  readonly urls: () => readonly string[]
  /** URLs of nodes of the same network, to dial. */
  readonly peers?: readonly string[]
  /** The only node keys that are linked; absent: all. */
  readonly allowedPeers?: ReadonlySet<Address>
  /** Peers are to leave it alone while nothing happens, and to wake it by POST. */
  readonly sleeps?: boolean
  /** How many of the blocks; absent: all. */
  readonly keep?: Keep
  /** How it finds peers beside those; absent: not at all. */
  readonly discovery?: DiscoveryChoices
  /** A broken invariant: the node decides nothing any more, and should be stopped. */
  readonly onHalt: (error: unknown) => void
}

export class Node implements NodeService {
  readonly #parts: NodeParts
  readonly #mempool: Mempool
  readonly #waiters: Waiters
  readonly #blocks: RecentBlocks
  readonly #door: Door
  readonly #wallet: Wallet
  readonly #evidence: EvidencePool
  readonly #pruner: Pruner
  readonly #closing = new AbortController()
  /** Set once the node has started, which it has before anybody sees it. */
  #decider!: Decider
  #network: Network | undefined
  #links!: Links
  #synchronizer: Synchronizer | undefined
  #discovery: Discovery | undefined
  #pusher: SegmentPusher | undefined
  #blocksCommitted = 0
  #transactionsCommitted = 0
  #transactionsFailed = 0
  #subscribers = 0

  private constructor(parts: NodeParts) {
    const { chain, clock, signer, verifier, log } = parts
    const mempool = createMempool()
    this.#parts = parts
    this.#mempool = mempool
    this.#waiters = new Waiters(clock)
    this.#blocks = new RecentBlocks(chain)
    this.#evidence = new EvidencePool(chain)
    this.#door = new Door({
      chain,
      mempool,
      verifier,
      clock,
      onAdmitted: (transaction, from) => {
        this.#network?.admitted(transaction, from)
        this.#decider.wake()
      },
      onDropped: (dropped) => this.#tellDropped(dropped),
    })
    this.#wallet = new Wallet({ chain, mempool, door: this.#door, signer, clock })
    this.#pruner = new Pruner({ chain, store: parts.store, keep: parts.keep ?? { kind: 'all' }, clock, log })
  }

  /** Resolves when the node can decide blocks and answer. */
  static async start(parts: NodeParts): Promise<Node> {
    const node = new Node(parts)
    await node.#startDeciding()
    node.#startTalking()
    return node
  }

  get genesis() {
    return this.#parts.chain.genesis
  }

  get network() {
    return this.#parts.chain.network
  }

  status(): Status {
    const { version, chain, signer } = this.#parts
    const { height, hash, time, validators } = chain.head
    const url = this.#parts.urls()[0] ?? ''
    const sync = this.#synchronizer?.progress()
    return {
      version,
      network: chain.network,
      name: chain.genesis.name,
      node: { address: signer.address, url },
      head: { height, hash, time },
      oldest: chain.kept.oldest,
      validators: validators.list.length,
      peers: this.#links.peers.length,
      mempool: this.#mempool.size,
      syncing: this.#synchronizer?.isSyncing ?? false,
      ...(sync && { sync }),
      join: formatJoinString({ url, network: chain.network, ...(height > 0 && { pin: { height, hash } }) }),
    }
  }

  metrics(): Readonly<Record<MetricName, number>> {
    const { chain } = this.#parts
    const { height, time, state, validators } = chain.head
    return {
      head_height: height,
      head_time_seconds: time / 1_000,
      blocks_committed_total: this.#blocksCommitted,
      transactions_committed_total: this.#transactionsCommitted,
      transactions_failed_total: this.#transactionsFailed,
      transactions_refused_total: this.#door.refused,
      signatures_verified_total: this.#door.verified,
      mempool_transactions: this.#mempool.size.transactions,
      mempool_bytes: this.#mempool.size.bytes,
      state_entries: state.count,
      state_cache_bytes: chain.state.cachedBytes,
      validators: validators.list.length,
      peers: this.#links.peers.length,
      event_subscribers: this.#subscribers,
    }
  }

  sentToPeers(): SentMessages {
    return this.#links.sent
  }

  block(at: Height | BlockHash | 'latest'): Promise<CommittedBlock | undefined> {
    return readBlock(this.#parts.chain, at)
  }

  segment(from: Height, limit: number, options = { certificates: false }): Promise<SegmentText> {
    return readSegment(this.#parts.chain, from, limit, options)
  }

  submit(transaction: DecodedTransaction): Promise<Submission> {
    return this.#door.submit(transaction)
  }

  submitAll(
    transactions: readonly DecodedTransaction[],
    signal: AbortSignal,
  ): Promise<readonly SubmissionResult[]> {
    return this.#door.submitAll(transactions, signal)
  }

  async waitUntilFinal(id: TransactionId, timeoutMs: number): Promise<Submission> {
    if (this.#mempool.has(id)) return this.#waiters.wait(id, timeoutMs)
    const final = await readFinal(this.#parts.chain, id)
    if (final) return final
    throw new TautlineError(
      'transaction-dropped',
      `transaction ${id} is not here any more: submit it again`,
      { id },
    )
  }

  async transaction(id: TransactionId, options: { proof: boolean }): Promise<TransactionView | undefined> {
    const pending = this.#mempool.get(id)
    if (pending) return { id, status: 'pending', transaction: pending.transaction }
    return readTransaction(this.#parts.chain, id, options)
  }

  account(address: Address, options: { proof: boolean }): Promise<AccountView> {
    return readAccount(this.#parts.chain, address, options)
  }

  history(address: Address, { cursor, limit }: { cursor?: string; limit: number }): Promise<HistoryPage> {
    return readHistory(this.#parts.chain, address, cursor, limit)
  }

  header(at: Height | 'latest', options: { proof: boolean }): Promise<HeaderView | undefined> {
    return readHeader(this.#parts.chain, at, options)
  }

  validators(at?: Height): Promise<ValidatorsView | undefined> {
    return readValidators(this.#parts.chain, at)
  }

  consensus(): ConsensusStatus {
    return { ...this.#decider.view(), linked: this.#links.peers }
  }

  events(filter: EventFilter, signal: AbortSignal): AsyncIterable<LedgerEvent> {
    return this.#counted(
      streamEvents(
        { chain: this.#parts.chain, blocks: this.#blocks },
        filter,
        AbortSignal.any([signal, this.#closing.signal]),
      ),
    )
  }

  spend(request: { operations: readonly Operation[]; memo?: string }): Promise<Submission> {
    return this.#wallet.spend(request)
  }

  acceptPeer(wire: Wire, urls: readonly string[]): WireListener {
    return this.#links.accept(wire, urls)
  }

  peers(): PeersView {
    return { ...this.#links.views(), known: this.#discovery?.known ?? 0 }
  }

  addPeer(url: string): void {
    this.#links.add(url)
  }

  removePeer(id: Address): BanView | undefined {
    return this.#links.remove(id)
  }

  snapshots() {
    return listSnapshots(this.#parts.chain)
  }

  snapshotProof(height: Height) {
    return proveSnapshot(this.#parts.chain, height)
  }

  snapshotPages(height: Height, way: string) {
    return readSnapshotPages(this.#parts.chain, height, way)
  }

  /** Takes in what a peer has posted: see {@link Network.heardByPost}. */
  async peerMessages(messages: readonly SelfProvingMessage[]): Promise<{ readonly wanted: readonly Hash[] }> {
    return { wanted: await this.#network!.heardByPost(messages) }
  }

  takeSegment(segment: Json): Promise<void> {
    return this.#synchronizer!.takePushed(segment)
  }

  async close(): Promise<void> {
    this.#door.close()
    this.#closing.abort()
    this.#synchronizer?.close()
    this.#pusher?.close()
    this.#pruner.close()
    this.#discovery?.close()
    this.#network?.close()
    this.#links.close()
    await this.#decider.close()
    this.#waiters.close()
    await this.#parts.chain.close()
    await this.#parts.store.close()
  }

  async #startDeciding(): Promise<void> {
    const { chain, records, signer, clock, log, onHalt } = this.#parts
    const record = await readSignRecord(records)
    this.#decider = await Decider.start(
      {
        chain,
        builder: new BlockBuilder({
          chain,
          mempool: this.#mempool,
          door: this.#door,
          evidence: this.#evidence,
          clock,
          log,
          onDropped: (dropped) => this.#tellDropped(dropped),
        }),
        signer: this.#maySign(record) ? signer : undefined,
        records,
        clock,
        log,
        onCommitted: (candidate) => this.#tellCommitted(candidate),
        onSaid: (message) => this.#network?.said(message),
        onMoved: () => this.#network?.moved(),
        onAccused: (conflict) => void this.#accuse(conflict),
        onHalt,
      },
      record ?? { blocks: [] },
    )
  }

  #startTalking(): void {
    const { chain, verifier, clock, log, peers = [], allowedPeers, discovery, ...parts } = this.#parts
    this.#links = new Links({
      ...parts,
      network: chain.network,
      verifier,
      clock,
      log,
      ...(allowedPeers && { allowed: allowedPeers }),
      ...(discovery?.allowPrivate && { reachOfSupplied: 'anywhere' as const }),
      events: {
        onOpened: (peer) => this.#tellOpened(peer),
        onGivenUp: (peer) => this.#discovery?.givenUp(peer),
        onClosed: (peer) => this.#tellClosed(peer),
        onMessage: (peer, message) => this.#network?.heard(peer, message),
        transactionsOf: (hashes) => this.#network?.transactionsOf(hashes) ?? [],
      },
    })
    this.#network = new Network({
      chain,
      mempool: this.#mempool,
      door: this.#door,
      decider: this.#decider,
      links: {
        send: (peer, message) => this.#links.sendEncoded(peer, message),
        reject: (peer, reason) => this.#links.punish(peer, 'reject', reason),
        rouseSleepers: () => this.#links.rouseSleepers(),
        tellSleepers: (messages) => this.#links.tellSleepers(messages),
      },
      verifier,
      clock,
      log,
      onStanding: (peer, standing) => this.#tellHeight(peer, standing),
      onCards: (peer, cards) => void this.#discovery?.heard(peer, cards),
    })
    this.#startCatchingUp()
    for (const url of peers) this.#links.add(url)
    if (discovery) this.#startDiscovery(discovery)
  }

  #startDiscovery(choices: DiscoveryChoices): void {
    const { chain, allowedPeers } = this.#parts
    this.#discovery = new Discovery({
      ...this.#parts,
      ...choices,
      network: chain.network,
      validators: () => chain.head.validators,
      allowed: allowedPeers,
      links: {
        send: (peer, message) => this.#links.send(peer, message),
        linked: () => this.#links.linked,
        dialSupplied: (card) => this.#links.addSupplied(card),
        letGo: (peer, reason) => this.#links.letGo(peer, reason),
        reject: (peer, reason) => this.#links.punish(peer, 'reject', reason),
      },
    })
    void this.#discovery.start()
  }

  #tellOpened(peer: Address): void {
    this.#network?.opened(peer)
    void this.#discovery?.opened(peer, this.#links.urlOf(peer))
  }

  #startCatchingUp(): void {
    const { chain, verifier, clock, log, onHalt } = this.#parts
    const { request } = this.#parts.transport
    const transport: Pick<Transport, 'request'> = {
      request: (url, asked) => request(url, asked, this.#links.reachOf(url)),
    }
    this.#synchronizer = new Synchronizer({
      sink: this.#decider,
      network: chain.network,
      parameters: chain.genesis.parameters,
      transport,
      verifier,
      clock,
      log,
      onFalse: (peer, reason) => this.#links.punish(peer, 'reject', reason),
      onHalt,
    })
    this.#pusher = new SegmentPusher({
      height: () => chain.head.height,
      readSegment: (from, limit, options) => readSegment(chain, from, limit, options),
      transport,
      clock,
      log,
    })
  }

  /** Plain requests go to the URLs that this node dials: its operator's, or those that may be dialled for what they are. */
  #tellHeight(peer: Address, standing: { height: Height; oldest: Height }): void {
    const url = this.#links.urlOf(peer)
    if (url === undefined) return
    this.#synchronizer?.stands(peer, url, standing)
    this.#pusher?.stands(peer, url, standing.height)
  }

  #tellClosed(peer: Address): void {
    this.#network?.closed(peer)
    this.#discovery?.closed(peer)
    this.#synchronizer?.gone(peer)
    this.#pusher?.gone(peer)
  }

  /** Whether this node's key can sign without the danger of contradicting itself. */
  #maySign(record: SignRecord | undefined): boolean {
    const { chain, log } = this.#parts
    if (!record) {
      log.error(
        'this key has no sign record, so it signs no block: it may have signed elsewhere; see `tautline start --help`',
      )
      return false
    }
    const { signed } = record
    if (signed && signed.network !== chain.network) {
      throw new TautlineError(
        'bad-configuration',
        `this folder's key has signed for network ${signed.network}, and its ledger is of ${chain.network}: use another folder for another network`,
      )
    }
    if (signed && signed.height > chain.head.height + 1) {
      log.warn('this key has signed beyond its ledger, so it signs no block until the ledger has caught up', {
        signed: signed.height,
        head: chain.head.height,
      })
    }
    return true
  }

  async #accuse(conflict: Conflict): Promise<void> {
    try {
      if (await this.#evidence.add(verifiedEvidenceOf(...conflict))) this.#decider.wake()
    } catch (error) {
      this.#parts.log.error(`evidence could not be kept: ${String(error)}`)
    }
  }

  #tellCommitted(candidate: Candidate): void {
    const { block } = candidate
    this.#blocksCommitted++
    this.#synchronizer?.headMoved()
    this.#pusher?.headMoved()
    this.#pruner.headMoved()
    this.#discovery?.headMoved()
    this.#evidence.committed(candidate)
    const overtaken = this.#mempool.committed(block.transactions)
    this.#network?.departed(block.transactions)
    this.#tellDropped(overtaken)
    for (const final of finalsOf(block)) {
      if (final.status === 'failed') this.#transactionsFailed++
      else this.#transactionsCommitted++
      this.#waiters.final(final)
    }
  }

  #tellDropped(dropped: readonly Dropped[]): void {
    for (const { transaction, reason } of dropped) this.#waiters.dropped(transaction.id, reason)
    this.#network?.departed(dropped.map(({ transaction }) => transaction))
  }

  async *#counted(events: AsyncIterable<LedgerEvent>): AsyncGenerator<LedgerEvent> {
    this.#subscribers++
    try {
      yield* events
    } finally {
      this.#subscribers--
    }
  }
}
