/** Replays the one block that follows a chain's head, and commits it. */
import { chainSink, type DecodedBlock } from '../../src/node/block-sink.ts'
import type { Chain } from '../../src/node/chain.ts'
import { Replay, type UncheckedBlock } from '../../src/node/replay.ts'
import type { Verifier } from '../../src/ports/keys.ts'
import { nextHeight } from '../../src/units.ts'

export const replayBlock = async (
  chain: Chain,
  verifier: Verifier,
  unchecked: UncheckedBlock,
): Promise<DecodedBlock> => {
  let applied: DecodedBlock | undefined
  const replay = new Replay({
    sink: chainSink(chain),
    network: chain.network,
    verifier,
    onApplied: (block) => {
      applied = block
    },
  })
  await replay.use(nextHeight(chain.head.height), [unchecked])
  return applied!
}
