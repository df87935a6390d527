/**
 * A sender who wants each of its transactions committed, whatever happens to the node meanwhile: what got no
 * answer is submitted again, the very same, until it gets one.
 */
import type { Client } from '../../src/client/client.ts'
import { isProblem, problemError, RequestError } from '../../src/client/request-error.ts'
import { signTransaction } from '../../src/client/sign-transaction.ts'
import type { FinalTransaction, Submission } from '../../src/node/service.ts'
import { createNodeSigner } from '../../src/runtime/node/keys.ts'
import type { Address, Amount, NetworkId } from '../../src/units.ts'
import { pick, type Random } from './random.ts'

export interface World {
  readonly network: NetworkId
  readonly random: Random
  readonly addresses: readonly Address[]
  /** Called with each answer that a transaction is final. */
  readonly onFinal: (final: FinalTransaction) => void
  /** Ends the submitting though the node is there. */
  readonly over?: AbortSignal
}

export interface Sender {
  readonly address: Address
  /** Submits until the node is gone, or the world is over. */
  readonly submitUntilGone: (client: Client, world: World) => Promise<void>
}

const validForS = 3_600

/** @param perRequest - 1: singly, each waited for; more: as NDJSON */
export const createSender = (number: number, perRequest: number): Sender => {
  const signer = createNodeSigner(new Uint8Array(32).fill(number))
  let nonce = 0
  let unanswered: readonly string[] = []

  const signNext = async ({ network, random, addresses }: World): Promise<string> => {
    const amount = String(1 + Math.floor(random() * 9)) as Amount
    const parts = {
      network,
      nonce: nonce++,
      validUntil: Math.floor(Date.now() / 1_000) + validForS,
      operations: [{ type: 'transfer' as const, to: pick(random, addresses), amount }],
    }
    return (await signTransaction(parts, signer)).text
  }

  const submitUntilGone: Sender['submitUntilGone'] = async (client, world) => {
    while (!world.over?.aborted) {
      while (unanswered.length < perRequest) unanswered = [...unanswered, await signNext(world)]
      const answers = await unlessGone(submitAll(client, unanswered))
      if (answers === undefined) return
      for (const answer of answers) if (answer.status !== 'pending') world.onFinal(answer)
      // A node that is closing says of those that wait what it knows by then: pending.
      if (answers.every(({ status }) => status !== 'pending')) unanswered = []
    }
  }
  return { address: signer.address, submitUntilGone }
}

/** The last one is waited for; it can't be final before those in front of it. */
const submitAll = async (client: Client, texts: readonly string[]): Promise<readonly Submission[]> => {
  if (texts.length > 1) await submitTogether(client, texts)
  const answer = await client.submit(texts.at(-1)!, { wait: true })
  return texts.length > 1 ? submitTogether(client, texts) : [answer]
}

const submitTogether = async (client: Client, texts: readonly string[]): Promise<readonly Submission[]> => {
  const answers = await client.submitNdjson(texts)
  return answers.map((answer) => {
    if (isProblem(answer)) throw problemError(answer)
    return answer
  })
}

const unlessGone = async <Value>(answer: Promise<Value>): Promise<Value | undefined> => {
  try {
    return await answer
  } catch (error) {
    if (error instanceof RequestError && goneCodes.has(error.code)) return undefined
    throw error
  }
}

const goneCodes = new Set(['unreachable', 'shutting-down'])
