import { generateKeyPairSync, randomFillSync } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { decodeAddress, encodeAddress, maxDecoded } from '../../src/codec/address.ts'
import { maxKnownPaths, pathOf } from '../../src/ledger/state/path.ts'
import { maxCachedKeys } from '../../src/runtime/verifier.ts'
import { jsonInit, keyOf, ndjsonInit, openWorld, transfer, type World } from '../api/world.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/**
 * More strangers than the caches of the node have room for, so that all of them are full after one round: but for
 * those of decoded addresses and of paths in the state, which take less to fill than requests.
 */
const strangers = maxCachedKeys + 2_000
const sideBySide = 100

const fillLargeCaches = (): void => {
  for (let count = 0; count < maxKnownPaths; count++) pathOf(`filling/${count}`)
  const key = new Uint8Array(32)
  for (let count = 0; count < maxDecoded; count++) decodeAddress(encodeAddress(randomFillSync(key)))
}

const newAddress = () => {
  const { x } = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' })
  return encodeAddress(new Uint8Array(Buffer.from(x!, 'base64url')))
}

/** What each stranger sends: everything new to the node, nothing of it worth keeping. */
const nuisances = async (world: World, number: number): Promise<readonly (() => Promise<Response>)[]> => {
  const poor = keyOf(100 + (number % 100))
  const valid = await world.sign({ nonce: number % 50, memo: `${number}` }, poor)
  const stranger = newAddress()
  const forged = { ...valid, from: stranger, signatures: [{ ...valid.signatures[0]!, key: stranger }] }
  const id = number.toString(16).padStart(64, '0')
  const post = (body: unknown) => () => world.ask('/v1/transactions', jsonInit(body))
  return [
    post(valid), // readable and signed, but nobody has paid this key
    post(forged),
    post({ ...valid, [`member-${number}`]: 1 }),
    post({ ...valid, operations: [transfer(stranger, `-${number}`)] }),
    post(`{"${number}":`),
    () => world.ask('/v1/transactions', ndjsonInit(`${JSON.stringify(forged)}\n{${number}\n`)),
    () => world.ask(`/v1/transactions/${id}`),
    () => world.ask(`/v1/blocks/${id}`),
    () => world.ask(`/v1/no-such-door/${number}`),
    () => world.ask(`/v1/accounts/${stranger}/history?cursor=${number}x`),
    () =>
      world.ask('/v1/wallet/transactions', { ...jsonInit({}), headers: { authorization: `Bearer ${id}` } }),
  ]
}

const sendRound = async (world: World, from: number): Promise<void> => {
  for (let at = from; at < from + strangers; at += sideBySide) {
    const numbers = Array.from({ length: sideBySide }, (_, offset) => at + offset)
    const requests = (await Promise.all(numbers.map((number) => nuisances(world, number)))).flat()
    for (const { status, body } of await Promise.all(requests.map((send) => send()))) {
      expect(status === 200 || (status >= 400 && status < 500), `${status}`).toBe(true)
      await body?.cancel()
    }
  }
}

const usedBytes = async (): Promise<number> => {
  // Twice, with a turn of the event loop between: what finalizers let go goes the second time.
  collectGarbage()
  await new Promise((resolve) => setImmediate(resolve))
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

it('whatever strangers send leaves no more behind than what full caches hold', async () => {
  const world = await openWorld()
  fillLargeCaches()
  await sendRound(world, 0)
  const full = await usedBytes()
  await sendRound(world, strangers)
  const requests = strangers * (await nuisances(world, 0)).length
  const grownBytes = (await usedBytes()) - full
  expect(grownBytes / requests, `${grownBytes} bytes after ${requests} requests`).toBeLessThan(8)
  expect(world.node.status()).toMatchObject({ head: { height: 0 }, mempool: { transactions: 0, bytes: 0 } })
})
