/** A ledger whose oldest blocks are gone: what is left is whole, and says what isn't there. */

import memoryDriver from 'unstorage/drivers/memory'
import { beforeEach, describe, expect, it } from 'vitest'
import { verifyProof } from '../../../src/client/verify-proof.ts'
import { encodeUtf8 } from '../../../src/codec/bytes.ts'
import { canonicalize, type Json } from '../../../src/codec/json.ts'
import { Chain } from '../../../src/node/chain.ts'
import { type Verified, verifyLedger } from '../../../src/node/verify-ledger.ts'
import type { Verifier } from '../../../src/ports/keys.ts'
import { createNodeVerifier } from '../../../src/runtime/node/keys.ts'
import { openUnstorageStore } from '../../../src/storage/unstorage-store.ts'
import { height, type TransactionId } from '../../../src/units.ts'
import { type FaultyDisk, faultyDisk } from '../../faults/faulty-driver.ts'
import { addressOf, pay, Released, silentLog, startOn, type WholeNode } from '../../faults/whole-node.ts'
import { bond } from '../ledger/small-ledger.ts'

const alice = addressOf(21)
let disk: FaultyDisk
let verifier: Verifier
let started: WholeNode
let ids: TransactionId[]

const start = (): Promise<WholeNode> =>
  startOn(
    disk,
    { driver: disk.batchDriver(), durability: 'power-loss' },
    verifier,
    new Released(),
    (error) => {
      throw error
    },
  )

const spend = async (
  ...operations: Parameters<WholeNode['node']['spend']>[0]['operations']
): Promise<void> => {
  const { id } = await started.node.spend({ operations })
  await started.node.waitUntilFinal(id, 1)
  ids.push(id)
}

/** Five blocks, after the third of which the validators are others; then the checkpoint that a clean end makes. */
beforeEach(async () => {
  disk = faultyDisk()
  verifier = await createNodeVerifier(silentLog)
  ids = []
  started = await start()
  await spend(pay(alice, 5))
  await spend(pay(alice, 1))
  await spend(bond(5_000_000))
  await spend(pay(alice, 7))
  await spend(pay(alice, 8))
  await started.node.close()
  started = await start()
})

const textOf = (value: unknown): string => canonicalize(value as Json)
const gone = { code: 'pruned', details: { oldest: 5 } }

describe('four of five blocks are removed', () => {
  beforeEach(async () => {
    expect(await started.chain.prune(height(5))).toBeGreaterThan(1_000)
  })

  it('a node says which, and whoever asks for one of them is told', async () => {
    const { node } = started
    expect(node.status()).toMatchObject({ oldest: 5, head: { height: 5 } })
    expect(await node.block(height(5))).toMatchObject({ block: { header: { height: 5 } } })
    for (const at of [1, 2, 3, 4]) await expect(node.block(height(at))).rejects.toMatchObject(gone)
    await expect(node.segment(height(4), 10, { certificates: false })).rejects.toMatchObject(gone)
    await expect(node.validators(height(2))).rejects.toMatchObject(gone)
    expect(() => node.events({ after: '3' }, new AbortController().signal)).toThrow(/keeps no blocks below 5/)
    expect(await node.transaction(ids[1]!, { proof: false })).toBeUndefined()
  })

  it('headers stay where the validators change, and of the others the next one that is here is named', async () => {
    const header = (at: number) => started.node.header(height(at), { proof: false })
    expect(await header(3)).toMatchObject({ header: { height: 3 }, nextValidators: [{}] })
    expect(await header(5)).toMatchObject({ header: { height: 5 } })
    for (const at of [1, 2]) await expect(header(at)).rejects.toMatchObject({ details: { next: 3 } })
    await expect(header(4)).rejects.toMatchObject({ code: 'pruned', details: { next: 5, oldest: 5 } })
  })

  it('a history ends at the first block that is kept', async () => {
    const { transactions, cursor } = await started.node.history(alice, { limit: 10 })
    expect(transactions.map(({ height }) => height)).toEqual([5])
    expect(cursor).toBeUndefined()
  })

  it('proofs still lead from the network id to the head, over the block where the validators changed', async () => {
    const { node } = started
    const { network } = node
    for (const answer of [
      await node.account(alice, { proof: true }),
      await node.transaction(ids[4]!, { proof: true }),
    ])
      expect(await verifyProof(textOf(answer), { network })).toMatchObject({ ok: true, height: 5 })
  })

  it('it verifies, also after the next start, and goes on', async () => {
    await spend(pay(alice, 9))
    await started.node.close()
    started = await start()
    expect(started.node.status()).toMatchObject({ oldest: 5, head: { height: 6 } })
    expect(await verify()).toMatchObject({ height: 6, oldest: 5, transactions: 2 })
  })

  it('what is said of a block, and is not so, does not verify', async () => {
    const lie = encodeUtf8('{"0":{"code":"insufficient-funds","detail":"","operation":0}}')
    await disk.batchDriver().setItemRaw!('failures:0000000000000005', lie, {})
    await expect(verify()).rejects.toMatchObject({ code: 'ledger-mismatch' })
  })

  it('nothing of what belonged to them lies on the disk, but for what proofs lead over', async () => {
    const keys = [...(await disk.batchDriver().getKeys('', {}))]
    const kinds = keys.map((key) => key.split(':')[0]!).filter((kind) => !/^(page|stale|head)$/.test(kind))
    expect(kinds.sort()).toEqual(
      // One block with a payment touches two accounts; of the block where the validators changed, its header stays.
      [
        'block',
        'certificate',
        'certificate',
        'genesis',
        'header',
        'height',
        'history',
        'history',
        'hop',
      ].concat(['transaction', 'validators', 'validators']),
    )
  })
})

it('the block that makes the head stays, whatever is wanted', async () => {
  await started.chain.prune(height(100))
  expect(started.chain.kept).toMatchObject({ oldest: 5 })
  expect(await started.node.block('latest')).toMatchObject({ block: { header: { height: 5 } } })
})

/** As `tautline verify` does, after the node has ended. */
const verify = async (): Promise<Verified> => {
  await started.node.close()
  const store = await openUnstorageStore(disk.batchDriver(), 'power-loss')
  const scratch = await openUnstorageStore(memoryDriver(), 'none')
  return verifyLedger((await Chain.open(store, silentLog))!, store, scratch, verifier, () => undefined)
}
