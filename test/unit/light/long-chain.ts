/**
 * A long chain of headers in memory, truly hashed and signed, and nodes that give it out: honest ones and liars. Its
 * certificates are signed when somebody asks for them.
 */
import { checkHeader } from '../../../src/client/check-header.ts'
import { createLightClient, type LightOptions } from '../../../src/client/light-client.ts'
import { merkleRoot } from '../../../src/crypto/merkle.ts'
import type { Answer, Steps } from '../../../src/light/light.ts'
import { evidenceRoot, type Header, hashHeader } from '../../../src/objects/block.ts'
import { type GenesisAnchor, networkIdOf } from '../../../src/objects/genesis.ts'
import { formatJoinString } from '../../../src/objects/join-string.ts'
import type { HeaderView, LightBlock } from '../../../src/objects/light-block.ts'
import { defaultParameters } from '../../../src/objects/parameters.ts'
import type { Hop } from '../../../src/objects/proof.ts'
import { hashValidators, type ValidatorList } from '../../../src/objects/validators.ts'
import { type Certificate, certificateSigningText } from '../../../src/objects/vote.ts'
import type { Signer } from '../../../src/ports/keys.ts'
import { createNodeSigner, createNodeVerifier } from '../../../src/runtime/node/keys.ts'
import {
  type Address,
  type Amount,
  height as asHeight,
  round as asRound,
  type BlockHash,
  type Hash,
  type NetworkId,
  type Signature,
  unixMs,
} from '../../../src/units.ts'

const silentLog = { debug() {}, info() {}, warn() {}, error() {} }
const verifier = await createNodeVerifier(silentLog)

/** Many. */
export const keys: readonly Signer[] = Array.from({ length: 1_200 }, (_, at) =>
  createNodeSigner(new Uint8Array(32).fill(at & 0xff).fill(at >> 8, 16)),
)
const signerOf = new Map(keys.map((key) => [key.address, key]))

/** Of validators with a stake of 1 each, by the numbers of their keys. */
export const setOf = (...numbers: readonly number[]): ValidatorList =>
  numbers
    .map((at) => ({ address: keys[at]!.address, stake: '1' as Amount }))
    .sort((one, other) => (one.address < other.address ? -1 : 1))

export const startMs = 1_790_000_000_000
export const dayMs = 86_400_000
export const trustingMs = defaultParameters.trustingPeriodMs

export const anchorOf = (validators: ValidatorList, name = 'long'): GenesisAnchor => ({
  name,
  time: unixMs(startMs),
  parameters: defaultParameters,
  stateRoot: 'ab'.repeat(32) as Hash,
  validators: [...validators],
})

export interface ChainParts {
  readonly genesis: GenesisAnchor
  readonly length: number
  /** By height: who votes from the next block on. */
  readonly changes?: Readonly<Record<number, ValidatorList>>
  /** By height: who signs, of those who vote; all, if nothing is said. */
  readonly signers?: (height: number, validators: ValidatorList) => ValidatorList
  readonly round?: number
  readonly blockMs?: number
  /** Blocks up to a height are those of another chain. */
  readonly after?: { readonly chain: LongChain; readonly height: number }
  /** Makes headers others than those of other chains. */
  readonly stateRoot?: Hash
}

export class LongChain {
  readonly genesis: GenesisAnchor
  readonly network: NetworkId
  readonly #headers: Header[] = []
  readonly #sets: ValidatorList[] = []
  readonly #parts: ChainParts
  readonly #certificates = new Map<number, Certificate>()

  constructor(parts: ChainParts) {
    const {
      genesis,
      length,
      changes = {},
      blockMs = 60_000,
      after,
      stateRoot = 'cd'.repeat(32) as Hash,
    } = parts
    this.#parts = parts
    this.genesis = genesis
    this.network = networkIdOf(genesis)
    let parent: BlockHash = this.network
    let set: ValidatorList = genesis.validators
    let setHash = hashValidators(set)
    const [nothing, none] = [merkleRoot([]), evidenceRoot([])]
    for (let at = 1; at <= length; at++) {
      const isShared = after !== undefined && at <= after.height
      const next = isShared ? after.chain.setAt(at + 1) : (changes[at] ?? set)
      const nextHash = next === set ? setHash : hashValidators(next)
      const header: Header = isShared
        ? after.chain.headerAt(at)
        : {
            network: this.network,
            height: asHeight(at),
            time: unixMs(startMs + at * blockMs),
            parent,
            proposer: set[0]!.address,
            evidenceRoot: none,
            transactionsRoot: nothing,
            stateRoot,
            validatorsHash: setHash,
            nextValidatorsHash: nextHash,
            count: 0,
          }
      this.#headers.push(header)
      this.#sets.push(set)
      parent = hashHeader(header)
      ;[set, setHash] = [next, nextHash]
    }
    this.#sets.push(set)
  }

  get length(): number {
    return this.#headers.length
  }

  get endMs(): number {
    return this.#headers.at(-1)!.time
  }

  headerAt(at: number): Header {
    return this.#headers[at - 1]!
  }

  /** Who votes on a block. */
  setAt(at: number): ValidatorList {
    return this.#sets[at - 1]!
  }

  certificateAt(at: number): Certificate {
    const { after, signers = (_, all) => all, round = 0 } = this.#parts
    if (after && at <= after.height) return after.chain.certificateAt(at)
    const known = this.#certificates.get(at)
    if (known) return known
    const made = certify(this.headerAt(at), signers(at, this.setAt(at)), round)
    this.#certificates.set(at, made)
    return made
  }

  lightBlockAt(at: number): LightBlock {
    const header = this.headerAt(at)
    return {
      header,
      certificate: this.certificateAt(at),
      validators: [...this.setAt(at)],
      ...(header.nextValidatorsHash !== header.validatorsHash && { nextValidators: [...this.setAt(at + 1)] }),
    }
  }

  hopsBelow(height: number): Hop[] {
    return this.#headers
      .filter((header) => header.height < height && header.validatorsHash !== header.nextValidatorsHash)
      .map((header) => ({
        header,
        certificate: this.certificateAt(header.height),
        validators: [...this.setAt(header.height + 1)],
      }))
  }

  view(at: number, { proof = false } = {}): HeaderView {
    if (at === 0) return { genesis: this.genesis }
    const block = this.lightBlockAt(at)
    return proof ? { ...block, origin: { genesis: this.genesis, hops: this.hopsBelow(at) } } : block
  }
}

/** By the given validators, who may be others than those who should. */
export const certify = (
  header: Header,
  signers: readonly { readonly address: Address }[],
  round = 0,
): Certificate => {
  const place = { height: header.height, round: asRound(round), block: hashHeader(header) }
  const text = certificateSigningText(header.network, { ...place, precommits: [] })
  const precommits = signers.map(({ address }) => ({
    validator: address,
    signature: signerOf.get(address)!.sign(text) as Signature,
  }))
  return { ...place, precommits }
}

/** Runs the machine itself, answered by one node. @returns its outcome, and how many requests it took */
export const drive = async <Result>(
  steps: Steps<Result>,
  node: Headers,
  network: NetworkId,
): Promise<{ readonly outcome: Result; readonly requests: number }> => {
  let requests = 0
  let step = steps.next()
  for (; !step.done; requests++) {
    const { at, origin } = step.value
    const view = node(at, { proof: origin })
    const answer: Answer =
      view instanceof Problem ? { kind: 'absent' } : await checkHeader(verifier, network, view)
    step = steps.next(answer)
  }
  return { outcome: step.value, requests }
}

/** What a node answers to `GET /v1/headers/{at}`, or the problem that it has with it. */
export type Headers = (at: number | 'latest', options: { proof: boolean }) => unknown

export class Problem {
  readonly status: number
  readonly body: object

  constructor(status: number, code: string, members: object = {}) {
    this.status = status
    this.body = { type: `/problems/${code}`, title: code, status, detail: `it said ${code}`, ...members }
  }
}

/** An honest node. @param length - as far as it has heard */
export const honest =
  (chain: LongChain, length = chain.length): Headers =>
  (at, options) => {
    const height = at === 'latest' ? length : at
    return height <= length ? chain.view(height, options) : new Problem(404, 'not-found')
  }

/** Keeps only the newest blocks, and headers after which the validators change. */
export const pruning =
  (chain: LongChain, oldest: number): Headers =>
  (at, options) => {
    const isKept = (height: number) => {
      const { validatorsHash, nextValidatorsHash } = chain.headerAt(height)
      return height >= oldest || validatorsHash !== nextValidatorsHash
    }
    if (at === 'latest' || at === 0 || isKept(at)) return honest(chain)(at, options)
    let next = at
    while (!isKept(next)) next++
    return new Problem(410, 'pruned', { next, oldest })
  }

/** Nodes by their URLs, as `fetch` reaches them. */
export const fetchFrom =
  (nodes: Readonly<Record<string, Headers>>, asked: string[] = []): typeof fetch =>
  async (input) => {
    const { origin, pathname, searchParams } = new URL(String(input))
    const place = pathname.replace('/v1/headers/', '')
    asked.push(`${origin} ${place}${searchParams.has('proof') ? ' with its origin' : ''}`)
    const node = nodes[origin]
    if (!node) throw new TypeError('connection refused')
    const answer = node(place === 'latest' ? place : Number(place), { proof: searchParams.has('proof') })
    if (answer instanceof Problem) return Response.json(answer.body, { status: answer.status })
    return Response.json(answer)
  }

export const followedUrl = 'http://followed.example'
export const witnessUrl = 'http://witness.example'

/** A light client of nodes in memory, and what it asked them. */
export const lightOn = (
  nodes: Readonly<Record<string, Headers>>,
  network: NetworkId,
  options: Partial<LightOptions> & { readonly pin?: { height: number; hash: BlockHash } } = {},
) => {
  const asked: string[] = []
  const { pin, ...rest } = options
  const trust = { url: followedUrl, network, ...(pin && { pin: { ...pin, height: asHeight(pin.height) } }) }
  const join = formatJoinString(trust)
  return { asked, light: createLightClient({ join, fetch: fetchFrom(nodes, asked), verifier, ...rest }) }
}
