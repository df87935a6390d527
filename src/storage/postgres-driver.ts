/**
 * A ledger in PostgreSQL, through `postgres`: no dependencies, written for Node, Deno, Bun and workers alike. (`pg`
 * brings a dozen packages.) Loaded only when such a store is opened.
 *
 * A ledger is a schema with two tables, `objects` and `writer`. All that a commit does is one statement, a call of
 * a function, and so one transaction and one journey. The function locks the lease's row and compares its token
 * and the head first, so a write that arrives late, or from a writer that was replaced, changes nothing.
 *
 * What it promises is what the server says of itself when it is opened. This connection asks for
 * `synchronous_commit` itself, so the default of a database doesn't matter; with `fsync` or `full_page_writes` off
 * a power failure may take everything.
 *
 * @see https://www.postgresql.org/docs/current/runtime-config-wal.html
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

type Sql = import('postgres').Sql
type Parameter = string | number | Uint8Array

const connections = 4
const connectS = 5
const longestPauseS = 2

/**
 * Keys have no spaces, so lists of them travel as one text; the bytes of all objects travel as one value, and
 * their lengths beside it.
 */
const tables = (schema: string): string => `
CREATE SCHEMA IF NOT EXISTS ${schema};
CREATE TABLE IF NOT EXISTS ${schema}.objects (key text COLLATE "C" PRIMARY KEY, value bytea NOT NULL);
CREATE TABLE IF NOT EXISTS ${schema}.writer (
  sole boolean PRIMARY KEY DEFAULT true CHECK (sole),
  token text NOT NULL,
  writer text NOT NULL,
  until timestamptz NOT NULL
);
CREATE OR REPLACE FUNCTION ${schema}.write(
  my_token text, put_keys text, put_sizes text, put_bytes bytea, remove_keys text, expected text
) RETURNS text LANGUAGE plpgsql AS $write$
BEGIN
  PERFORM 1 FROM ${schema}.writer WHERE token = my_token FOR UPDATE;
  IF NOT FOUND THEN RETURN 'lease'; END IF;
  IF EXISTS (
    SELECT 1 FROM json_to_recordset(expected::json) AS head(key text, before text, after text)
    LEFT JOIN ${schema}.objects found ON found.key = head.key
    WHERE coalesce(encode(found.value, 'hex'), '') NOT IN (head.before, head.after)
  ) THEN RETURN 'head'; END IF;
  INSERT INTO ${schema}.objects (key, value)
    SELECT put.key, substr(put_bytes, (sum(put.size) OVER (ORDER BY put.at) - put.size)::int + 1, put.size)
    FROM unnest(string_to_array(put_keys, ' '), string_to_array(put_sizes, ' ')::int[])
      WITH ORDINALITY AS put(key, size, at)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value;
  DELETE FROM ${schema}.objects WHERE objects.key = ANY (string_to_array(remove_keys, ' '));
  IF expected <> '[]' THEN PERFORM pg_notify('${schema}', ''); END IF;
  RETURN 'ok';
END $write$;`

/** Two that start at once must not make the same tables at once. What is sent as one is one transaction. */
const makeTables = (schema: string): string =>
  `SELECT pg_advisory_xact_lock(hashtext('tautline')); ${tables(schema)}`

/**
 * @param holder - of the lease; absent for reading only
 * @throws TautlineError `bad-configuration`, `folder-in-use` or `storage-unavailable`
 */
export const openPostgresDriver = async (
  address: ServerAddress,
  holder: LeaseHolder | undefined,
): Promise<OpenedDriver> => {
  const server = await connect(address)
  try {
    const durability = await promiseOf(server)
    if (holder) await server.define(makeTables(server.schema))
    else await requireTables(server)
    const lease = holder && (await acquireLease(leaseServer(server), address.place, holder))
    return { driver: driverOf(server, lease), durability }
  } catch (cause) {
    await server.close()
    throw cause
  }
}

/** A server that is there, or will be again. */
interface Server {
  readonly place: string
  /** Of the ledger: a name that needs no quotes. */
  readonly schema: string
  ask<Row>(action: 'read' | 'write', text: string, values?: readonly Parameter[]): Promise<readonly Row[]>
  /** Runs several statements. */
  define(text: string): Promise<void>
  listen(channel: string, onMessage: () => void): Promise<void>
  close(): Promise<void>
}

const connect = async ({ url, ledger, place }: ServerAddress): Promise<Server> => {
  const postgres = await loadClient()
  const create = (): Sql =>
    postgres(url, {
      max: connections,
      connect_timeout: connectS,
      backoff: (retries: number) => Math.min(0.05 * 2 ** retries, longestPauseS),
      fetch_types: false,
      onnotice: () => undefined,
      connection: { application_name: 'tautline', synchronous_commit: 'on' } as Record<string, string>,
    })
  let sql = create()
  let isClosed = false
  const letGo = (hung: Sql): void => {
    void hung.end({ timeout: 0 })
    if (hung === sql && !isClosed) sql = create()
  }
  const attempt = async <Value>(
    action: 'open' | 'read' | 'write',
    run: (sql: Sql) => Promise<Value>,
  ): Promise<Value> => {
    const asked = sql
    try {
      return await within(run(asked), () => letGo(asked))
    } catch (cause) {
      throw cause instanceof TautlineError ? cause : serverFailure(place, action, cause)
    }
  }
  await attempt('open', (opening) => opening.unsafe('SELECT 1')).catch(async (error: unknown) => {
    await sql.end({ timeout: 0 })
    throw error
  })
  return {
    place,
    schema: ledger,
    ask: <Row>(action: 'read' | 'write', text: string, values: readonly Parameter[] = []) =>
      attempt(
        action,
        async (asked) => (await asked.unsafe(text, [...values], { prepare: true })) as unknown as Row[],
      ),
    define: (text) =>
      attempt('open', async (asked) => {
        await asked.unsafe(text).simple()
      }),
    listen: (channel, onMessage) =>
      attempt('read', async (asked) => {
        // Also whenever it listens anew, since it may have missed something.
        await asked.listen(channel, onMessage, onMessage)
      }),
    close: async () => {
      isClosed = true
      await sql.end({ timeout: 1 })
    },
  }
}

const loadClient = async () => {
  try {
    return (await import('postgres')).default
  } catch (cause) {
    throw new TautlineError(
      'bad-configuration',
      '--storage postgres: needs the package postgres, which is not installed: npm install postgres',
      {},
      cause,
    )
  }
}

const promiseOf = async (server: Server): Promise<Durability> => {
  const [settings] = await server.ask<{ fsync: string; pages: string; commit: string }>(
    'read',
    `SELECT current_setting('fsync') AS fsync, current_setting('full_page_writes') AS pages,
      current_setting('synchronous_commit') AS commit`,
  )
  if (settings!.commit === 'off') return 'none' // a pooler has set it back
  return settings!.fsync === 'on' && settings!.pages === 'on' ? 'power-loss' : 'process-crash'
}

const requireTables = async ({ ask, schema, place }: Server): Promise<void> => {
  const [found] = await ask<{ made: boolean }>(
    'read',
    `SELECT to_regclass('${schema}.objects') IS NOT NULL AS made`,
  )
  if (found!.made) return
  throw new TautlineError(
    'bad-configuration',
    `there is no ledger at ${place} to read: start the node that writes it first, or name another with ?ledger=NAME`,
  )
}

const leaseServer = ({ ask, schema }: Server): LeaseServer => {
  const until = `clock_timestamp() + interval '${leaseMs} milliseconds'`
  return {
    take: async (token, writer) => {
      const taken = await ask(
        'write',
        `INSERT INTO ${schema}.writer AS held (token, writer, until) VALUES ($1, $2, ${until})
          ON CONFLICT (sole) DO UPDATE SET token = excluded.token, writer = excluded.writer, until = excluded.until
          WHERE held.until <= clock_timestamp() RETURNING token`,
        [token, JSON.stringify(writer)],
      )
      if (taken.length > 0) return undefined
      const [held] = await ask<{ until: string; left: number; writer: string }>(
        'read',
        `SELECT until::text, writer,
          greatest(0, extract(epoch FROM until - clock_timestamp()) * 1000)::int AS left FROM ${schema}.writer`,
      )
      return {
        untilMs: Date.parse(held!.until),
        leftMs: held!.left,
        writer: JSON.parse(held!.writer) as Writer,
      }
    },
    renew: async (token, writer) => {
      const renewed = await ask(
        'write',
        `UPDATE ${schema}.writer SET writer = $2, until = ${until} WHERE token = $1 RETURNING token`,
        [token, JSON.stringify(writer)],
      )
      return renewed.length > 0
    },
    release: async (token) => {
      await ask('write', `UPDATE ${schema}.writer SET until = '-infinity' WHERE token = $1`, [token])
    },
  }
}

const driverOf = (server: Server, lease: Lease | undefined): ObjectDriver => {
  const { ask, schema, place } = server
  const write: NonNullable<ObjectDriver['writeBatch']> = async (puts, removes, expected = []) => {
    if (lease === undefined) throw readOnly(place)
    const after = new Map(puts)
    const heads = expected.map(([key, before]) => ({
      key,
      before: hexOf(before),
      after: hexOf(after.get(key) ?? before),
    }))
    const [row] = await ask<{ verdict: string }>(
      'write',
      `SELECT ${schema}.write($1, $2, $3, $4, $5, $6) AS verdict`,
      [
        lease.token,
        puts.map(([key]) => key).join(' '),
        puts.map(([, { length }]) => length).join(' '),
        Buffer.concat(puts.map(([, value]) => value)),
        removes.join(' '),
        JSON.stringify(heads),
      ],
    )
    if (row!.verdict === 'head') throw headMoved(place)
    if (row!.verdict !== 'ok') throw leaseLost(place)
  }
  const readMany = async (keys: readonly ObjectKey[]): Promise<readonly (Uint8Array | undefined)[]> => {
    const rows = await ask<{ key: string; value: Uint8Array }>(
      'read',
      `SELECT key, value FROM ${schema}.objects WHERE key = ANY (string_to_array($1, ' '))`,
      [keys.join(' ')],
    )
    const found = new Map(rows.map(({ key, value }) => [key, value]))
    return keys.map((key) => {
      const value = found.get(key)
      return value && new Uint8Array(value)
    })
  }
  const readOne = async (key: ObjectKey): Promise<Uint8Array | undefined> => (await readMany([key]))[0]
  return {
    name: 'postgres',
    hasItem: async (key) => (await readOne(key)) !== undefined,
    getItem: async (key) => {
      const value = await readOne(key)
      return value === undefined ? null : decodeUtf8(value)
    },
    getItemRaw: async (key) => (await readOne(key)) ?? null,
    setItem: (key, value) => write([[key, encodeUtf8(value)]], [], []),
    setItemRaw: (key, value: Uint8Array) => write([[key, value]], [], []),
    removeItem: (key) => write([], [key], []),
    getKeys: async (base) => {
      const rows = await ask<{ key: string }>(
        'read',
        `SELECT key FROM ${schema}.objects WHERE starts_with(key, $1)`,
        [base],
      )
      return rows.map(({ key }) => key)
    },
    dispose: async () => {
      await lease?.release()
      await server.close()
    },
    readMany,
    writeBatch: write,
    listen: (onCommit) => server.listen(schema, onCommit),
    writer: async () => {
      const [row] = await ask<{ writer: string }>(
        'read',
        `SELECT writer FROM ${schema}.writer WHERE until <> '-infinity'`,
      )
      return row && (JSON.parse(row.writer) as Writer)
    },
  }
}

const hexOf = (bytes: Uint8Array | undefined): string => (bytes ? Buffer.from(bytes).toString('hex') : '')
