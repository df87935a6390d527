import { beforeAll, describe, expect, it } from 'vitest'
import { verifyProof } from '../../../src/client/verify-proof.ts'
import { canonicalize, type Json } from '../../../src/codec/json.ts'
import { createNodeVerifier } from '../../../src/runtime/node/keys.ts'
import type { NetworkId, TransactionId } from '../../../src/units.ts'
import { faultyDisk } from '../../faults/faulty-driver.ts'
import { addressOf, pay, Released, silentLog, startOn, type WholeNode } from '../../faults/whole-node.ts'
import { bond } from '../ledger/small-ledger.ts'

let started: WholeNode
let network: NetworkId
const ids: TransactionId[] = []
const alice = addressOf(21)

/** Three blocks with several transactions, one that changes the validators, and two after it. */
beforeAll(async () => {
  const disk = faultyDisk()
  started = await startOn(
    disk,
    { driver: disk.batchDriver(), durability: 'power-loss' },
    await createNodeVerifier(silentLog),
    new Released(),
    (error) => {
      throw error
    },
  )
  network = started.node.network
  for (const operations of [
    [pay(alice, 5)],
    [pay(addressOf(22), 6), pay(alice, 1)],
    [bond(5_000_000)],
    [pay(alice, 7)],
    [pay(alice, 8)],
  ]) {
    const { id } = await started.node.spend({ operations })
    await started.node.waitUntilFinal(id, 1)
    ids.push(id)
  }
})

const textOf = (value: unknown): string => canonicalize(value as Json)
const transactionText = async (at: number) =>
  textOf(await started.node.transaction(ids[at]!, { proof: true }))
const accountText = async (byte: number) =>
  textOf(await started.node.account(addressOf(byte), { proof: true }))

const answers = {
  'a transaction before the validators changed': () => transactionText(1),
  'a transaction after the validators changed': () => transactionText(4),
  'the transaction that changed them': () => transactionText(2),
  'an account': () => accountText(21),
  'an account that nobody has seen': () => accountText(99),
}

describe.each(Object.entries(answers))('the proof of %s', (_, answer) => {
  it('is accepted for its network, and for no other', async () => {
    const text = await answer()
    expect(await verifyProof(text, { network })).toMatchObject({ ok: true })
    expect(await verifyProof(text, { network: '0'.repeat(64) as NetworkId })).toMatchObject({ ok: false })
  })

  it('is refused with any one byte changed', async () => {
    const text = await answer()
    const accepted: string[] = []
    for (let at = 0; at < text.length; at++) {
      const changed = replaceAt(text, at)
      if ((await verifyProof(changed, { network })).ok)
        accepted.push(changed.slice(Math.max(0, at - 20), at + 20))
    }
    expect(accepted).toEqual([])
  }, 300_000)

  it('is refused with any one byte left out', async () => {
    const text = await answer()
    const accepted: number[] = []
    for (let at = 0; at < text.length; at += 7) {
      if ((await verifyProof(text.slice(0, at) + text.slice(at + 1), { network })).ok) accepted.push(at)
    }
    expect(accepted).toEqual([])
  }, 300_000)
})

/** Another character of the same sort, so that the text stays as readable as it can. */
const replaceAt = (text: string, at: number): string => {
  const old = text[at]!
  const other = /[0-9]/.test(old)
    ? String((Number(old) + 1) % 10)
    : /[a-f]/.test(old)
      ? old === 'a'
        ? 'b'
        : 'a'
      : old === 'x'
        ? 'y'
        : 'x'
  return text.slice(0, at) + other + text.slice(at + 1)
}

describe('the proof at height 0', () => {
  it('leads to the genesis itself', async () => {
    const disk = faultyDisk()
    const { node } = await startOn(
      disk,
      { driver: disk.batchDriver(), durability: 'power-loss' },
      await createNodeVerifier(silentLog),
      new Released(),
      () => undefined,
    )
    const text = textOf(await node.account(node.genesis.accounts[0]!.address, { proof: true }))
    expect(await verifyProof(text, { network: node.network })).toMatchObject({ ok: true })
    expect(
      await verifyProof(text.replace('"height":0', '"height":1'), { network: node.network }),
    ).toMatchObject({ ok: false })
  })
})
