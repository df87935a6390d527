/** A network whose validators run on different runtimes, as real processes. */
import { foundNetwork } from '../e2e/network-process.ts'
import { allLinked, type Validator } from '../e2e/validators.ts'
import { lastInWorkerd, startWorkerd, withItsRecord } from '../e2e/workerd-process.ts'
import { type Runtime, startInFolderOn } from './runtimes.ts'

/** Each of the nodes that were founded, on a runtime of its own; the one without comes to workerd. */
export const startMixed = async (runtimes: readonly (Runtime | 'workerd')[]) => {
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
