/**
 * What must hold, whatever happens.
 *
 * In: what honest machines say, commit and acknowledge. Out: the list of what is wrong, first thing first.
 */
import type { Json } from '../../src/codec/json.ts'
import { genesisSupply } from '../../src/ledger/genesis.ts'
import { Chain } from '../../src/node/chain.ts'
import type { FinalTransaction } from '../../src/node/service.ts'
import type { Genesis } from '../../src/objects/genesis.ts'
import { type ConsensusMessage, messageSigningText } from '../../src/objects/vote.ts'
import type { Verifier } from '../../src/ports/keys.ts'
import { openUnstorageStore } from '../../src/storage/unstorage-store.ts'
import {
  type Address,
  height as asHeight,
  type BlockHash,
  type Height,
  type UnixMs,
} from '../../src/units.ts'
import { faultyDisk } from '../faults/faulty-driver.ts'
import { replayBlock } from '../faults/replay-block.ts'
import { countSupply } from '../faults/whole-node.ts'
import { type Certified, flawOfCertificate } from './certificates.ts'
import { short } from './trace.ts'

/** Every so many blocks of a replay the supply is counted. */
const supplyInterval = 10

export class Watchdog {
  readonly faults: string[] = []
  readonly #agreed = new Map<Height, BlockHash>()
  readonly #said = new Map<string, string>()
  readonly #forbidden = new Set<BlockHash>()
  readonly #times = new Map<BlockHash, UnixMs>()
  readonly #acknowledged: FinalTransaction[] = []
  #highest = asHeight(0)
  /** Highest round in which somebody honest has said something, by height. */
  readonly rounds = new Map<Height, number>()

  #roundsLimit: { readonly most: number; readonly spent: ReadonlyMap<Height, number> } | undefined

  blame(what: string): void {
    this.faults.push(what)
  }

  /** Of the highest block that somebody honest has made final. */
  get highest(): Height {
    return this.#highest
  }

  agreedAt(height: Height): BlockHash | undefined {
    return this.#agreed.get(height)
  }

  /** No honest validator may vote for this block. */
  forbid(block: BlockHash): void {
    this.#forbidden.add(block)
  }

  committed(who: string, height: Height, hash: BlockHash): void {
    const agreed = this.#agreed.get(height)
    if (agreed !== undefined && agreed !== hash)
      this.blame(`${who} commits ${short(hash)} at height ${height}, where ${short(agreed)} is final`)
    this.#agreed.set(height, agreed ?? hash)
    if (height > this.#highest) this.#highest = height
  }

  /** A block is proposed, with this time. */
  proposed(block: BlockHash, time: UnixMs): void {
    this.#times.set(block, time)
  }

  /**
   * A message of an honest key leaves its machine.
   *
   * @param isTimely - whether the machine may take a block of this time for a new one
   */
  said(message: ConsensusMessage, isTimely: (time: UnixMs) => boolean): void {
    const { kind, height, round, validator, block } = message
    if (block && this.#forbidden.has(block)) this.blame(`an honest key's ${kind} is for an invalid block`)
    const place = `${validator} ${kind} ${height} ${round}`
    const text = messageSigningText(message)
    const before = this.#said.get(place)
    if (before === undefined) {
      this.#said.set(place, text)
      if (kind === 'prevote' && block && message.polkaRound === undefined)
        this.#requireTimely(block, isTimely)
    }
    if (before !== undefined && before !== text)
      this.blame(`an honest key contradicts itself: ${before} and ${text}`)
    this.#enter(height, round)
  }

  /** From now on no height may take more rounds than so many, beyond those that it has had. */
  limitRounds(most: number): void {
    this.#roundsLimit = { most, spent: new Map(this.rounds) }
  }

  #enter(height: Height, round: number): void {
    if (round <= (this.rounds.get(height) ?? 0)) return
    this.rounds.set(height, round)
    if (this.#roundsLimit === undefined) return
    const { most, spent } = this.#roundsLimit
    if (round > (spent.get(height) ?? 0) + most)
      this.blame(`height ${height} is in round ${round} and was in ${spent.get(height) ?? 0} at the healing`)
  }

  #requireTimely(block: BlockHash, isTimely: (time: UnixMs) => boolean): void {
    const time = this.#times.get(block)
    if (time !== undefined && !isTimely(time))
      this.blame(`an honest key prevotes block ${short(block)}, which is not of its time`)
  }

  acknowledged(transaction: FinalTransaction): void {
    this.#acknowledged.push(transaction)
  }

  /**
   * A plain replay of what a chain holds, from the genesis on, and every rule that the result must keep.
   *
   * @param chains - of all honest machines, this one among them: each has certificates of its own
   */
  async checkLedger(
    chain: Chain,
    chains: readonly Chain[],
    verifier: Verifier,
    liars: ReadonlySet<Address>,
  ): Promise<void> {
    const scratch = await emptyChain(chain.genesis)
    const supply = genesisSupply(chain.genesis)
    const slashed = new Set<Address>()
    let validatorsHash = scratch.head.validators.hash
    while (scratch.head.height < chain.head.height) {
      const height = asHeight(scratch.head.height + 1)
      const validators = scratch.head.validators.list
      const {
        hash: block,
        header,
        evidence,
      } = await replayBlock(scratch, verifier, {
        block: (await chain.reader.block(height)) as unknown as Json,
        certificate: (await chain.reader.certificate(height)) as unknown as Json,
      })
      if (height % supplyInterval === 0 || height === chain.head.height) await requireSupply(scratch, supply)
      this.#requireAgreement(scratch)
      await this.#requireCertificates(chains, verifier, { block, header, validatorsHash, validators })
      validatorsHash = header.nextValidatorsHash
      for (const { first } of evidence) {
        if (!liars.has(first.validator)) this.blame(`block ${height} slashes an honest validator`)
        if (slashed.has(first.validator)) this.blame(`block ${height} slashes a validator once more`)
        slashed.add(first.validator)
      }
    }
    if (scratch.head.state.hash !== chain.head.state.hash)
      this.blame(`a replay comes to state ${scratch.head.state.hash}, and not to ${chain.head.state.hash}`)
    await this.#requireAcknowledged(chain)
  }

  async #requireCertificates(
    chains: readonly Chain[],
    verifier: Verifier,
    certified: Certified,
  ): Promise<void> {
    const { height } = certified.header
    for (const { head, reader } of chains) {
      const certificate = head.height >= height && (await reader.certificate(height))
      const flaw = certificate && (await flawOfCertificate(certificate, certified, verifier))
      if (flaw) this.blame(`a certificate of block ${height} proves nothing: ${flaw}`)
    }
  }

  #requireAgreement({ head }: Chain): void {
    const agreed = this.#agreed.get(head.height)
    if (agreed !== head.hash) this.blame(`block ${head.height} of a ledger is not the one that was committed`)
  }

  async #requireAcknowledged(chain: Chain): Promise<void> {
    for (const { id, height, index } of this.#acknowledged) {
      if (height > chain.head.height) continue
      const place = await chain.reader.placeOf(id)
      if (place?.height !== height || place.index !== index)
        this.blame(`transaction ${id}, which was acknowledged at ${height}.${index}, is lost`)
    }
  }
}

const emptyChain = async (genesis: Genesis): Promise<Chain> =>
  Chain.create(await openUnstorageStore(faultyDisk().batchDriver(), 'none'), genesis)

const requireSupply = async (chain: Chain, expected: bigint): Promise<void> => {
  const supply = await countSupply(chain)
  if (supply !== expected) throw new Error(`at height ${chain.head.height} the supply is ${supply}`)
}
