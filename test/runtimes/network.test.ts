/** Networks whose validators run on different runtimes, as real processes. */
import { describe, it } from 'vitest'
import { killEachUnderLoad, pay, sameBlock } from '../e2e/validators.ts'
import { startMixed } from './mixed-network.ts'
import { bun, deno, node20, node24, node26 } from './runtimes.ts'

describe.each([
  { names: 'Node, Deno, Bun and workerd', runtimes: [node20, deno, bun, 'workerd'] as const },
  { names: 'Node 20, 24 and 26, and Node 20 again', runtimes: [node20, node24, node26, node20] as const },
])('four validators on $names', ({ runtimes }) => {
  it('agree on every block under load, while each is killed and returns in turn, and take the blocks of each', async () => {
    const { network, nodes, restart } = await startMixed(runtimes)
    await killEachUnderLoad(network, nodes, restart)
    for (const node of nodes) await sameBlock(nodes, (await pay(node, 1)).height)
  })
})
