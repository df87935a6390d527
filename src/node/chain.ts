/**
 * The chain on this node: its head, what a next block would lead to, and making one final.
 *
 * In: blocks to execute, decided blocks to commit. Out: candidates with their roots, and a head that only
 * ever moves forward, after everything that it names is durable. Candidates change nothing: any number of
 * them may be executed on one head, and all but one forgotten.
 */
import { utf8Bytes } from '../codec/bytes.ts'
import type { Json } from '../codec/json.ts'
import { assert, TautlineError } from '../errors.ts'
import { type Account, accountKey, decodeAccount, emptyAccount } from '../ledger/account.ts'
import { type AssembledBlock, assembleBlock } from '../ledger/assemble-block.ts'
import {
  accountKeysOf,
  type BlockContents,
  type BlockContext,
  type Execution,
  executeBlock,
  ticketAccountKeysOf,
  ticketKeysOf,
  updateAccountKeysOf,
} from '../ledger/execute-block.ts'
import { genesisAnchor, genesisState } from '../ledger/genesis.ts'
import type { OpenPages } from '../ledger/state/open-pages.ts'
import { type CheckpointRoot, emptyState, openState, type State } from '../ledger/state/state.ts'
import {
  commonKeys,
  type StateValues,
  type UnbondingQueue,
  type UnbondingTicket,
  unbondingQueueKey,
  validatorsKey,
} from '../ledger/working-state.ts'
import { hashHeader } from '../objects/block.ts'
import type { Evidence } from '../objects/evidence.ts'
import { type Genesis, type GenesisAnchor, networkIdOf } from '../objects/genesis.ts'
import type { BlockPin } from '../objects/join-string.ts'
import type { CertifiedFinality } from '../objects/proof.ts'
import { type DecodedTransaction, decodeTransaction } from '../objects/transaction.ts'
import { type ValidatorList, type ValidatorSet, validatorSet } from '../objects/validators.ts'
import { type Verified, verified } from '../objects/verified.ts'
import type { Certificate } from '../objects/vote.ts'
import type { Log } from '../ports/log.ts'
import type { Changes, Durability, ObjectKey, ObjectStore } from '../ports/object-store.ts'
import {
  type Address,
  height as asHeight,
  type BlockHash,
  type Height,
  type NetworkId,
  type UnixMs,
} from '../units.ts'
import { readArrival } from './arrival-record.ts'
import { Bell } from './bell.ts'
import {
  type Checkpoint,
  decodeHead,
  encodeHead,
  type Kept,
  type Readable,
  type Snapshot,
} from './head-record.ts'
import { HeadValues } from './head-values.ts'
import { arrivalPuts, blockPuts, genesisPuts, LedgerReader } from './ledger-store.ts'
import { collectOldBlocks } from './old-blocks.ts'
import { advanceReadable, readStale, snapshotInterval, type Taken } from './readable-states.ts'
import { StateAccess } from './state-access.ts'

/** A checkpoint is due where a snapshot is, and when this many pages of the state are in memory only. */
export const maxDirtyPages = 4_096
/** Accounts kept in memory for those who ask again before the next block. */
const maxPeeked = 16_384

export interface Head {
  readonly height: Height
  readonly hash: BlockHash
  readonly time: UnixMs
  /** State after this block. */
  readonly state: State
  /** Who votes on the next block. */
  readonly validators: ValidatorSet
  /** Number of changes of the validator set so far. */
  readonly hops: number
  /** Values in the state that every block reads. */
  readonly common: StateValues
}

/** A block that was executed on the head, and what the state would be after it. */
export interface Candidate {
  readonly block: AssembledBlock
  readonly execution: Execution
  readonly state: State
  readonly parent: BlockHash
}

/** What a block is executed with besides its transactions. */
export interface BlockTerms {
  readonly time: UnixMs
  readonly proposer: Address
  /** In the order of a block: see `flawOfEvidenceList`. */
  readonly evidence: readonly Verified<Evidence>[]
}

/** A head, with what is written and removed together with it. */
interface Written extends Changes {
  readonly head: Head
  readonly readable: Readable
}

export interface CommitHooks {
  /** What must have happened too before anybody sees the new head. */
  readonly alongside?: Promise<void>
  /** Called in the same moment in which the head changes, so that nobody sees one without the other. */
  readonly onPublished?: () => void
}

export class Chain {
  readonly genesis: Genesis
  readonly anchor: GenesisAnchor
  readonly network: NetworkId
  readonly reader: LedgerReader
  readonly state: StateAccess
  /** Rings after each commit. */
  readonly committed = new Bell()
  readonly #store: ObjectStore
  /** Accounts at the head that were asked for since it became the head. */
  readonly #peeked = new Map<Address, Account>()
  readonly #headValues = new HeadValues()
  #head: Head
  #checkpoint: Checkpoint
  #kept: Kept
  #readable: Readable
  #isCommitting = false
  /** The head is written by one at a time: who commits, or who prunes. */
  #writing: Promise<unknown> = Promise.resolve()
  #pin: BlockPin | undefined

  private constructor(
    store: ObjectStore,
    state: StateAccess,
    genesis: Genesis,
    anchor: GenesisAnchor,
    head: Head,
    { oldest, blockBytes, snapshots, stale }: Kept & Readable,
  ) {
    this.#store = store
    this.state = state
    this.#kept = { oldest, blockBytes }
    this.#readable = { snapshots, stale }
    this.reader = new LedgerReader(store, () => this.#kept.oldest)
    this.genesis = genesis
    this.anchor = anchor
    this.network = networkIdOf(anchor)
    this.#head = head
    this.#checkpoint = checkpointAt(head)
  }

  /** Writes the genesis into an empty store. */
  static async create(store: ObjectStore, genesis: Genesis): Promise<Chain> {
    const access = new StateAccess(store)
    const { pages, state } = access.checkpoint(
      await access.update(emptyState, genesisState(genesis)),
      asHeight(0),
    )
    const anchor = genesisAnchor(genesis, state.hash)
    const head: Head = {
      height: asHeight(0),
      hash: networkIdOf(anchor),
      time: genesis.time,
      state,
      validators: validatorSet(genesis.validators),
      hops: 0,
      common: await access.read(state, commonKeys),
    }
    const kept = { oldest: asHeight(1), blockBytes: 0, snapshots: [], stale: { first: 0, next: 0, pages: 0 } }
    await store.commit(
      { puts: [...genesisPuts(genesis, anchor), ...pages], removes: [] },
      encodeHead({ ...head, ...kept, checkpoint: checkpointAt(head) }),
    )
    return new Chain(store, access, genesis, anchor, head, kept)
  }

  /**
   * Begins a ledger after a block, with its state; nothing of it is checked here any more.
   *
   * @param removes - what lies in the store and is no part of it
   */
  static async arrive(
    store: ObjectStore,
    { genesis, proof, root }: { genesis: Genesis; proof: CertifiedFinality; root: CheckpointRoot },
    removes: readonly ObjectKey[],
  ): Promise<Chain> {
    const { header, hops } = proof
    const { height, time } = header
    const access = new StateAccess(store)
    const state = openState(root)
    const common = await access.read(state, commonKeys)
    const validators = validatorSet(common.get(validatorsKey) as unknown as ValidatorList)
    assert(validators.hash === header.nextValidatorsHash, 'a state names the validators that its header does')
    const isHop = header.nextValidatorsHash !== header.validatorsHash
    const head: Head = {
      height,
      hash: hashHeader(header),
      time,
      state,
      validators,
      hops: hops.length + (isHop ? 1 : 0),
      common,
    }
    const kept = {
      oldest: asHeight(height + 1),
      blockBytes: 0,
      snapshots: [{ height, state }],
      stale: { first: 0, next: 0, pages: 0 },
    }
    await store.commit(
      {
        puts: [...genesisPuts(genesis, proof.genesis), ...arrivalPuts(proof, validators.list)],
        removes,
      },
      encodeHead({ ...head, ...kept, checkpoint: checkpointAt(head) }),
    )
    return new Chain(store, access, genesis, proof.genesis, head, kept)
  }

  /**
   * Opens what the store's head names, and runs the blocks since the last checkpoint again.
   *
   * @returns undefined for an empty store
   */
  static async open(store: ObjectStore, log: Log): Promise<Chain | undefined> {
    const bytes = await store.readHead()
    if (!bytes) return undefined
    if (await readArrival(store)) throw notWhole()
    const { checkpoint, height, hash, ...kept } = decodeHead(bytes)
    const reader = new LedgerReader(store, () => kept.oldest)
    const { genesis, anchor } = await reader.genesis()
    const { validatorsHash, ...rest } = checkpoint
    const access = new StateAccess(store)
    const validators = validatorSet(await reader.validators(validatorsHash))
    const head = { ...rest, validators, common: await access.read(checkpoint.state, commonKeys) }
    const chain = new Chain(store, access, genesis, anchor, head, kept)
    await chain.#runAgain({ height, hash }, log)
    return chain
  }

  /** What a committed block survives. */
  get durability(): Durability {
    return this.#store.durability
  }

  get head(): Head {
    return this.#head
  }

  /** Which blocks can be read. */
  get kept(): Kept {
    return this.#kept
  }

  /** States that others may fetch, in the order of their heights. */
  get snapshots(): readonly Snapshot[] {
    return this.#readable.snapshots
  }

  /**
   * The first block that has to be kept, whatever the operator wants: a start runs those after the checkpoint again,
   * and whoever fetches a snapshot needs those after it.
   */
  get oldestNeeded(): Height {
    const { height: oldestSnapshot } = this.#readable.snapshots[0] ?? this.#head
    return asHeight(Math.max(1, Math.min(this.#checkpoint.height + 1, this.#head.height, oldestSnapshot)))
  }

  /**
   * Has the operator's word that a block is on this chain: with another one in its place nothing goes on.
   *
   * @throws TautlineError `ledger-mismatch` when there is another one already
   */
  async requireBlock(pin: BlockPin): Promise<void> {
    this.#pin = pin
    // Below the first block there is nothing to compare: whoever joins by a snapshot has done it before.
    if (pin.height > this.#head.height || pin.height < this.#kept.oldest) return
    const header = await this.reader.header(pin.height)
    this.#checkPin(pin.height, hashHeader(header))
  }

  /** The account at the head, when its page is in memory. */
  peekAccount(address: Address): Account | undefined {
    const known = this.#peeked.get(address)
    if (known) return known
    const key = accountKey(address)
    if (!this.#headValues.has(key)) {
      const values = this.state.peek(this.#head.state, [key])
      if (!values) return undefined
      // Strangers, of whom there is no end, must not push out those who have an account.
      if (values.get(key) === undefined) return emptyAccount
      this.#headValues.keep(values)
    }
    const account = decodeAccount(this.#headValues.get(key))
    if (this.#peeked.size < maxPeeked) this.#peeked.set(address, account)
    return account
  }

  async account(address: Address, at: Head = this.#head): Promise<Account> {
    const key = accountKey(address)
    return decodeAccount((await this.state.read(at.state, [key])).get(key))
  }

  /** Executes what can be included of these transactions and this evidence on the head. */
  async execute(
    transactions: readonly DecodedTransaction[],
    { time, proposer, evidence }: BlockTerms,
  ): Promise<Candidate> {
    const parent = this.#head
    const context: BlockContext = {
      network: this.network,
      parameters: this.genesis.parameters,
      time,
      height: asHeight(parent.height + 1),
      proposer,
    }
    const contents: BlockContents = { evidence, transactions }
    const pages = this.state.open()
    const values = await this.#valuesFor(parent, contents, proposer, pages)
    const execution = executeBlock(values, contents, context)
    const state = await this.state.update(parent.state, execution.changes, pages)
    const block = assembleBlock(execution, context, {
      height: context.height,
      parent: parent.hash,
      validatorsHash: parent.validators.hash,
      stateRoot: state.hash,
    })
    return { block, execution, state, parent: parent.hash }
  }

  /** Makes a decided candidate the head: durable when this resolves. */
  async commit(
    candidate: Candidate,
    certificate: Certificate,
    { alongside = Promise.resolve(), onPublished = () => undefined }: CommitHooks = {},
  ): Promise<void> {
    assert(
      candidate.parent === this.#head.hash,
      'a candidate is committed on the head that it was executed on',
    )
    assert(certificate.block === candidate.block.hash, 'a certificate is for the block that is committed')
    assert(!this.#isCommitting, 'one block is committed at a time')
    this.#checkPin(certificate.height, certificate.block)
    this.#isCommitting = true
    try {
      await this.#inTurn(() => this.#write(candidate, certificate, { alongside, onPublished }))
    } finally {
      this.#isCommitting = false
    }
    this.committed.ring()
  }

  /**
   * Removes the oldest blocks, with all that leads to their transactions.
   *
   * @param below - no block from this height on is removed, nor any that has to be kept
   * @returns bytes of their texts
   */
  async prune(below: Height): Promise<number> {
    const from = this.#kept.oldest
    const end = asHeight(Math.min(below, this.oldestNeeded))
    if (end <= from) return 0
    const entriesOf = async (address: Address) => (await this.account(address)).history
    const { puts, removes, blockBytes } = await collectOldBlocks(this.reader, { from, below: end }, entriesOf)
    await this.#inTurn(async () => {
      assert(this.#kept.oldest === from, 'blocks are pruned by one at a time')
      const kept = { oldest: end, blockBytes: this.#kept.blockBytes - blockBytes }
      const head = { ...this.#head, ...kept, ...this.#readable, checkpoint: this.#checkpoint }
      await this.#store.commit({ puts, removes }, encodeHead(head))
      this.#kept = kept
    })
    return blockBytes
  }

  /** Makes the head a checkpoint, so that the next start has no blocks to run again. */
  async close(): Promise<void> {
    await this.#inTurn(async () => {
      if (this.#checkpoint.height < this.#head.height)
        await this.#writeHead(await this.#takeCheckpoint(this.#head), new Map())
    })
  }

  /**
   * Checks what is going to be deleted: pages that are there, each once, and that the state doesn't use.
   *
   * @throws TautlineError `ledger-mismatch`
   */
  async checkStalePages(): Promise<void> {
    const used = await this.state.locations(this.#checkpoint.state)
    const seen = new Set<ObjectKey>()
    for (const { height, pages } of await readStale(this.reader, this.#readable.stale)) {
      const found = await this.#store.getMany(pages)
      const wrong = pages.find((at, index) => used.has(at) || seen.has(at) || found[index] === undefined)
      if (wrong !== undefined)
        throw new TautlineError(
          'ledger-mismatch',
          `${wrong} is wrongly listed as stale at checkpoint ${height}`,
        )
      for (const at of pages) seen.add(at)
    }
  }

  #inTurn<Result>(run: () => Promise<Result>): Promise<Result> {
    const result = this.#writing.then(run)
    this.#writing = result.catch(() => undefined) // whoever asked is told
    return result
  }

  #checkPin(height: Height, hash: BlockHash): void {
    if (this.#pin?.height !== height || this.#pin.hash === hash) return
    throw new TautlineError(
      'ledger-mismatch',
      `block ${height} is ${hash} here, and this node was started to follow a chain with ${this.#pin.hash}: ` +
        'one of them is of another history; ask somebody you trust for a join string, and start in an empty folder',
      { height },
    )
  }

  async #write(candidate: Candidate, certificate: Certificate, hooks: CommitHooks): Promise<void> {
    const { block, execution } = candidate
    const { hops } = this.#head
    const head = advance(this.#head, candidate)
    const puts = blockPuts({
      block,
      certificate,
      history: execution.history,
      validators: execution.validators,
      ...(head.hops > hops && { hop: hops }),
    })
    const written = this.#isCheckpointDue(head)
      ? await this.#takeCheckpoint(head)
      : { head, readable: this.#readable, puts: [], removes: [] }
    const { oldest, blockBytes } = this.#kept
    const kept = { oldest, blockBytes: blockBytes + utf8Bytes(block.text) }
    await this.#writeHead({ ...written, puts: [...puts, ...written.puts] }, execution.changes, hooks, kept)
  }

  /** @param changes - of the state since the head before */
  async #writeHead(
    { head, readable, puts, removes }: Written,
    changes: StateValues,
    { alongside, onPublished }: CommitHooks = {},
    kept = this.#kept,
  ): Promise<void> {
    const checkpoint = head.state.dirtyPages === 0 ? checkpointAt(head) : this.#checkpoint
    const record = encodeHead({ ...head, ...kept, ...readable, checkpoint })
    const results = await Promise.allSettled([this.#store.commit({ puts, removes }, record), alongside])
    for (const result of results) if (result.status === 'rejected') throw result.reason
    this.#moveTo(head, changes)
    this.#checkpoint = checkpoint
    this.#kept = kept
    this.#readable = readable
    onPublished?.()
  }

  #moveTo(head: Head, changes: StateValues): void {
    this.#peeked.clear()
    this.#headValues.keep(changes)
    this.#head = head
  }

  #isCheckpointDue({ height, state }: Head): boolean {
    return height % snapshotInterval === 0 || state.dirtyPages >= maxDirtyPages
  }

  async #takeCheckpoint(head: Head): Promise<Written> {
    const { pages, stale, state } = this.state.checkpoint(head.state, head.height)
    const taken: Taken = { height: head.height, state, stale, last: this.#checkpoint.height }
    const { readable, puts, removes } = await advanceReadable(this.reader, this.#readable, taken)
    return { head: { ...head, state }, readable, puts: [...pages, ...puts], removes }
  }

  async #valuesFor(
    parent: Head,
    contents: BlockContents,
    proposer: Address,
    pages: OpenPages,
  ): Promise<StateValues> {
    const values = new Map(parent.common)
    await this.#readInto(values, parent, accountKeysOf(contents, proposer), pages)
    const removals = updateAccountKeysOf(parent.common, asHeight(parent.height + 1))
    await this.#readInto(values, parent, removals, pages)
    const queue = values.get(unbondingQueueKey) as unknown as UnbondingQueue
    if (queue.first === queue.next) return values
    const ticketKeys = ticketKeysOf(queue)
    await this.#readInto(values, parent, ticketKeys, pages)
    const tickets = ticketKeys.map((key) => values.get(key) as unknown as UnbondingTicket)
    await this.#readInto(values, parent, ticketAccountKeysOf(tickets), pages)
    return values
  }

  /** Adds the values under these keys, after the block that was the head when this began. */
  async #readInto(
    values: Map<string, Json | undefined>,
    at: Head,
    keys: readonly string[],
    pages: OpenPages,
  ): Promise<void> {
    const unknown: string[] = []
    for (const key of keys) {
      if (at === this.#head && this.#headValues.has(key)) values.set(key, this.#headValues.get(key))
      else unknown.push(key)
    }
    if (unknown.length === 0) return
    const read = await this.state.read(at.state, unknown, pages)
    for (const [key, value] of read) values.set(key, value)
    if (at === this.#head) this.#headValues.keep(read)
  }

  /** Runs blocks again up to the head that was durable; each must lead to what its header says. */
  async #runAgain({ height: to, hash }: { height: Height; hash: BlockHash }, log: Log): Promise<void> {
    if (this.#head.height < to)
      log.info('running the blocks since the last checkpoint again', { from: this.#head.height + 1, to })
    while (this.#head.height < to) {
      const { header, evidence, transactions } = await this.reader.block(asHeight(this.#head.height + 1))
      const decoded = transactions.map((transaction) => decodeTransaction(transaction as unknown as Json))
      const candidate = await this.execute(decoded, { ...header, evidence: evidence.map(verified) })
      if (candidate.block.hash !== hashHeader(header)) {
        throw new TautlineError(
          'damaged-folder',
          `block ${header.height} leads to something else than its header says: restore a backup`,
        )
      }
      this.#moveTo(advance(this.#head, candidate), candidate.execution.changes)
    }
    if (this.#head.hash !== hash) {
      throw new TautlineError(
        'damaged-folder',
        `the blocks lead to ${this.#head.hash}, and the head names ${hash}: restore a backup`,
      )
    }
  }
}

const notWhole = (): TautlineError =>
  new TautlineError(
    'bad-configuration',
    'this ledger is joining a network by a snapshot, and is not whole yet: let `tautline start` with --join and --snapshot finish it',
  )

const advance = (
  { hops, validators, common }: Head,
  { block: { header, hash }, execution, state }: Candidate,
): Head => {
  const changesSet = header.nextValidatorsHash !== header.validatorsHash
  return {
    height: header.height,
    hash,
    time: header.time,
    state,
    validators: changesSet ? validatorSet(execution.validators) : validators,
    hops: changesSet ? hops + 1 : hops,
    common: withChanges(common, execution.changes),
  }
}

const withChanges = (common: StateValues, changes: StateValues): StateValues =>
  commonKeys.some((key) => changes.has(key))
    ? new Map(commonKeys.map((key) => [key, changes.has(key) ? changes.get(key) : common.get(key)]))
    : common

const checkpointAt = ({ height, hash, time, hops, validators, state }: Head): Checkpoint => ({
  height,
  hash,
  time,
  hops,
  validatorsHash: validators.hash,
  state,
})
