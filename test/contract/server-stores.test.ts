/** The ObjectStore port against real servers, and what only a server can do: leases, readers beside the writer, outages. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decodeUtf8, encodeUtf8 } from '../../src/codec/bytes.ts'
import type { SharedStore } from '../../src/ports/object-store.ts'
import { openServerDriver, openStore, openStoreForReading } from '../../src/storage/open-store.ts'
import { type StorageServer, startPostgres, startRedis } from '../servers/storage-server.ts'
import { testObjectStore } from './object-store-suite.ts'

const servers = { redis: startRedis, postgres: startPostgres }

describe.each(Object.entries(servers))('%s', (name, start) => {
  let server: StorageServer
  beforeAll(async () => {
    server = await start()
  }, 120_000)
  afterAll(() => server.close())

  let ledgers = 0
  testObjectStore({
    name,
    durability: 'power-loss',
    setUp: () => {
      const spec = `${server.url}?ledger=contract_${ledgers++}`
      return async () => {
        const { driver, durability } = await openServerDriver(spec)
        expect(durability).toBe('power-loss')
        return driver
      }
    },
  })

  it('has one writer: a second one is refused while it lives, and has it at once when it ends', async () => {
    const spec = `${server.url}?ledger=writers`
    const first = await openStore(spec, '')
    await first.commit({ puts: [['a', encodeUtf8('1')]], removes: [] }, encodeUtf8('head 1'))
    await expect(openStore(spec, '')).rejects.toMatchObject({
      code: 'folder-in-use',
      message: expect.stringMatching(/is written to by another node/),
    })
    await first.close()
    const second = await openStore(spec, '')
    expect(await second.readHead()).toEqual(encodeUtf8('head 1'))
    await second.close()
  })

  it('one that was replaced writes nothing more', async () => {
    const spec = `${server.url}?ledger=replaced`
    const first = await openStore(spec, '')
    await first.commit({ puts: [], removes: [] }, encodeUtf8('head 1'))
    await forgetWriter(name, server, 'replaced')
    const second = await openStore(spec, '')
    await second.commit({ puts: [], removes: [] }, encodeUtf8('head 2'))
    await expect(
      first.commit({ puts: [['a', encodeUtf8('1')]], removes: [] }, encodeUtf8('head 3')),
    ).rejects.toMatchObject({ code: 'lease-lost' })
    expect(await second.readHead()).toEqual(encodeUtf8('head 2'))
    expect(await second.get('a')).toBeUndefined()
    await first.close()
    await second.close()
  })

  it('is read by others, who are told of each commit, while one writes', async () => {
    const spec = `${server.url}?ledger=shared`
    const writer = await openStore(spec, '')
    await writer.commit({ puts: [['a', encodeUtf8('1')]], removes: [] }, encodeUtf8('head 1'))
    const readers = await Promise.all([openStoreForReading(spec), openStoreForReading(spec)])
    const told = readers.map((reader) => new Promise<void>((resolve) => void listenTwice(reader, resolve)))
    await new Promise((resolve) => setTimeout(resolve, 200))
    await writer.commit({ puts: [['b', encodeUtf8('2')]], removes: [] }, encodeUtf8('head 2'))
    await Promise.all(told)
    for (const reader of readers) {
      expect(await reader.readHead()).toEqual(encodeUtf8('head 2'))
      expect(await reader.get('b')).toEqual(encodeUtf8('2'))
      expect(await reader.writer()).toMatchObject({ name: 'a command of tautline' })
      await reader.close()
    }
    await writer.close()
  })

  it('goes away in the middle and comes back: what was acknowledged is there, and writing goes on', async () => {
    const spec = `${server.url}?ledger=outage`
    const store = await openStore(spec, '')
    await store.commit({ puts: [['a', encodeUtf8('1')]], removes: [] }, encodeUtf8('head 1'))
    await server.kill()
    await expect(store.commit({ puts: [], removes: [] }, encodeUtf8('head 2'))).rejects.toMatchObject({
      code: 'storage-unavailable',
      message: expect.stringMatching(/see that the server runs/),
    })
    await expect(store.get('a')).rejects.toMatchObject({ code: 'storage-unavailable' })
    await server.restart()
    const deadline = Date.now() + 30_000
    for (;;) {
      const failure = await store
        .commit({ puts: [], removes: [] }, encodeUtf8('head 2'))
        .catch((error) => error)
      if (failure === undefined) break
      expect(failure).toMatchObject({ code: 'storage-unavailable' })
      if (Date.now() > deadline) throw failure
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    expect(await store.readHead()).toEqual(encodeUtf8('head 2'))
    expect(await store.get('a')).toEqual(encodeUtf8('1'))
    await store.close()
  })
})

/** The first time it is told that it listens, the second time of a commit. */
const listenTwice = async (reader: SharedStore, onCommit: () => void): Promise<void> => {
  await reader.listen(() => {
    void reader.readHead().then((head) => {
      if (head && decodeUtf8(head) === 'head 2') onCommit()
    })
  })
}

/** As when its time is over: the server lets another one have the lease. */
const forgetWriter = async (name: string, server: StorageServer, ledger: string): Promise<void> => {
  if (name === 'redis') {
    const { createClient } = await import('@redis/client')
    const client = await createClient({ url: server.url }).connect()
    await client.hSet(`{${ledger}}#writer`, 'until', '0')
    client.destroy()
  } else {
    const sql = (await import('postgres')).default(server.url)
    await sql.unsafe(`UPDATE ${ledger}.writer SET until = '-infinity'`)
    await sql.end()
  }
}

const unsafeServers = {
  'redis that syncs every second': () => startRedis(['--appendfsync', 'everysec']),
  'postgres without fsync': () => startPostgres(['fsync=off']),
}

describe.each(Object.entries(unsafeServers))('%s', (_, start) => {
  it('promises to survive the end of a process, and no power failure', async () => {
    const server = await start()
    const store = await openStore(server.url, '')
    expect(store.durability).toBe('process-crash')
    await store.close()
    await server.close()
  }, 120_000)
})
