/** Networks whose validators run on different runtimes, as real processes. */
import { describe, it } from 'vitest'
import { foundNetwork } from '../e2e/network-process.ts'
import { allLinked, killEachUnderLoad, pay, sameBlock, type Validator } from '../e2e/validators.ts'
import { lastInWorkerd, startWorkerd, withItsRecord } from '../e2e/workerd-process.ts'
import { bun, deno, node20, node24, node26, type Runtime, startInFolderOn } from './runtimes.ts'

/** Each of the nodes that were founded, on a runtime of its own; the one without comes to workerd. */
const startOn = async (runtimes: readonly (Runtime | 'workerd')[]) => {
  const network = await foundNetwork(runtimes.length)
  const inWorkerd = await lastInWorkerd(network)
  const start = (at: number, isFirst: boolean): Promise<Validator> => {
    const runtime = runtimes[at]!
    if (runtime === 'workerd') return startWorkerd(isFirst ? inWorkerd : withItsRecord(inWorkerd))
    return startInFolderOn(runtime, network.nodes[at]!.folder)
  }
  const nodes = await Promise.all(runtimes.map((_, at) => start(at, true)))
  await allLinked(nodes)
  return { network, nodes, restart: (at: number) => start(at, false) }
}

describe.each([
  { names: 'Node, Deno, Bun and workerd', runtimes: [node20, deno, bun, 'workerd'] as const },
  { names: 'Node 20, 24 and 26, and Node 20 again', runtimes: [node20, node24, node26, node20] as const },
])('four validators on $names', ({ runtimes }) => {
  it('agree on every block under load, while each is killed and returns in turn, and take the blocks of each', async () => {
    const { network, nodes, restart } = await startOn(runtimes)
    await killEachUnderLoad(network, nodes, restart)
    for (const node of nodes) await sameBlock(nodes, (await pay(node, 1)).height)
  })
})
