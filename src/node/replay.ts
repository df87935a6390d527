/**
 * Replay: blocks that somebody else hands over, checked, executed and committed.
 *
 * Nothing is believed: form, canonical bytes, hash links, certificates, every signature, and that executing a
 * block leads to exactly its header. So this verifies a ledger, restores a backup, and is what syncing rests on.
 * All that is used of a block is derived from its own checked bytes, and nothing from what was said beside it.
 *
 * Blocks come in segments, which end at the latest where the validators change: so all certificates of one are
 * checked before any block of it is executed. While one segment is executed, which the main thread does, the
 * signatures of the next are verified in one batch, which all cores do.
 */
import * as z from 'zod'
import { type Json, parseJson } from '../codec/json.ts'
import { TautlineError } from '../errors.ts'
import { maxSegmentBlocks } from '../messages/limits.ts'
import { type Block, blockSchema, type Header, hashHeader } from '../objects/block.ts'
import type { Evidence } from '../objects/evidence.ts'
import { type DecodedTransaction, decodeTransaction, signedTextOf } from '../objects/transaction.ts'
import type { ValidatorSet } from '../objects/validators.ts'
import { type Verified, verified } from '../objects/verified.ts'
import { type Certificate, certificateSchema } from '../objects/vote.ts'
import type { Verifier } from '../ports/keys.ts'
import { height as asHeight, type BlockHash, type Height, type NetworkId, nextHeight } from '../units.ts'
import { type BlockSink, blockMismatch, type DecodedBlock } from './block-sink.ts'
import type { Chain, Head } from './chain.ts'
import { refuseCertificate } from './check-certificate.ts'
import { verifyEvidenceList } from './verify-evidence.ts'

/** Transactions of a segment, when blocks come one by one: enough to keep all cores busy with their signatures. */
const segmentTransactions = 4_096

/** A block as it was handed over: parsed JSON, nothing more. */
export interface UncheckedBlock {
  readonly block: Json
  readonly certificate: Json
}

/** A block of the right form, with all that is derived from its bytes; none of its signatures is checked. */
interface UnprovenBlock {
  readonly header: Header
  readonly hash: BlockHash
  readonly evidence: readonly Evidence[]
  readonly transactions: readonly DecodedTransaction[]
  readonly certificate: Certificate
}

/** What a sink is given. */
interface Proven {
  readonly block: Verified<DecodedBlock>
  readonly certificate: Verified<Certificate>
}

export interface ReplayParts {
  readonly sink: BlockSink
  readonly network: NetworkId
  readonly verifier: Verifier
  /** Told after each block that was committed. */
  readonly onApplied: (block: DecodedBlock) => void
}

/** What a block must follow: the block before it, and who votes on it. */
type Basis = Pick<Head, 'height' | 'hash' | 'validators'>

interface InUse {
  /** Resolves when all of it is checked, with what comes after it must follow: undefined when only executing it shows. */
  readonly next: Promise<Basis | undefined>
  /** Resolves when all its blocks are committed. */
  readonly applied: Promise<void>
}

export class Replay {
  readonly #parts: ReplayParts
  /** The segment that was taken into use last. */
  #last: InUse | undefined

  constructor(parts: ReplayParts) {
    this.#parts = parts
  }

  /**
   * Checks a segment while the one before is executed, and then commits its blocks, passing over those that the
   * head has reached in another way. After a rejection this replay is over: nothing behind it is committed.
   *
   * @param from - height of its first block; not beyond what follows the segment before, or the head
   * @throws TautlineError `ledger-mismatch`, saying at which height what is wrong; `storage-unavailable`
   */
  use(from: Height, segment: readonly UncheckedBlock[]): Promise<void> {
    const before = this.#last
    const proving = this.#prove(from, segment, before)
    const next = proving.then((proof) => proof.next)
    const applied = this.#apply(proving, before)
    next.catch(() => undefined) // it is `applied` that tells, in its turn
    this.#last = { next, applied }
    return applied
  }

  /** One segment after the other, so that the earlier one has all cores. */
  async #prove(
    from: Height,
    segment: readonly UncheckedBlock[],
    before: InUse | undefined,
  ): Promise<{ readonly proven: readonly Proven[]; readonly next: Basis | undefined }> {
    const known = await before?.next
    const decoded = segment.map((unchecked, at) => decodeBlock(asHeight(from + at), unchecked))
    if (!known) await before?.applied
    const basis = this.#laterThanHead(known) ?? this.#parts.sink.head
    const blocks = decoded.filter(({ header }) => header.height > basis.height)
    checkLinks(blocks, basis, this.#parts.network)
    for (const block of blocks) await this.#checkCertificate(block, basis.validators)
    const proven = await Promise.all(blocks.map((block) => this.#checkSignatures(block)))
    return { proven, next: nextBasis(blocks.at(-1), basis) }
  }

  /** Blocks may have been committed in another way since the segment before was used. */
  #laterThanHead(known: Basis | undefined): Basis | undefined {
    return known && known.height > this.#parts.sink.head.height ? known : undefined
  }

  async #apply(
    proving: Promise<{ readonly proven: readonly Proven[] }>,
    before: InUse | undefined,
  ): Promise<void> {
    await before?.applied
    const { proven } = await proving
    for (const { block, certificate } of proven) {
      await this.#parts.sink.apply(block, certificate)
      this.#parts.onApplied(block)
    }
  }

  async #checkCertificate(
    { header, hash, certificate }: UnprovenBlock,
    validators: ValidatorSet,
  ): Promise<void> {
    const { network, verifier } = this.#parts
    const expected = { network, height: header.height, block: hash, validators }
    const refusal = await refuseCertificate(verifier, certificate, expected)
    if (refusal) throw blockMismatch(header, `its certificate does not prove it: ${refusal}`)
  }

  async #checkSignatures({ certificate, evidence: unchecked, ...block }: UnprovenBlock): Promise<Proven> {
    const { header, transactions } = block
    const signed = await Promise.all(transactions.map((transaction) => this.#isSigned(transaction)))
    const forged = transactions[signed.indexOf(false)]
    if (forged) throw blockMismatch(header, `transaction ${forged.id} has no valid signature`)
    const evidence = await verifyEvidenceList(this.#parts.verifier, unchecked)
    if (typeof evidence === 'string') throw blockMismatch(header, evidence)
    return { block: verified({ ...block, evidence }), certificate: verified(certificate) }
  }

  #isSigned(decoded: DecodedTransaction): Promise<boolean> {
    const { key, signature } = decoded.transaction.signatures[0]!
    return this.#parts.verifier.verify(key, signedTextOf(decoded), signature)
  }
}

/**
 * Puts blocks that come one by one together to segments, and uses these.
 *
 * @param blocks - from the one after the sink's head on
 * @throws TautlineError `ledger-mismatch`, saying at which height what is wrong
 */
export const replayAll = async (blocks: AsyncIterable<UncheckedBlock>, parts: ReplayParts): Promise<void> => {
  const replay = new Replay(parts)
  let next = nextHeight(parts.sink.head.height)
  let underway: Promise<void> = Promise.resolve()
  try {
    for await (const segment of inSegments(blocks)) {
      const before = underway
      underway = replay.use(next, segment)
      underway.catch(() => undefined) // seen when the next one, or the end, has come
      next = asHeight(next + segment.length)
      await before
    }
  } finally {
    await underway // whatever happens, nothing is at work any more afterwards
  }
}

/** A ledger's blocks, as many as are kept. In whatever spelling they lie there: what the replay writes again is compared with that, byte for byte. */
export async function* readAll({
  head,
  kept,
  reader,
}: Pick<Chain, 'head' | 'kept' | 'reader'>): AsyncIterable<UncheckedBlock> {
  for (let at = kept.oldest; at <= head.height; at = asHeight(at + 1)) {
    yield {
      block: parseJson(await reader.blockText(at)),
      certificate: (await reader.certificate(at)) as unknown as Json,
    }
  }
}

async function* inSegments(blocks: AsyncIterable<UncheckedBlock>): AsyncIterable<readonly UncheckedBlock[]> {
  let segment: UncheckedBlock[] = []
  let transactions = 0
  for await (const unchecked of blocks) {
    const { header, count } = glanceAt(unchecked.block)
    segment.push(unchecked)
    transactions += count
    const isFull = transactions >= segmentTransactions || segment.length === maxSegmentBlocks
    if (!isFull && !changesValidators(header)) continue
    yield segment
    segment = []
    transactions = 0
  }
  if (segment.length > 0) yield segment
}

/** Of what may be anything: good for nothing but to choose where a segment ends. */
const glanceAt = (block: Json) => {
  const { header, transactions } = (block ?? {}) as Partial<Block>
  return { header: header ?? {}, count: Array.isArray(transactions) ? transactions.length : 0 }
}

const changesValidators = ({
  validatorsHash,
  nextValidatorsHash,
}: Partial<Pick<Header, 'validatorsHash' | 'nextValidatorsHash'>>): boolean =>
  validatorsHash !== nextValidatorsHash

/** Transactions are read one by one, which also makes their canonical texts. */
const outerBlockSchema = blockSchema.extend({ transactions: z.array(z.unknown()) })

const decodeBlock = (height: Height, { block, certificate }: UncheckedBlock): UnprovenBlock => {
  const mismatch = (what: string): TautlineError => blockMismatch({ height }, what)
  const outer = outerBlockSchema.safeParse(block)
  if (!outer.success) throw mismatch(`it is not of the form of a block (${issueOf(outer.error)})`)
  const proof = certificateSchema.safeParse(certificate)
  if (!proof.success) throw mismatch(`its certificate is not of the form of one (${issueOf(proof.error)})`)
  const { header, evidence, transactions } = outer.data
  if (header.height !== height) throw mismatch(`its header says height ${header.height}`)
  if (header.count !== transactions.length)
    throw mismatch(`it has ${transactions.length} transactions, and its header says ${header.count}`)
  return {
    header,
    hash: hashHeader(header),
    evidence,
    transactions: transactions.map((value) => decodeIn(height, value as Json)),
    certificate: proof.data,
  }
}

const issueOf = ({ issues: [issue] }: z.ZodError): string =>
  [issue!.path.join('.'), issue!.message].filter((part) => part !== '').join(': ')

const decodeIn = (height: Height, value: Json): DecodedTransaction => {
  try {
    return decodeTransaction(value)
  } catch (error) {
    throw error instanceof TautlineError ? blockMismatch({ height }, error.message) : error
  }
}

/** Each block follows the one before, and the same validators vote on all of them. */
const checkLinks = (blocks: readonly UnprovenBlock[], basis: Basis, network: NetworkId): void => {
  let parent = basis.hash
  for (const [at, { header, hash }] of blocks.entries()) {
    if (header.network !== network)
      throw blockMismatch(header, `it is of network ${header.network}, and this is ${network}`)
    if (header.parent !== parent)
      throw blockMismatch(header, `its parent is ${header.parent}, and the block before it is ${parent}`)
    if (header.validatorsHash !== basis.validators.hash)
      throw blockMismatch(header, 'its validators are not those who vote on it')
    if (changesValidators(header) && at < blocks.length - 1)
      throw blockMismatch(header, 'the validators change after it, and its segment goes on')
    parent = hash
  }
}

const nextBasis = (last: UnprovenBlock | undefined, basis: Basis): Basis | undefined => {
  if (!last) return basis
  const { header, hash } = last
  const { height } = header
  return changesValidators(header) ? undefined : { height, hash, validators: basis.validators }
}
