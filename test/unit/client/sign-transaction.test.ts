import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { signTransaction, type TransactionParts } from '../../../src/client/sign-transaction.ts'
import { decodeAddress } from '../../../src/codec/address.ts'
import { decodeHex, encodeUtf8 } from '../../../src/codec/bytes.ts'
import { parseCanonical } from '../../../src/codec/json.ts'
import { verifyPortable } from '../../../src/crypto/ed25519.ts'
import { minimumFee } from '../../../src/ledger/fees.ts'
import { defaultParameters } from '../../../src/objects/parameters.ts'
import { decodeTransaction, signedTextOf } from '../../../src/objects/transaction.ts'
import type { Signer } from '../../../src/ports/keys.ts'
import type { Amount } from '../../../src/units.ts'
import { keys, network } from './small-chain.ts'

const signer: Signer = {
  address: keys.alice.address,
  sign: (text) => keys.alice.sign(encodeUtf8(text)),
}

const parts: TransactionParts = {
  network,
  nonce: 0,
  validUntil: 1_800_000_000,
  operations: [{ type: 'transfer', to: keys.bob.address, amount: '250' as Amount }],
}

const anchorOf = (letters: number): TransactionParts => ({
  ...parts,
  operations: [{ type: 'anchor', data: 'a'.repeat(letters) }],
})

describe('signTransaction', () => {
  it('is signed by the key of its sender, over the preimage of its id', async () => {
    const signed = await signTransaction(parts, signer)
    const { transaction } = signed
    const { key, signature } = transaction.signatures[0]!
    expect(key).toBe(transaction.from)
    expect(verifyPortable(decodeAddress(key)!, encodeUtf8(signedTextOf(signed)), decodeHex(signature))).toBe(
      true,
    )
  })

  it('its text is canonical and decodes to the same transaction', async () => {
    const signed = await signTransaction({ ...parts, memo: 'für später' }, signer)
    expect(decodeTransaction(parseCanonical(signed.text))).toEqual(signed)
  })

  it('pays the least that its size asks for, whatever the size and the price', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 4_096 }),
        fc.integer({ min: 0, max: 10_000 }),
        async (letters, price) => {
          const parameters = { ...defaultParameters, feePerKib: String(price) as Amount }
          const { transaction, sizeBytes } = await signTransaction(anchorOf(letters), signer, parameters)
          expect(BigInt(transaction.fee)).toBe(minimumFee(sizeBytes, parameters))
        },
      ),
      { numRuns: 50, seed: 1 },
    )
  })

  it('pays the fee that was asked for instead', async () => {
    expect((await signTransaction({ ...parts, fee: '77' as Amount }, signer)).transaction.fee).toBe('77')
  })

  it('names the part that is wrong, and signs nothing', async () => {
    let asked = 0
    const counting: Signer = {
      ...signer,
      sign: (text) => {
        asked++
        return signer.sign(text)
      },
    }
    const wrong = {
      ...parts,
      operations: [{ type: 'transfer' as const, to: keys.bob.address, amount: '-1' as Amount }],
    }
    await expect(signTransaction(wrong, counting)).rejects.toMatchObject({
      code: 'malformed-transaction',
      message: expect.stringContaining('operations.0.amount'),
    })
    expect(asked).toBe(0)
  })
})
