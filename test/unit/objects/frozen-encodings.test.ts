/**
 * Encodings that must never change: every hash and signature of every ledger hangs on them. The texts were
 * written by hand and hashed and signed by other programs (Python's hashlib, `node:crypto`).
 */
import { expect, test } from 'vitest'
import { decodeAddress } from '../../../src/codec/address.ts'
import { decodeHex, encodeUtf8 } from '../../../src/codec/bytes.ts'
import { canonicalize } from '../../../src/codec/json.ts'
import { verifyPortable } from '../../../src/crypto/ed25519.ts'
import { merkleRoot } from '../../../src/crypto/merkle.ts'
import { encodeAccount } from '../../../src/ledger/account.ts'
import { evidenceRoot, hashHeader, headerSchema, leafHash } from '../../../src/objects/block.ts'
import { evidenceSchema, evidenceText } from '../../../src/objects/evidence.ts'
import { genesisAnchorSchema, networkIdOf } from '../../../src/objects/genesis.ts'
import { defaultParameters } from '../../../src/objects/parameters.ts'
import {
  decodeTransaction,
  signedTextOf,
  signingBytes,
  signingText,
  unsignedTransactionSchema,
} from '../../../src/objects/transaction.ts'
import { hashValidators, validatorSchema } from '../../../src/objects/validators.ts'
import {
  certificateSchema,
  certificateSigningText,
  messageSigningText,
  precommitSchema,
  prevoteSchema,
  proposalSchema,
} from '../../../src/objects/vote.ts'
import { type NetworkId, unixMs } from '../../../src/units.ts'
import { alice, bob, header, network, signature, signed, unsigned } from './samples.ts'

const ones = '1111111111111111111111111111111111111111111111111111111111111111'
const block = '7777777777777777777777777777777777777777777777777777777777777777'
const transactionHash = 'e0cc68d62b681925ddeda5c96948607eaf2812deb63bf188d421760688aec161'

test('transaction', () => {
  const text =
    `tautline/transaction/1\n{"fee":"1","from":"${alice}","memo":"für Bob €😀","network":"${ones}","nonce":0,"operations":[` +
    `{"amount":"250","to":"${bob}","type":"transfer"},` +
    '{"data":"line 1\\nline \\"2\\"","type":"anchor"},' +
    '{"amount":"1000000","type":"stake.bond"},' +
    '{"amount":"340282366920938463463374607431768211455","type":"stake.unbond"}' +
    '],"validUntil":1790000000}'
  const decoded = decodeTransaction(signed)
  expect(signedTextOf(decoded)).toBe(text)
  expect(signingText(unsignedTransactionSchema.parse(unsigned))).toBe(text)
  expect(signingBytes(unsignedTransactionSchema.parse(unsigned))).toEqual(encodeUtf8(text))
  expect(decoded.id).toBe('0e9aa8949a63f733c48cdfe315b8c0128569fc2d5c162da573a4336ae0e59bca')
  expect(decoded.hash).toBe(transactionHash)
  expect(decoded.sizeBytes).toBe(736)
  expect(verifyPortable(decodeAddress(alice)!, encodeUtf8(text), decodeHex(signature))).toBe(true)
})

test('header, leaves and roots', () => {
  const { hash } = decodeTransaction(signed)
  const leaves = [leafHash(hash, 'committed'), leafHash(hash, 'failed')]
  expect(hashHeader(headerSchema.parse(header))).toBe(
    '7cdc2488714f055470d4e1bf301ae724d75ef5db7a81ea265710f4989f5bfd32',
  )
  expect(leaves).toEqual([
    'a39c503bea50dbb63c47876302ce630ee621e6dd21460e3734aa36849923e2c9',
    '2c349ef1c0170023ce9cf211da07913f7e76065ba015117ba790dcc1ce4fd5ab',
  ])
  expect(merkleRoot(leaves)).toBe('d335bc8ed4d24c98892598f122fa3637506ea930c15d726130c76002393008c1')
  expect(evidenceRoot([])).toBe('f4ff34483927a0a686da63388abf43f90f8c41d326c7e6ad99a9d0538b3bedc5')
})

test('evidence', () => {
  const by = { kind: 'precommit', network, height: 3, round: 1, validator: alice, signature }
  const evidence = evidenceSchema.parse({ first: { ...by, block }, second: by })
  const rest = `"kind":"precommit","network":"${ones}","round":1,"signature":"${signature}","validator":"${alice}"`
  expect(evidenceText(evidence)).toBe(
    `{"first":{"block":"${block}","height":3,${rest}},"second":{"height":3,${rest}}}`,
  )
  expect(evidenceRoot([evidence])).toBe('b8b6368a0cc732966b2eddf4a370c775176b4b545735c57ce023307acc6ec25c')
})

test('account, with stake on its way back, and expelled', () => {
  const account = {
    balance: 750n,
    nonce: 2,
    stake: 10n,
    unbonding: [{ amount: 5n, time: unixMs(1_800_000_000_000) }],
    history: 3,
  }
  const text = (expelled: boolean) => canonicalize(encodeAccount({ ...account, expelled }))
  const rest = '"history":3,"nonce":2,"stake":"10","unbonding":[{"amount":"5","time":1800000000000}]}'
  expect(text(false)).toBe(`{"balance":"750",${rest}`)
  expect(text(true)).toBe(`{"balance":"750","expelled":true,${rest}`)
})

test('validators and network id', () => {
  const list = [
    { address: alice, stake: '5' },
    { address: bob, stake: '7' },
  ].map((entry) => validatorSchema.parse(entry))
  const anchor = genesisAnchorSchema.parse({
    name: 'sample',
    time: 1_789_999_000_000,
    parameters: defaultParameters,
    stateRoot: '44'.repeat(32),
    validators: list.slice(0, 1),
  })
  expect(hashValidators(list)).toBe('864b810edf755b7fd17e39645649d08bbd1cfd53d47bf785bfebce88566ed61d')
  expect(networkIdOf(anchor)).toBe('05be44fde18af9c631ce4d87892a7d0923270e5274db6304be6527c969e2cd42')
})

test('proposal, prevote, precommit, and what a certificate is made of', () => {
  const place = { network, height: 3, round: 1 }
  const by = { validator: alice, signature }
  const proposal = proposalSchema.parse({ kind: 'proposal', ...place, block, ...by })
  const proposedAgain = proposalSchema.parse({ kind: 'proposal', ...place, block, polkaRound: 0, ...by })
  const prevote = prevoteSchema.parse({ kind: 'prevote', ...place, block, polkaRound: 0, ...by })
  const prevoteNil = prevoteSchema.parse({ kind: 'prevote', ...place, ...by })
  const precommit = precommitSchema.parse({ kind: 'precommit', ...place, block, ...by })
  const precommitNil = precommitSchema.parse({ kind: 'precommit', ...place, ...by })
  const certificate = certificateSchema.parse({ height: 3, round: 1, block, precommits: [by] })

  const fresh = `{"block":"${block}","height":3,"network":"${ones}","round":1}`
  const cited = `{"block":"${block}","height":3,"network":"${ones}","polkaRound":0,"round":1}`
  const nil = `{"height":3,"network":"${ones}","round":1}`
  expect(messageSigningText(proposal)).toBe(`tautline/proposal/1\n${fresh}`)
  expect(messageSigningText(proposedAgain)).toBe(`tautline/proposal/1\n${cited}`)
  expect(messageSigningText(prevote)).toBe(`tautline/prevote/1\n${cited}`)
  expect(messageSigningText(prevoteNil)).toBe(`tautline/prevote/1\n${nil}`)
  expect(messageSigningText(precommit)).toBe(`tautline/precommit/1\n${fresh}`)
  expect(messageSigningText(precommitNil)).toBe(`tautline/precommit/1\n${nil}`)
  expect(certificateSigningText(network as NetworkId, certificate)).toBe(messageSigningText(precommit))
})
