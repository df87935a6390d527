/**
 * A typed client of one node, over `fetch`: the public doors, and with the operator's token the wallet.
 *
 * Answers are believed in their form only as far as their members are there; who doesn't trust the node asks
 * for proofs and checks them (`verify-proof.ts`), or replays the blocks. Runs wherever there is `fetch`.
 */
import { decodeUtf8 } from '../codec/bytes.ts'
import type {
  AccountView,
  CommittedBlock,
  ConsensusStatus,
  HistoryPage,
  PeersView,
  Segment,
  Status,
  Submission,
  TransactionView,
  ValidatorsView,
} from '../node/service.ts'
import type { Genesis } from '../objects/genesis.ts'
import type { HeaderView } from '../objects/light-block.ts'
import type { Operation } from '../objects/operation.ts'
import type { Transaction } from '../objects/transaction.ts'
import type { Address, BlockHash, Height, TransactionId } from '../units.ts'
import { height } from '../units.ts'
import {
  isProblem,
  type Problem,
  problemError,
  RequestError,
  refusedBy,
  unreachable,
} from './request-error.ts'

/** Longer than a node waits for a transaction to become final. */
export const defaultTimeoutMs = 60_000

/** Most bytes of an answer that are read: more than the longest proof. */
export const defaultAnswerBytes = 64 * 1024 * 1024

export interface ClientOptions {
  /** The node's URL; a path is kept, so a node may stand behind a prefix. */
  readonly url: string
  /** The operator's, for the wallet, or the one that opens the reads of a private network. Submissions show none. */
  readonly token?: string
  readonly fetch?: typeof fetch
  readonly timeoutMs?: number
  readonly maxAnswerBytes?: number
}

export interface WaitOption {
  /** Answer only once the transaction is final, or after 30 s. */
  readonly wait?: boolean
}

/** All methods reject with {@link RequestError}. */
export interface Client {
  readonly url: string
  status(): Promise<Status>
  genesis(): Promise<Genesis>
  block(at: Height | BlockHash | 'latest'): Promise<CommittedBlock>
  /** @param options - whether to add what leads there from the network id */
  header(at: Height | 'latest', options?: { proof: boolean }): Promise<HeaderView>
  /** Consecutive blocks from this height on, as many as the node gives at once. */
  segment(from: Height, limit?: number): Promise<Segment>
  /** All segments up to this height, one after the other; the last one may reach beyond it. */
  segments(upTo: Height): AsyncIterable<Segment>
  transaction(id: TransactionId): Promise<TransactionView>
  /** The exact text that `verifyProof` takes. */
  transactionProof(id: TransactionId): Promise<string>
  account(address: Address): Promise<AccountView>
  /** The exact text that `verifyProof` takes. */
  accountProof(address: Address): Promise<string>
  history(address: Address, page?: { cursor?: string; limit?: number }): Promise<HistoryPage>
  validators(at?: Height): Promise<ValidatorsView>
  consensus(): Promise<ConsensusStatus>
  peers(): Promise<PeersView>
  submit(transaction: Transaction | string, options?: WaitOption): Promise<Submission>
  /** Submits many in one request; one answer for each, in order: a refused one spoils no other. */
  submitNdjson(transactions: readonly (Transaction | string)[]): Promise<readonly (Submission | Problem)[]>
  /** The node fills in the rest, signs with its own key and submits. Needs the token. */
  spend(
    request: { operations: readonly Operation[]; memo?: string },
    options?: WaitOption,
  ): Promise<Submission>
}

export const createClient = (options: ClientOptions): Client => {
  const base = options.url.replace(/\/+$/, '')
  const { token } = options
  const shown = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const ask = (path: string, init: RequestInit = { headers: shown }): Promise<string> =>
    request({ ...options, url: base }, `${base}/v1${path}`, init)
  const get = async <Answer extends object>(
    path: string,
    ...members: readonly (keyof Answer & string)[]
  ): Promise<Answer> => expectMembers<Answer>(base, await ask(path), members)
  const post = (path: string, body: string, headers: Record<string, string>): Promise<string> =>
    ask(path, { method: 'POST', body, headers })

  const segment: Client['segment'] = (from, limit) => get(`/blocks${query({ from, limit })}`, 'blocks')
  return {
    url: base,
    status: () => get('/status', 'network', 'head', 'node', 'mempool'),
    genesis: () => get('/genesis', 'parameters', 'validators'),
    block: (at) => get(`/blocks/${at}`, 'hash', 'block', 'certificate'),
    header: (at, { proof } = { proof: false }) => get(`/headers/${at}${proof ? '?proof=true' : ''}`),
    segment,
    segments: (upTo) => walkSegments(segment, upTo),
    transaction: (id) => get(`/transactions/${id}`, 'id', 'status'),
    transactionProof: (id) => ask(`/transactions/${id}?proof=true`),
    account: (address) => get(`/accounts/${address}`, 'balance', 'nonce', 'stake'),
    accountProof: (address) => ask(`/accounts/${address}?proof=true`),
    history: (address, page = {}) =>
      get(`/accounts/${address}/transactions${query({ ...page })}`, 'transactions'),
    validators: (at) => get(`/validators${query({ height: at })}`, 'validators'),
    consensus: () => get('/consensus', 'height', 'round', 'step', 'prevotes', 'precommits'),
    peers: () => get('/peers', 'peers', 'dialled', 'bans'),
    submit: async (transaction, { wait } = {}) =>
      expectMembers(
        base,
        await post(`/transactions${waitQuery(wait)}`, textOf(transaction), json),
        submissionMembers,
      ),
    submitNdjson: async (transactions) => {
      const body = transactions.map(textOf).join('\n')
      return readLines(
        base,
        await post('/transactions', body, { 'content-type': 'application/x-ndjson' }),
        transactions.length,
      )
    },
    spend: async (request, { wait } = {}) => {
      const answer = await post(`/wallet/transactions${waitQuery(wait)}`, JSON.stringify(request), {
        ...json,
        ...shown,
      })
      return expectMembers(base, answer, submissionMembers)
    },
  }
}

const json = { 'content-type': 'application/json' }
const submissionMembers = ['id', 'status'] as const
const waitQuery = (wait: boolean | undefined): string => query({ wait: wait ? 'committed' : undefined })

const query = (parameters: Readonly<Record<string, string | number | undefined>>): string => {
  const given = Object.entries(parameters).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)]],
  )
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`
}

// Text is sent as it is: whoever signed in another language gets the node's own verdict about it. Only its line
// breaks go, since a line is a transaction in NDJSON, and between JSON's tokens they mean nothing.
const textOf = (transaction: Transaction | string): string =>
  typeof transaction === 'string' ? transaction.replace(/[\r\n]+/g, ' ').trim() : JSON.stringify(transaction)

async function* walkSegments(segment: Client['segment'], upTo: Height): AsyncIterable<Segment> {
  let from = 1
  while (from <= upTo) {
    const next = await segment(height(from))
    if (next.blocks.length === 0) return
    yield next
    from += next.blocks.length
  }
}

/** The text of a good answer. */
export const request = async (
  {
    url,
    fetch: fetchWith = fetch,
    timeoutMs = defaultTimeoutMs,
    maxAnswerBytes = defaultAnswerBytes,
  }: ClientOptions,
  target: string,
  init: RequestInit = {},
): Promise<string> => {
  const late = lateAfter(timeoutMs)
  try {
    // workerd knows no 'error'. A browser shows nothing of a redirect but that it is one.
    const response = await fetchWith(target, { ...init, redirect: 'manual', signal: late.signal })
    if (response.type === 'opaqueredirect' || isRedirect(response.status)) throw redirected(url)
    const text = decodeUtf8(await readBounded(url, response, maxAnswerBytes))
    if (response.ok) return text
    throw refusedBy(url, response, text)
  } catch (cause) {
    throw cause instanceof RequestError ? cause : unreachable(url, timeoutMs, cause)
  } finally {
    late.forget()
  }
}

const isRedirect = (status: number): boolean => status >= 300 && status < 400

const redirected = (url: string): RequestError =>
  new RequestError(
    'not-a-node',
    `${url} answers with a redirect, which is not followed: give the URL that it leads to`,
  )

const readBounded = async (url: string, { body }: Response, maxBytes: number): Promise<Uint8Array> => {
  const chunks: Uint8Array<ArrayBuffer>[] = []
  const reader = body?.getReader()
  let bytes = 0
  for (let part = await reader?.read(); part?.value; part = await reader!.read()) {
    bytes += part.value.length
    if (bytes > maxBytes) {
      reader!.cancel().catch(() => undefined) // whoever sends on finds the connection closed
      throw new RequestError(
        'not-a-node',
        `${url} gave more than ${maxBytes} bytes, more than any answer of a node`,
      )
    }
    chunks.push(part.value)
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer())
}

/**
 * `AbortSignal.timeout` with a timer that keeps the process alive: Node 20's `fetch` forgets a request whose
 * connection is closed at once, and a process with nothing else to wait for would end without a word.
 */
const lateAfter = (ms: number): { signal: AbortSignal; forget: () => void } => {
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(new DOMException('too late', 'TimeoutError')), ms)
  return { signal: controller.signal, forget: () => clearTimeout(timer) }
}

const expectMembers = <Answer extends object>(
  url: string,
  text: string,
  members: readonly string[],
): Answer => {
  const value = parse(text)
  if (typeof value === 'object' && value !== null && members.every((member) => member in value))
    return value as Answer
  throw new RequestError('not-a-node', `${url} gave no answer of a Tautline node: check the URL`)
}

const readLines = (url: string, text: string, expected: number): readonly (Submission | Problem)[] => {
  const answers = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => readLine(url, line))
  if (answers.length === expected) return answers
  const last = answers.at(-1)
  if (last && isProblem(last)) throw problemError(last) // the stream itself broke a limit: its last line says which
  throw new RequestError(
    'not-a-node',
    `${url} gave ${answers.length} answer lines for ${expected} transactions: submit the rest again`,
  )
}

const readLine = (url: string, line: string): Submission | Problem => {
  const value = parse(line)
  return isProblem(value) ? value : expectMembers<Submission>(url, line, submissionMembers)
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
