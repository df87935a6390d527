import memoryDriver from 'unstorage/drivers/memory'
import { beforeAll, describe, expect, it } from 'vitest'
import { verifyProof } from '../../../src/client/verify-proof.ts'
import { canonicalize, type Json, parseCanonical } from '../../../src/codec/json.ts'
import { readBackup, writeBackup } from '../../../src/node/backup.ts'
import { Chain } from '../../../src/node/chain.ts'
import { readAccount, readBlock, readSegment, readValidators } from '../../../src/node/queries.ts'
import type { Segment } from '../../../src/node/service.ts'
import { verifyLedger } from '../../../src/node/verify-ledger.ts'
import { type Block, evidenceRoot, hashHeader } from '../../../src/objects/block.ts'
import { type Evidence, evidenceText } from '../../../src/objects/evidence.ts'
import { verified } from '../../../src/objects/verified.ts'
import type { Verifier } from '../../../src/ports/keys.ts'
import { createNodeVerifier } from '../../../src/runtime/node/keys.ts'
import { openUnstorageStore } from '../../../src/storage/unstorage-store.ts'
import { height, type NetworkId, unixMs } from '../../../src/units.ts'
import { replayBlock } from '../../faults/replay-block.ts'
import { silentLog } from '../../faults/whole-node.ts'
import { transfer } from '../ledger/small-ledger.ts'
import { addressAt, type SmallNetwork, signers, smallNetwork } from './small-network.ts'

const [honest, guilty] = [signers[0]!, signers[1]!]
const scratch = () => openUnstorageStore(memoryDriver(), 'none')

let network: SmallNetwork
let verifier: Verifier

/** A transfer, then evidence alone, then a transfer that the remaining three agree on. */
beforeAll(async () => {
  verifier = await createNodeVerifier(silentLog)
  network = await smallNetwork()
  const { block, transaction, against } = network
  await block({ transactions: [await transaction(honest, [transfer(guilty.address, 5)])] })
  await block({ evidence: [await against(guilty)] })
  await block({ transactions: [await transaction(guilty, [transfer(honest.address, 6)])] })
})

describe('a ledger that holds evidence', () => {
  it('shows it in its block, its segment, the account and the validators', async () => {
    const { chain, against } = network
    const evidence = [await against(guilty)]
    const read = await readBlock(chain, height(2))
    expect(read?.block).toMatchObject({ evidence, transactions: [] })
    expect(read?.block.header.evidenceRoot).toBe(evidenceRoot(evidence))
    const { text } = await readSegment(chain, height(1), 10)
    const { blocks } = JSON.parse(text) as Segment
    expect(blocks.map((block) => block.evidence)).toEqual([[], evidence]) // after it others vote
    expect(await readAccount(chain, guilty.address, { proof: false })).toMatchObject({
      stake: '0',
      unbonding: [{ amount: '225000000' }],
      expelled: true,
    })
    expect(await readAccount(chain, honest.address, { proof: false })).not.toHaveProperty('expelled')
    const { validators } = (await readValidators(chain, undefined))!
    expect(validators.map(({ address }) => address)).toEqual([0, 2, 3].map(addressAt))
  })

  it('proves that the key was expelled, and nobody can leave that out or make it up', async () => {
    const { chain } = network
    const answer = async (address: typeof honest.address) =>
      canonicalize((await readAccount(chain, address, { proof: true })) as unknown as Json)
    const text = await answer(guilty.address)
    const check = (changed: string) => verifyProof(changed, { network: chain.network })
    expect(await check(text)).toMatchObject({ ok: true, proves: expect.stringContaining('was expelled') })
    expect(await check(text.replace('"expelled":true,', ''))).toMatchObject({ ok: false })
    const innocent = await answer(honest.address)
    expect(await check(innocent)).toMatchObject({ ok: true })
    const framed = innocent.replace('"height":', '"expelled":true,"height":')
    expect(framed).not.toBe(innocent)
    expect(await check(framed)).toMatchObject({ ok: false })
  })

  it('verifies, with what was burned', async () => {
    const { chain, store } = network
    const found = await verifyLedger(chain, store, await scratch(), verifier, () => undefined)
    expect(found).toMatchObject({
      height: 3,
      transactions: 2,
      burned: 25_000_000n,
      supply: 1_001_000_000_000n,
    })
  })

  it('opens again, by running its blocks again', async () => {
    const reopened = await Chain.open(network.store, silentLog)
    expect(reopened?.head.hash).toBe(network.chain.head.hash)
  })

  it('comes back from a backup', async () => {
    const { chain } = network
    const block = async (at: ReturnType<typeof height>) => ({
      block: parseCanonical(await chain.reader.blockText(at)),
      certificate: (await chain.reader.certificate(at)) as unknown as Json,
    })
    const lines = writeBackup({ genesis: chain.genesis, head: chain.head, block }, '00'.repeat(32))
    const restored = await readBackup(lines, await scratch(), verifier, () => undefined)
    expect(restored.chain.head.hash).toBe(chain.head.hash)
  })
})

describe('a block whose evidence is wrong is refused, whoever certifies it', () => {
  /** On a chain of four at height 0: a block with this evidence, with the header that would be right for it. */
  const replayWith = async (evidence: readonly Evidence[]): Promise<unknown> => {
    const { chain, certify } = await smallNetwork()
    const time = unixMs(chain.head.time + 1_000)
    const terms = { time, proposer: honest.address, evidence: evidence.map(verified) }
    const { header } = (await chain.execute([], terms)).block
    const block: Block = {
      header: { ...header, evidenceRoot: evidenceRoot(evidence) },
      evidence: [...evidence],
      transactions: [],
    }
    return replayBlock(chain, verifier, {
      block: block as unknown as Json,
      certificate: (await certify(hashHeader(block.header), 1)) as unknown as Json,
    })
  }
  const against = async (at: number, round = 0) => network.against(signers[at]!, round)

  it('but when it is right, it is taken, without a transaction or a heartbeat', async () => {
    const { chain } = await smallNetwork()
    expect(chain.network).toBe(network.chain.network)
    expect(await replayWith([await against(1)])).toMatchObject({ evidence: [await against(1)] })
  })

  it('an empty block is still refused before its heartbeat', async () => {
    await expect(replayWith([])).rejects.toThrow(/empty, and no heartbeat/)
  })

  it('one signature of it forged', async () => {
    const { first, second } = await against(1)
    const forged = { first, second: { ...second, signature: first.signature } }
    await expect(replayWith([forged])).rejects.toThrow(/no valid signatures/)
  })

  it('signed by somebody else in the name of the accused', async () => {
    const { first, second } = await against(1)
    const framed = (message: typeof first) => ({ ...message, validator: honest.address })
    await expect(replayWith([{ first: framed(first), second: framed(second) }])).rejects.toThrow(
      /no valid signatures/,
    )
  })

  it('that is none: the same said twice', async () => {
    const { first } = await against(1)
    await expect(replayWith([{ first, second: first }])).rejects.toThrow(/is none/)
  })

  it('of another network', async () => {
    const other = await smallNetwork(3)
    expect(other.chain.network).not.toBe(network.chain.network as NetworkId)
    await expect(replayWith([await other.against(guilty)])).rejects.toThrow(/of network/)
  })

  it('in another order', async () => {
    const pieces = [await against(1), await against(2)]
    pieces.sort((one, other) => (evidenceText(one) < evidenceText(other) ? 1 : -1))
    await expect(replayWith(pieces)).rejects.toThrow(/not sorted/)
  })

  it('against one validator twice', async () => {
    const pieces = [await against(1), await against(1, 1)]
    pieces.sort((one, other) => (evidenceText(one) < evidenceText(other) ? -1 : 1))
    await expect(replayWith(pieces)).rejects.toThrow(/same validator/)
  })

  it('against all validators: one of them stays', async () => {
    const pieces = await Promise.all(signers.map((_, at) => against(at)))
    pieces.sort((one, other) => (evidenceText(one) < evidenceText(other) ? -1 : 1))
    await expect(replayWith(pieces)).rejects.toThrow(/evidenceRoot differ/)
  })

  it('against a key that was expelled before', async () => {
    const { chain, certify, block } = await smallNetwork()
    await block({ evidence: [await against(1)] })
    const again = [await against(1, 1)]
    const terms = { time: unixMs(chain.head.time + 1_000), proposer: honest.address, evidence: again }
    const { header } = (await chain.execute([], terms)).block
    const wrong = { ...header, evidenceRoot: evidenceRoot(again) }
    const replayed = replayBlock(chain, verifier, {
      block: { header: wrong, evidence: again, transactions: [] } as unknown as Json,
      certificate: (await certify(hashHeader(wrong), 2)) as unknown as Json,
    })
    await expect(replayed).rejects.toThrow(/evidenceRoot differ/)
  })
})
