/** A typed client of one node's private lines. All of it is the operator's, so it needs the token. */
import { decodeUtf8 } from '../codec/bytes.ts'
import type { Json } from '../codec/json.ts'
import type { ConnectionView } from '../connections/connections.ts'
import type { ConnectionEvent, InboxMessage, Reveal, Said } from '../node/connections/service.ts'
import type { Hash } from '../units.ts'
import { type ClientOptions, request } from './client.ts'
import { RequestError, refusedBy } from './request-error.ts'

export interface Messages {
  readonly messages: readonly InboxMessage[]
  /** Position to go on from. */
  readonly next: number
}

/** All methods reject with {@link RequestError}. */
export interface ConnectionsClient {
  invite(terms?: {
    label?: string | undefined
    goal?: string | undefined
    seconds?: number | undefined
  }): Promise<{ id: string; url: string; expires: number }>
  accept(url: string, label?: string): Promise<ConnectionView>
  list(): Promise<readonly ConnectionView[]>
  get(id: string): Promise<ConnectionView>
  /** Text, or JSON. */
  say(id: string, what: { text: string } | { json: Json }): Promise<Said>
  /** With its commitment on the ledger. */
  sayPayload(id: string, payload: Uint8Array, mediaType: string): Promise<Said>
  messages(id: string, from?: number): Promise<Messages>
  ping(id: string): Promise<ConnectionView>
  rotate(id: string): Promise<ConnectionView>
  end(id: string, options?: { notify: boolean }): Promise<ConnectionView>
  block(id: string, blocked: boolean): Promise<ConnectionView>
  /** The text to keep. */
  export(passphrase: string): Promise<string>
  import(
    text: string,
    passphrase: string,
  ): Promise<{ imported: readonly string[]; skipped: readonly string[] }>
  reveal(c: Hash): Promise<Reveal>
  /** From after a position on, or from now on; until the signal aborts. */
  events(after: number | undefined, signal: AbortSignal): AsyncIterable<ConnectionEvent>
}

export const createConnectionsClient = (options: ClientOptions): ConnectionsClient => {
  const base = options.url.replace(/\/+$/, '')
  const { token, fetch: fetchWith = fetch } = options
  const shown: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const ask = async <Answer>(method: string, path: string, init: RequestInit = {}): Promise<Answer> =>
    JSON.parse(await askText(method, path, init)) as Answer
  const askText = (method: string, path: string, init: RequestInit = {}): Promise<string> =>
    request({ ...options, url: base }, `${base}/v1${path}`, {
      method,
      ...init,
      headers: { ...shown, ...(init.headers as Record<string, string>) },
    })
  const body = (value: unknown): RequestInit => ({
    body: JSON.stringify(value),
    headers: { 'content-type': 'application/json' },
  })
  return {
    invite: (terms = {}) => ask('POST', '/connections/invitations', body(terms)),
    accept: (url, label) => ask('POST', '/connections', body({ url, ...(label !== undefined && { label }) })),
    list: async () =>
      (await ask<{ connections: readonly ConnectionView[] }>('GET', '/connections')).connections,
    get: (id) => ask('GET', `/connections/${id}`),
    say: (id, what) =>
      ask(
        'POST',
        `/connections/${id}/messages`,
        'json' in what
          ? body(what.json)
          : { body: what.text, headers: { 'content-type': 'text/plain; charset=utf-8' } },
      ),
    sayPayload: (id, payload, mediaType) =>
      ask('POST', `/connections/${id}/messages?commit=true`, {
        body: new Uint8Array(payload),
        headers: { 'content-type': mediaType },
      }),
    messages: (id, from = 1) => ask('GET', `/connections/${id}/messages?from=${from}`),
    ping: (id) => ask('POST', `/connections/${id}/ping`),
    rotate: (id) => ask('POST', `/connections/${id}/rotate`),
    end: (id, { notify } = { notify: true }) => ask('DELETE', `/connections/${id}?notify=${notify}`),
    block: (id, blocked) => ask(blocked ? 'PUT' : 'DELETE', `/connections/${id}/block`),
    export: (passphrase) => askText('POST', '/connections/export', body({ passphrase })),
    import: (text, passphrase) =>
      ask('POST', '/connections/import', body({ passphrase, export: JSON.parse(text) })),
    reveal: (c) => ask('POST', `/commitments/${c}/reveal`),
    events: async function* (after, signal) {
      const from = after === undefined ? '' : `?from=${after}`
      const answer = await fetchWith(`${base}/v1/connections/events${from}`, { headers: shown, signal })
      if (!answer.ok || !answer.body) throw refusedBy(base, answer, await answer.text())
      yield* readEvents(answer.body)
    },
  }
}

/** A frame of Server-Sent Events is as long as one event of a node, and those are short. */
const maxFrameChars = 64 * 1024

async function* readEvents(stream: ReadableStream<Uint8Array>): AsyncGenerator<ConnectionEvent> {
  let text = ''
  for await (const chunk of readChunks(stream)) {
    text += decodeUtf8(chunk)
    for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
      const event = readFrame(text.slice(0, end))
      text = text.slice(end + 2)
      if (event) yield event
    }
    if (text.length > maxFrameChars)
      throw new RequestError('not-a-node', 'what comes in is no stream of a node: check the URL')
  }
}

async function* readChunks(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader()
  try {
    for (let part = await reader.read(); part.value; part = await reader.read()) yield part.value
  } finally {
    reader.cancel().catch(() => undefined)
  }
}

const readFrame = (frame: string): ConnectionEvent | undefined => {
  const fields = new Map(
    frame.split('\n').map((line) => {
      const at = line.indexOf(': ')
      return [line.slice(0, at), line.slice(at + 2)] as const
    }),
  )
  const [id, type, data] = [fields.get('id'), fields.get('event'), fields.get('data')]
  if (id === undefined || type === undefined || data === undefined) return undefined
  return { position: Number(id), type, ...JSON.parse(data) } as ConnectionEvent
}
