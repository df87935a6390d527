/** The storage of a node in a Durable Object, in the real workerd. */
import { describe, expect, test } from 'vitest'
import type { ObjectKey } from '../../src/ports/object-store.ts'
import type { SignRecordStore } from '../../src/ports/sign-record-store.ts'
import type { ObjectDriver } from '../../src/storage/driver.ts'
import { testObjectStore } from '../contract/object-store-suite.ts'
import { type Call, decode, encode } from './durable-object-rpc.ts'
import { freePorts } from './network-process.ts'
import { eventually, pause, temporaryFolder } from './node-process.ts'
import { spawnWorkerd } from './workerd-process.ts'

/** One object and all that it has stored, in a workerd of its own; killed, it is started anew on the same. */
class RemoteObject {
  readonly #data: string
  #workerd: Awaited<ReturnType<typeof spawnWorkerd>> | undefined

  constructor(data: string) {
    this.#data = data
  }

  async start(): Promise<this> {
    const entry = 'test/e2e/durable-object-worker.ts'
    this.#workerd = await spawnWorkerd({ data: this.#data, port: await freePorts(1), entry })
    return this
  }

  readonly kill = async (): Promise<void> => {
    await this.#workerd!.kill('SIGKILL')
  }

  readonly restart = async (): Promise<void> => {
    await this.kill()
    await this.start()
  }

  readonly driver = (): ObjectDriver => {
    const call = (method: string) => this.#calling('driver', method) as () => Promise<never>
    return {
      name: 'durable-object',
      hasItem: call('hasItem'),
      getItem: call('getItem'),
      getItemRaw: call('getItemRaw'),
      setItem: call('setItem'),
      setItemRaw: call('setItemRaw'),
      removeItem: call('removeItem'),
      getKeys: call('getKeys'),
      readMany: async (...args) => {
        const values = (await this.#calling('driver', 'readMany')(...args)) as (Uint8Array | null)[]
        return values.map((value) => value ?? undefined)
      },
      writeBatch: call('writeBatch'),
      dispose: this.kill,
    }
  }

  readonly records = (): SignRecordStore => ({
    read: this.#calling('records', 'read') as SignRecordStore['read'],
    write: this.#calling('records', 'write') as SignRecordStore['write'],
  })

  #calling(of: Call['of'], method: string): (...args: readonly unknown[]) => Promise<unknown> {
    return (...args) => this.#call({ of, method, args })
  }

  async #call(call: Call): Promise<unknown> {
    const { url, stderr } = this.#workerd!
    const answer = await eventually(
      () => fetch(url, { method: 'POST', body: encode(call) }).catch(isStillStarting),
      `workerd does not answer: ${stderr()}`,
    )
    const text = await answer.text()
    if (!answer.ok) throw new Error(`workerd answers ${answer.status}: ${text}${stderr()}`)
    return decode(text)
  }
}

const isStillStarting = (error: unknown): undefined => {
  if (String((error as Error).cause).includes('ECONNREFUSED')) return undefined
  throw error
}

testObjectStore({
  name: 'durable object',
  durability: 'power-loss',
  setUp: (folder) => async () => (await new RemoteObject(folder).start()).driver(),
})

const patterned = (length: number, seed = 1): Uint8Array =>
  Uint8Array.from({ length }, (_, at) => (at * 31 + seed) & 0xff)
const isSame = (one: Uint8Array | undefined, other: Uint8Array): boolean =>
  one !== undefined && Buffer.compare(one, other) === 0

describe('what a Durable Object has written', () => {
  test('a batch that was acknowledged is there after a kill, values of several rows whole', async () => {
    const object = await new RemoteObject(await temporaryFolder()).start()
    const values: [ObjectKey, Uint8Array][] = [0, 1, 1024 * 1024, 1024 * 1024 + 1, 4_500_000].map(
      (length) => [`long:${length}`, patterned(length)],
    )
    const driver = object.driver()
    await driver.writeBatch!([...values, ['gone', patterned(3_000_000)]], [])
    await driver.writeBatch!([['long:4500000', patterned(10)]], ['gone'])
    await object.restart()
    for (const [key, value] of values.slice(0, -1))
      expect(isSame((await driver.readMany!([key]))[0], value), key).toBe(true)
    expect(await driver.readMany!(['long:4500000', 'gone'])).toEqual([patterned(10), undefined])
    expect(await driver.getKeys('', {})).toEqual(values.map(([key]) => key).sort())
  })

  test('of a batch that is cut off by a kill all is there or nothing, and all when it was acknowledged', async () => {
    const object = await new RemoteObject(await temporaryFolder()).start()
    const driver = object.driver()
    await driver.getKeys('', {})
    for (let life = 0; life < 6; life++) {
      const keys = Array.from({ length: 200 }, (_, at) => `life${life}:${at}`)
      const puts = keys.map((key) => [key, patterned(20_000, life)] as const)
      const writing = driver.writeBatch!(puts, []).then(
        () => true,
        () => false,
      )
      await pause(life * 25)
      await object.restart()
      const isAcknowledged = await writing
      const there = (await driver.readMany!(keys)).filter((value) => value !== undefined).length
      expect(isAcknowledged ? [keys.length] : [0, keys.length]).toContain(there)
    }
  })

  test('the sign record is the one that was acknowledged last, whatever its size', async () => {
    const object = await new RemoteObject(await temporaryFolder()).start()
    const records = object.records()
    expect(await records.read()).toBeUndefined()
    for (const length of [100, 3_000_000, 50, 9_000_000]) {
      await records.write(patterned(length))
      await object.restart()
      expect(isSame(await records.read(), patterned(length)), `${length} bytes`).toBe(true)
    }
  })
})
