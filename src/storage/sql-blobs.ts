/**
 * Bytes under keys in the SQLite database of a Durable Object.
 *
 * A row there has at most 2 MB, so longer values lie in several. Reading and writing are synchronous; what is
 * written in one transaction is there whole or not at all, and what was written leaves with no answer before it
 * is durable (output gates). {@link SqlStorage.sync} waits for that.
 *
 * @see https://developers.cloudflare.com/durable-objects/platform/limits/
 */

/** What this needs of a Durable Object's storage. */
export interface SqlStorage {
  readonly sql: { exec(query: string, ...bindings: readonly unknown[]): { toArray(): readonly unknown[] } }
  /** Rolled back when it throws. */
  transactionSync<Value>(run: () => Value): Value
  /** Resolves once everything that was written is durable. */
  sync(): Promise<void>
}

/** Half of what a row may have. */
const partBytes = 1024 * 1024

export class SqlBlobs {
  readonly #sql: SqlStorage['sql']
  readonly #table: string

  /** @param table - its name: `[a-z_]` */
  constructor({ sql }: SqlStorage, table: string) {
    this.#sql = sql
    this.#table = table
    // Without a rowid there is one row to write for a value, and no index besides.
    sql.exec(
      `CREATE TABLE IF NOT EXISTS ${table} (key TEXT, part INTEGER, bytes BLOB NOT NULL, PRIMARY KEY (key, part)) WITHOUT ROWID`,
    )
  }

  /** In a buffer of the caller's own. */
  get(key: string): Uint8Array | undefined {
    const query = `SELECT bytes FROM ${this.#table} WHERE key = ? ORDER BY part`
    const parts = this.#sql.exec(query, key).toArray() as readonly { bytes: ArrayBuffer }[]
    if (parts.length === 1) return new Uint8Array(parts[0]!.bytes)
    return parts.length === 0 ? undefined : joined(parts.map(({ bytes }) => new Uint8Array(bytes)))
  }

  /** Several statements: to be run in a transaction. */
  put(key: string, value: Uint8Array): void {
    this.remove(key)
    let part = 0
    do {
      const bytes = value.subarray(part * partBytes, (part + 1) * partBytes)
      this.#sql.exec(`INSERT INTO ${this.#table} (key, part, bytes) VALUES (?, ?, ?)`, key, part, bytes)
      part++
    } while (part * partBytes < value.length)
  }

  remove(key: string): void {
    this.#sql.exec(`DELETE FROM ${this.#table} WHERE key = ?`, key)
  }

  /** @param prefix - what they all begin with */
  keys(prefix: string): string[] {
    const query = `SELECT DISTINCT key FROM ${this.#table} WHERE key >= ? AND key < ? ORDER BY key`
    const rows = this.#sql.exec(query, prefix, `${prefix}\u{10ffff}`).toArray() as readonly { key: string }[]
    return rows.map(({ key }) => key)
  }
}

const joined = (parts: readonly Uint8Array[]): Uint8Array => {
  const whole = new Uint8Array(parts.reduce((bytes, { length }) => bytes + length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
