/** A block with a single transaction, signed by all validators whatever it is. */
import type { Json } from '../../../src/codec/json.ts'
import { leafHash } from '../../../src/objects/block.ts'
import {
  decodeTransaction,
  signingBytes,
  type UnsignedTransaction,
} from '../../../src/objects/transaction.ts'
import { type Answer, anchor, certify, header, type Key, keys, quorum, transfer } from './small-chain.ts'

/** @param signer - who signs in the sender's, Alice's, name */
export const answerWith = (members: Partial<UnsignedTransaction>, signer: Key = keys.alice): Answer => {
  const { signatures: _, ...original } = transfer(0).transaction
  const unsigned = { ...original, ...members }
  const signatures = [{ key: keys.alice.address, signature: signer.sign(signingBytes(unsigned)) }]
  const { id, hash, transaction } = decodeTransaction({ ...unsigned, signatures } as unknown as Json)
  const block = header(1, { count: 1, transactionsRoot: leafHash(hash, 'committed') })
  const finality = { genesis: anchor, hops: [], header: block, certificate: certify(block, quorum) }
  const place = { status: 'committed', index: 0, transaction }
  return { ...place, id, height: 1, proof: { kind: 'transaction', ...finality, ...place, path: [] } }
}
