/** A block whose validators all signed it although its only transaction is signed by somebody else than its sender. */
import type { Json } from '../../../src/codec/json.ts'
import { leafHash } from '../../../src/objects/block.ts'
import { decodeTransaction, signingBytes } from '../../../src/objects/transaction.ts'
import { type Answer, anchor, certify, header, keys, quorum, transfer } from './small-chain.ts'

const { signatures: _, ...unsigned } = transfer(0).transaction
const signatures = [{ key: keys.alice.address, signature: keys.bob.sign(signingBytes(unsigned)) }]
const { id, hash, transaction } = decodeTransaction({ ...unsigned, signatures } as unknown as Json)
const block = header(1, { count: 1, transactionsRoot: leafHash(hash, 'committed') })
const place = { status: 'committed', index: 0, transaction }

export const forgedAnswer: Answer = {
  ...place,
  id,
  height: 1,
  proof: {
    kind: 'transaction',
    genesis: anchor,
    hops: [],
    header: block,
    certificate: certify(block, quorum),
    ...place,
    path: [],
  },
}
