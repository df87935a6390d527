/**
 * A ledger in Redis, through `@redis/client`: Redis' own client, with no dependencies, on `node:net` alone and so
 * on Node, Deno and Bun. (`ioredis`, under unstorage's driver, brings seven packages, and unstorage's has neither
 * batches nor raw bytes.) Loaded only when such a store is opened.
 *
 * Each object is a string under `{<ledger>}:<key>`; the braces keep a ledger in one slot of a cluster. All that a
 * commit does is one script, which Redis runs whole or not at all, in memory and in its append-only file. The
 * script compares the lease's token and the head first, so a write that arrives late, or from a writer that
 * was replaced, changes nothing. A ledger in Redis lies in its memory as a whole.
 *
 * What it promises is what the server says of itself when it is opened: with `appendfsync always` it answers
 * after its file is synced; with `everysec`, a power failure takes the last second or two; without an append-only
 * file, so does the server's own end. A replica that takes over after a failure may lack what was answered last,
 * whatever the server syncs.
 *
 * @see https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/
 */
import { decodeUtf8, encodeUtf8 } from '../codec/bytes.ts'
import { TautlineError } from '../errors.ts'
import type { Durability, ObjectKey, Writer } from '../ports/object-store.ts'
import { within } from './deadline.ts'
import type { ObjectDriver, OpenedDriver } from './driver.ts'
import {
  acquireLease,
  headMoved,
  type Lease,
  type LeaseHolder,
  type LeaseServer,
  leaseLost,
  leaseMs,
  readOnly,
} from './lease.ts'
import type { ServerAddress } from './server-address.ts'
import { serverFailure } from './storage-failure.ts'

type Client = ReturnType<typeof import('@redis/client').createClient>
type Argument = string | Buffer

/** Keys of one MGET: 1,000 pages of 4 KB are as much as a reader should hold at once. */
const keysAtOnce = 1_000
const longestPauseMs = 2_000

/** KEYS: lease, puts, removals, expected. ARGV: token, their three counts, values, then before and after of each expected. */
const writeScript = `
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 'lease' end
local puts, removes, expected = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
for at = 1, expected do
  local found = redis.call('GET', KEYS[1 + puts + removes + at]) or ''
  if found ~= ARGV[4 + puts + 2 * at - 1] and found ~= ARGV[4 + puts + 2 * at] then return 'head' end
end
for at = 1, puts do redis.call('SET', KEYS[1 + at], ARGV[4 + at]) end
for at = 1, removes do redis.call('DEL', KEYS[1 + puts + at]) end
if expected > 0 then redis.call('PUBLISH', KEYS[1], '') end
return 'ok'`

/** What the server's clock says now, in milliseconds. */
const nowLine = `local time = redis.call('TIME'); local now = time[1] * 1000 + math.floor(time[2] / 1000)`

/** KEYS: lease. ARGV: token, writer, duration. */
const takeScript = `${nowLine}
local held = redis.call('HMGET', KEYS[1], 'until', 'writer')
if held[1] and tonumber(held[1]) > now then return {held[1], string.format('%d', tonumber(held[1]) - now), held[2]} end
redis.call('HSET', KEYS[1], 'token', ARGV[1], 'writer', ARGV[2], 'until', string.format('%d', now + ARGV[3]))
return {}`

const renewScript = `${nowLine}
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'writer', ARGV[2], 'until', string.format('%d', now + ARGV[3]))
return 1`

const releaseScript = `
if redis.call('HGET', KEYS[1], 'token') == ARGV[1] then redis.call('HSET', KEYS[1], 'until', '0') end`

/**
 * @param holder - of the lease; absent for reading only
 * @throws TautlineError `bad-configuration`, `folder-in-use` or `storage-unavailable`
 */
export const openRedisDriver = async (
  address: ServerAddress,
  holder: LeaseHolder | undefined,
): Promise<OpenedDriver> => {
  const server = await connect(address)
  try {
    const durability = await promiseOf(server)
    const lease = holder && (await acquireLease(leaseServer(server), address.place, holder))
    return { driver: driverOf(server, lease), durability }
  } catch (cause) {
    await server.close()
    throw cause
  }
}

/** A server that is there, or will be again. */
interface Server {
  readonly address: ServerAddress
  /** Prefix of the ledger's keys. */
  readonly prefix: string
  readonly leaseKey: string
  ask<Reply>(action: 'read' | 'write', command: readonly Argument[]): Promise<Reply>
  run<Reply>(
    action: 'read' | 'write',
    script: string,
    keys: readonly string[],
    values: readonly Argument[],
  ): Promise<Reply>
  /** A further connection, which listens and does nothing else. */
  listen(channel: string, onMessage: () => void): Promise<void>
  close(): Promise<void>
}

const connect = async (address: ServerAddress): Promise<Server> => {
  const redis = await loadClient()
  const typeMapping = { [redis.RESP_TYPES.BLOB_STRING]: Buffer }
  let trouble: unknown
  let isOpened = false
  const clients = new Set<Client>()
  const create = (): Client => {
    const client = redis.createClient({
      url: address.url,
      RESP: 2,
      name: 'tautline',
      disableClientInfo: true,
      disableOfflineQueue: true,
      maintNotifications: 'disabled',
      socket: {
        reconnectStrategy: (retries, cause) =>
          isOpened ? Math.min(50 * 2 ** retries, longestPauseMs) : cause,
      },
    }) as unknown as Client
    clients.add(client)
    return client.on('error', (cause: unknown) => {
      trouble = cause
    })
  }
  let client = create()
  const failed = (action: 'open' | 'read' | 'write', cause: unknown): TautlineError =>
    cause instanceof TautlineError
      ? cause
      : serverFailure(
          address.place,
          action,
          cause instanceof redis.ClientOfflineError ? (trouble ?? cause) : cause,
        )
  const letGo = (hung: Client): void => {
    hung.destroy()
    clients.delete(hung)
    if (hung !== client || !isOpened) return
    client = create()
    client.connect().catch(() => undefined) // has told its error
  }
  const ask = async <Reply>(
    action: 'open' | 'read' | 'write',
    command: readonly Argument[],
  ): Promise<Reply> => {
    const asked = client
    try {
      return await within(asked.sendCommand<Reply>(command, { typeMapping }), () => letGo(asked))
    } catch (cause) {
      throw failed(action, cause)
    }
  }
  const listen = async (channel: string, onMessage: () => void): Promise<void> => {
    const listener = create()
    // Also after it was away, since it may have missed something.
    listener.on('ready', onMessage)
    await listener.connect()
    await listener.subscribe(channel, onMessage)
  }
  await within(client.connect(), () => client.destroy()).catch((cause: unknown) => {
    throw failed('open', cause)
  })
  isOpened = true
  return {
    address,
    prefix: `{${address.ledger}}:`,
    leaseKey: `{${address.ledger}}#writer`,
    ask,
    run: (action, script, keys, values) =>
      ask(action, ['EVAL', script, String(keys.length), ...keys, ...values]),
    listen: (channel, onMessage) =>
      listen(channel, onMessage).catch((cause: unknown) => {
        throw failed('read', cause)
      }),
    close: async () => {
      isOpened = false
      for (const open of clients) open.destroy()
    },
  }
}

const loadClient = async () => {
  try {
    return await import('@redis/client')
  } catch (cause) {
    throw new TautlineError(
      'bad-configuration',
      '--storage redis: needs the package @redis/client, which is not installed: npm install @redis/client',
      {},
      cause,
    )
  }
}

const promiseOf = async (server: Server): Promise<Durability> => {
  const settings = await readSettings(server)
  if (settings === undefined) return 'none' // it doesn't say
  if (settings.maxmemory !== '0' && settings['maxmemory-policy']?.startsWith('allkeys')) {
    throw new TautlineError(
      'bad-configuration',
      `the Redis server at ${server.address.place} throws keys away when its memory is full (maxmemory-policy ${settings['maxmemory-policy']}): ` +
        'expected noeviction for a ledger',
    )
  }
  if (settings.appendonly !== 'yes') return 'none'
  const syncsFirst = settings.appendfsync === 'always' && settings['no-appendfsync-on-rewrite'] === 'no'
  return syncsFirst ? 'power-loss' : 'process-crash'
}

/** @returns undefined from a server that keeps its configuration to itself */
const readSettings = async (server: Server): Promise<Readonly<Record<string, string>> | undefined> => {
  const names = ['appendonly', 'appendfsync', 'no-appendfsync-on-rewrite', 'maxmemory', 'maxmemory-policy']
  try {
    const reply = await server.ask<readonly Buffer[]>('read', ['CONFIG', 'GET', ...names])
    const texts = reply.map((part) => part.toString())
    return Object.fromEntries(texts.flatMap((text, at) => (at % 2 === 0 ? [[text, texts[at + 1]!]] : [])))
  } catch (error) {
    if (isRefusal(error)) return undefined
    throw error
  }
}

/** Not allowed for this user, or not offered at all. */
const isRefusal = (error: unknown): boolean =>
  error instanceof Error && error.cause instanceof Error && /^(NOPERM|ERR unknown)/.test(error.cause.message)

const leaseServer = (server: Server): LeaseServer => {
  const { leaseKey } = server
  const words = (token: string, writer: Writer): string[] => [token, JSON.stringify(writer), String(leaseMs)]
  return {
    take: async (token, writer) => {
      const held = await server.run<readonly Buffer[]>('write', takeScript, [leaseKey], words(token, writer))
      if (held.length === 0) return undefined
      const [until, left, name] = held.map((part) => part.toString())
      return { untilMs: Number(until), leftMs: Number(left), writer: JSON.parse(name!) as Writer }
    },
    renew: async (token, writer) =>
      (await server.run<number>('write', renewScript, [leaseKey], words(token, writer))) === 1,
    release: async (token) => {
      await server.run('write', releaseScript, [leaseKey], [token])
    },
  }
}

const driverOf = (server: Server, lease: Lease | undefined): ObjectDriver => {
  const { prefix, leaseKey, address } = server
  const write: NonNullable<ObjectDriver['writeBatch']> = async (puts, removes, expected = []) => {
    if (lease === undefined) throw readOnly(address.place)
    const after = new Map(puts)
    const keys = [...puts.map(([key]) => key), ...removes, ...expected.map(([key]) => key)]
    const counts = [puts.length, removes.length, expected.length].map(String)
    const heads = expected.flatMap(([key, before]) => [asBuffer(before), asBuffer(after.get(key) ?? before)])
    const reply = await server.run<Buffer>(
      'write',
      writeScript,
      [leaseKey, ...keys.map((key) => prefix + key)],
      [lease.token, ...counts, ...puts.map(([, value]) => asBuffer(value)), ...heads],
    )
    const verdict = reply.toString()
    if (verdict === 'head') throw headMoved(address.place)
    if (verdict !== 'ok') throw leaseLost(address.place)
  }
  const readMany = async (keys: readonly ObjectKey[]): Promise<readonly (Uint8Array | undefined)[]> => {
    const values: (Uint8Array | undefined)[] = []
    for (let at = 0; at < keys.length; at += keysAtOnce) {
      const some = keys.slice(at, at + keysAtOnce).map((key) => prefix + key)
      const found = await server.ask<readonly (Buffer | null)[]>('read', ['MGET', ...some])
      for (const value of found) values.push(value === null ? undefined : new Uint8Array(value))
    }
    return values
  }
  const readOne = async (key: ObjectKey): Promise<Uint8Array | undefined> => (await readMany([key]))[0]
  return {
    name: 'redis',
    hasItem: async (key) => (await readOne(key)) !== undefined,
    getItem: async (key) => {
      const value = await readOne(key)
      return value === undefined ? null : decodeUtf8(value)
    },
    getItemRaw: async (key) => (await readOne(key)) ?? null,
    setItem: (key, value) => write([[key, encodeUtf8(value)]], [], []),
    setItemRaw: (key, value: Uint8Array) => write([[key, value]], [], []),
    removeItem: (key) => write([], [key], []),
    getKeys: (base) => scan(server, base),
    dispose: async () => {
      await lease?.release()
      await server.close()
    },
    readMany,
    writeBatch: write,
    listen: (onCommit) => server.listen(leaseKey, onCommit),
    writer: async () => {
      const [until, text] = await server.ask<readonly (Buffer | null)[]>('read', [
        'HMGET',
        leaseKey,
        'until',
        'writer',
      ])
      return text && String(until) !== '0' ? (JSON.parse(text.toString()) as Writer) : undefined
    },
  }
}

const scan = async (server: Server, base: string): Promise<string[]> => {
  const found: string[] = []
  let cursor = '0'
  do {
    const pattern = `${server.prefix}${base}*`
    const [next, keys] = await server.ask<readonly [Buffer, readonly Buffer[]]>('read', [
      'SCAN',
      cursor,
      'MATCH',
      pattern,
      'COUNT',
      String(keysAtOnce),
    ])
    for (const key of keys) found.push(key.toString().slice(server.prefix.length))
    cursor = next.toString()
  } while (cursor !== '0')
  return [...new Set(found)] // SCAN may give one twice
}

/** A view, not a copy. */
const asBuffer = (bytes: Uint8Array | undefined): Buffer =>
  bytes === undefined ? Buffer.alloc(0) : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
