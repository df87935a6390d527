import { beforeEach, describe, expect, it } from 'vitest'
import type { Json } from '../../../src/codec/json.ts'
import { TautlineError } from '../../../src/errors.ts'
import { withMinimumFee } from '../../../src/ledger/fees.ts'
import type { LedgerEvent, Segment } from '../../../src/node/service.ts'
import type { Operation } from '../../../src/objects/operation.ts'
import { type DecodedTransaction, decodeTransaction, signingText } from '../../../src/objects/transaction.ts'
import type { Signer } from '../../../src/ports/keys.ts'
import { createNodeSigner, createNodeVerifier } from '../../../src/runtime/node/keys.ts'
import { amount, height } from '../../../src/units.ts'
import { type FaultyDisk, faultyDisk } from '../../faults/faulty-driver.ts'
import {
  genesisTime,
  pay,
  Released,
  silentLog,
  startOn,
  testSigner,
  type WholeNode,
} from '../../faults/whole-node.ts'
import { bond, transfer, unbond } from '../ledger/small-ledger.ts'

const alice = createNodeSigner(new Uint8Array(32).fill(31))
const bob = createNodeSigner(new Uint8Array(32).fill(32))
const never = new AbortController().signal

let disk: FaultyDisk
let started: WholeNode

const start = async () => {
  started = await startOn(
    disk,
    { driver: disk.batchDriver(), durability: 'power-loss' },
    await createNodeVerifier(silentLog),
    new Released(),
    (error) => {
      throw error
    },
  )
}

beforeEach(async () => {
  disk = faultyDisk()
  await start()
  const { id } = await started.node.spend({ operations: [pay(alice.address, 1_000_000)] })
  await started.node.waitUntilFinal(id, 1)
})

interface Given {
  readonly nonce?: number
  readonly fee?: bigint
  readonly validUntil?: number
}

const sign = async (
  signer: Signer,
  operations: readonly Operation[],
  given: Given = {},
): Promise<DecodedTransaction> => {
  const priced = withMinimumFee(
    {
      network: started.node.network,
      from: signer.address,
      nonce: given.nonce ?? 0,
      validUntil: given.validUntil ?? Math.floor(genesisTime / 1_000) + 600,
      operations: [...operations],
    },
    started.node.genesis.parameters,
  )
  const unsigned = given.fee === undefined ? priced : { ...priced, fee: amount(given.fee) }
  const signature = await signer.sign(signingText(unsigned))
  return decodeTransaction({
    ...unsigned,
    signatures: [{ key: signer.address, signature }],
  } as unknown as Json)
}

const submit = (transaction: DecodedTransaction) => started.node.submit(transaction)
const submitFinal = async (transaction: DecodedTransaction) => {
  const { id } = await submit(transaction)
  return started.node.waitUntilFinal(id, 1)
}
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no error',
    (error: unknown) => (error instanceof TautlineError ? error.code : String(error)),
  )

describe('submitting', () => {
  it('the same transaction again, pending and final, gives the same id and harms nothing', async () => {
    const transaction = await sign(alice, [transfer(bob.address, 5)])
    const [first, second] = await Promise.all([submit(transaction), submit(transaction)])
    expect(first.id).toBe(second.id)
    const final = await started.node.waitUntilFinal(first.id, 1)
    expect(await submit(transaction)).toEqual(final)
    expect((await started.node.account(bob.address, { proof: false })).balance).toBe('5')
  })

  it('a signature of another key is refused, and changes nothing', async () => {
    const transaction = await sign(alice, [transfer(bob.address, 5)])
    const forged = { ...transaction.transaction, operations: [transfer(bob.address, 6)] }
    expect(await codeOf(submit(decodeTransaction(forged as unknown as Json)))).toBe('invalid-signature')
    expect(started.node.status().mempool.transactions).toBe(0)
  })

  it('nonces out of order wait for the gap to be filled', async () => {
    const second = await submit(await sign(alice, [transfer(bob.address, 2)], { nonce: 1 }))
    expect(await started.node.transaction(second.id, { proof: false })).toMatchObject({ status: 'pending' })
    await submit(await sign(alice, [transfer(bob.address, 1)]))
    expect(await started.node.waitUntilFinal(second.id, 1)).toMatchObject({ status: 'committed' })
  })

  it('what would fail against the head plus the own pending ones is refused', async () => {
    const waiting = await sign(alice, [transfer(bob.address, 3)], { nonce: 2 })
    await submit(waiting)
    expect(await codeOf(submit(await sign(alice, [transfer(bob.address, 2_000_000)])))).toBe(
      'insufficient-funds',
    )
    expect(await codeOf(submit(await sign(alice, [bond(5)])))).toBe('operation-fails')
    expect(await codeOf(submit(await sign(alice, [unbond(5)])))).toBe('operation-fails')
    const results = await started.node.submitAll(
      [
        await sign(alice, [transfer(bob.address, 600_000)]),
        await sign(alice, [transfer(bob.address, 600_000)], { nonce: 1 }),
      ],
      never,
    )
    expect(results[0]).toHaveProperty('submission')
    expect(results[1]!.error).toMatchObject({ code: 'insufficient-funds' })
  })

  it('a long line of one sender is judged one by one', async () => {
    const line = await Promise.all(
      Array.from({ length: 300 }, (_, nonce) => sign(alice, [transfer(bob.address, 1)], { nonce })),
    )
    const results = await started.node.submitAll(line, never)
    expect(results.filter(({ error }) => error)).toEqual([])
    await started.node.waitUntilFinal(line.at(-1)!.id, 1)
    expect(await started.node.account(alice.address, { proof: false })).toMatchObject({ nonce: 300 })
  })

  it('a bad one among many spoils no other', async () => {
    const good = await sign(alice, [transfer(bob.address, 1)])
    const wrongNetwork = { ...good.transaction, network: '0'.repeat(64) }
    const results = await started.node.submitAll(
      [decodeTransaction(wrongNetwork as unknown as Json), good],
      never,
    )
    expect(results[0]!.error).toMatchObject({ code: 'wrong-network' })
    expect(results[1]).toMatchObject({ submission: { id: good.id } })
  })

  it('the replaced one is told so to whoever waits for it', async () => {
    const [waiting] = [await sign(alice, [transfer(bob.address, 1)], { nonce: 1 })]
    await submit(waiting)
    const waits = codeOf(started.node.waitUntilFinal(waiting.id, 1))
    await submit(await sign(alice, [transfer(bob.address, 2)], { nonce: 1, fee: 3n }))
    expect(await waits).toBe('transaction-dropped')
    expect(await started.node.transaction(waiting.id, { proof: false })).toBeUndefined()
  })

  it('after closing is refused', async () => {
    const transaction = await sign(alice, [transfer(bob.address, 1)])
    await started.node.close()
    expect(await codeOf(submit(transaction))).toBe('shutting-down')
  })
})

describe('reading', () => {
  it('history comes newest first and in pages', async () => {
    for (let nonce = 0; nonce < 5; nonce++)
      await submitFinal(await sign(alice, [transfer(bob.address, nonce + 1)], { nonce }))
    const first = await started.node.history(alice.address, { limit: 4 })
    expect(first.transactions.map(({ height }) => height)).toEqual([6, 5, 4, 3])
    const second = await started.node.history(alice.address, { limit: 4, cursor: first.cursor! })
    expect(second.transactions.map(({ height }) => height)).toEqual([2, 1])
    expect(second).not.toHaveProperty('cursor')
    expect(await codeOf(started.node.history(alice.address, { limit: 4, cursor: '99' }))).toBe(
      'malformed-request',
    )
  })

  it('a segment ends where the validators change', async () => {
    await submitFinal(await sign(alice, [transfer(bob.address, 1)]))
    const { id } = await started.node.spend({ operations: [bond(5_000_000)] })
    await started.node.waitUntilFinal(id, 1)
    await submitFinal(await sign(alice, [transfer(bob.address, 1)], { nonce: 1 }))
    const read = async (from: number, options = { certificates: false }): Promise<Segment> => {
      const { text, blocks } = await started.node.segment(height(from), 100, options)
      const segment = JSON.parse(text) as Segment
      expect(segment.blocks).toHaveLength(blocks)
      return segment
    }
    const segment = await read(1)
    expect(segment.blocks.map(({ header }) => header.height)).toEqual([1, 2, 3])
    expect(segment.certificate).toMatchObject({ height: 3 })
    expect((await read(4)).blocks).toHaveLength(1)
    expect(await read(5)).toEqual({ blocks: [] })
    const whole = await read(1, { certificates: true })
    expect(whole.certificates?.map(({ height }) => height)).toEqual([1, 2, 3])
    expect(whole.certificate).toEqual(whole.certificates?.at(-1))
    expect(await read(5, { certificates: true })).toEqual({ blocks: [], certificates: [] })
    expect((await started.node.validators(height(3)))?.totalStake).toBe('1000000000')
    expect((await started.node.validators(height(4)))?.totalStake).toBe('1005000000')
    expect((await started.node.validators())?.height).toBe(5)
    expect(await started.node.validators(height(6))).toBeUndefined()
  })

  it('what failed since something changed in between says why, after a restart too', async () => {
    const paid = await started.node.spend({ operations: [pay(alice.address, 2_000_000)] })
    await started.node.waitUntilFinal(paid.id, 1)
    await submitFinal(await sign(alice, [bond(1_500_000)]))
    // Each could leave alone; together they would leave nobody.
    const leaving = [
      await sign(testSigner, [unbond(1_000_000_000)], { nonce: 2 }),
      await sign(alice, [unbond(1_500_000)], { nonce: 1 }),
    ]
    expect((await started.node.submitAll(leaving, never)).filter(({ error }) => error)).toEqual([])
    const finals = await Promise.all(leaving.map(({ id }) => started.node.waitUntilFinal(id, 1)))
    expect(finals.map(({ status }) => status).sort()).toEqual(['committed', 'failed'])
    const failed = finals.find(({ status }) => status === 'failed')!
    expect(failed).toMatchObject({ reason: { code: 'last-validator', operation: 0 } })

    await started.node.close()
    disk = faultyDisk({ survivors: disk.survivors() })
    await start()
    expect(await started.node.transaction(failed.id, { proof: false })).toMatchObject(failed)
  })
})

describe('events', () => {
  const take = async (events: AsyncIterable<LedgerEvent>, count: number): Promise<string[]> => {
    const ids: string[] = []
    for await (const { id } of events) if (ids.push(id) === count) break
    return ids
  }

  it('resume after any place without a gap, and go on with what is committed meanwhile', async () => {
    await submitFinal(await sign(alice, [transfer(bob.address, 1)]))
    const all = await take(started.node.events({ after: '0' }, never), 4)
    expect(all).toEqual(['1', '1.0', '2', '2.0'])
    const live = take(started.node.events({ after: '1' }, never), 5)
    await submitFinal(await sign(alice, [transfer(bob.address, 1)], { nonce: 1 }))
    expect(await live).toEqual(['1.0', '2', '2.0', '3', '3.0'])
    expect(await take(started.node.events({ after: '2.0' }, never), 2)).toEqual(['3', '3.0'])
  })

  it('of one account are its transactions alone', async () => {
    await submitFinal(await sign(alice, [transfer(bob.address, 1)]))
    const other = await started.node.spend({ operations: [{ type: 'anchor', data: 'x' }] })
    await started.node.waitUntilFinal(other.id, 1)
    await submitFinal(await sign(alice, [transfer(bob.address, 1)], { nonce: 1 }))
    expect(await take(started.node.events({ after: '0', account: bob.address }, never), 2)).toEqual([
      '2.0',
      '4.0',
    ])
    expect(await take(started.node.events({ after: '2.0', account: bob.address }, never), 1)).toEqual(['4.0'])
    expect(await take(started.node.events({ after: '1', account: alice.address }, never), 2)).toEqual([
      '1.0',
      '2.0',
    ])
    expect(await take(started.node.events({ after: '1.0', account: alice.address }, never), 2)).toEqual([
      '2.0',
      '4.0',
    ])
  })

  it('end when the reader leaves or the node closes', async () => {
    const leaving = new AbortController()
    const drained = (async () => {
      for await (const _ of started.node.events({}, leaving.signal));
      return 'ended'
    })()
    leaving.abort()
    expect(await drained).toBe('ended')
    expect(started.node.metrics().event_subscribers).toBe(0)
  })

  it('refuse a place that is none', async () => {
    expect(() => started.node.events({ after: 'yesterday' }, never)).toThrow(/no place in the ledger/)
  })
})
