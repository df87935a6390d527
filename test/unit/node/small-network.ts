/** A chain of four validators without a network: blocks are made by hand, and all of the next set sign them. */
import memoryDriver from 'unstorage/drivers/memory'
import { signTransaction } from '../../../src/client/sign-transaction.ts'
import { type Candidate, Chain } from '../../../src/node/chain.ts'
import { foundNetwork } from '../../../src/node/found-network.ts'
import { verifiedEvidenceOf } from '../../../src/node/verify-evidence.ts'
import { type Evidence, evidenceText } from '../../../src/objects/evidence.ts'
import type { Operation } from '../../../src/objects/operation.ts'
import type { Parameters } from '../../../src/objects/parameters.ts'
import type { DecodedTransaction } from '../../../src/objects/transaction.ts'
import { type Verified, verified } from '../../../src/objects/verified.ts'
import {
  type Certificate,
  type ConsensusMessage,
  messageSigningText,
  type UnsignedMessage,
} from '../../../src/objects/vote.ts'
import type { Signer } from '../../../src/ports/keys.ts'
import type { ObjectStore } from '../../../src/ports/object-store.ts'
import { createNodeSigner } from '../../../src/runtime/node/keys.ts'
import { openUnstorageStore } from '../../../src/storage/unstorage-store.ts'
import {
  type Address,
  height as asHeight,
  round as asRound,
  type BlockHash,
  unixMs,
} from '../../../src/units.ts'

export const startTime = unixMs(1_790_000_000_000)

/** Sorted by address. */
export const signers: readonly Signer[] = [1, 2, 3, 4]
  .map((byte) => createNodeSigner(new Uint8Array(32).fill(byte)))
  .sort((one, other) => (one.address < other.address ? -1 : 1))

export const signMessage = async (
  signer: Signer,
  message: Omit<UnsignedMessage, 'validator'>,
): Promise<Verified<ConsensusMessage>> => {
  const unsigned = { ...message, validator: signer.address } as UnsignedMessage
  const signature = await signer.sign(messageSigningText(unsigned))
  return verified({ ...unsigned, signature } as ConsensusMessage)
}

export interface SmallNetwork {
  readonly chain: Chain
  readonly store: ObjectStore
  /** Executes and commits the next block. */
  block(contents?: {
    readonly transactions?: readonly DecodedTransaction[]
    readonly evidence?: readonly Verified<Evidence>[]
    readonly afterMs?: number
  }): Promise<Candidate>
  certify(block: BlockHash, at: number): Promise<Certificate>
  /** @param validUntil - without it, ten minutes after the head */
  transaction(
    signer: Signer,
    operations: readonly Operation[],
    validUntil?: number,
  ): Promise<DecodedTransaction>
  /** That this validator has precommitted two blocks at once, truly signed. */
  against(signer: Signer, round?: number): Promise<Verified<Evidence>>
}

/** @param count - of validators, out of {@link signers} */
export const smallNetwork = async (
  count = signers.length,
  parameters: Partial<Parameters> = {},
): Promise<SmallNetwork> => {
  const store = await openUnstorageStore(memoryDriver(), 'none')
  const all = foundNetwork({
    founders: signers.map(({ address }) => address),
    name: 'small',
    time: startTime,
  })
  const genesis = {
    ...all,
    parameters: { ...all.parameters, ...parameters },
    validators: all.validators.slice(0, count),
  }
  const chain = await Chain.create(store, genesis)
  const { network } = chain

  const certify = async (block: BlockHash, at: number): Promise<Certificate> => {
    const voters = signers.filter(({ address }) => chain.head.validators.stakes.has(address))
    const place = { network, height: asHeight(at), round: asRound(0) }
    const votes = voters.map((signer) => signMessage(signer, { kind: 'precommit', ...place, block }))
    const precommits = (await Promise.all(votes)).map(({ validator, signature }) => ({
      validator,
      signature,
    }))
    return { height: place.height, round: place.round, block, precommits }
  }

  return {
    chain,
    store,
    certify,
    block: async ({ transactions = [], evidence = [], afterMs = 1_000 } = {}) => {
      const sorted = [...evidence].sort((one, other) => (evidenceText(one) < evidenceText(other) ? -1 : 1))
      const candidate = await chain.execute(transactions, {
        time: unixMs(chain.head.time + afterMs),
        proposer: chain.head.validators.list[0]!.address,
        evidence: sorted,
      })
      const { hash, header } = candidate.block
      await chain.commit(candidate, await certify(hash, header.height))
      return candidate
    },
    transaction: async (signer, operations, validUntil = Math.floor(chain.head.time / 1_000) + 600) =>
      signTransaction(
        {
          network,
          nonce: (await chain.account(signer.address)).nonce,
          validUntil,
          operations: [...operations],
        },
        signer,
        genesis.parameters,
      ),
    against: async (signer, round = 0) => {
      const place = { network, height: asHeight(1), round: asRound(round) }
      const [one, other] = await Promise.all(
        ['77', '88'].map((byte) =>
          signMessage(signer, { kind: 'precommit', ...place, block: byte.repeat(32) as BlockHash }),
        ),
      )
      return verifiedEvidenceOf(one!, other!)
    },
  }
}

export const addressAt = (at: number): Address => signers[at]!.address
