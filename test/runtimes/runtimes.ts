/** Nodes on the programs that run a node as it is built for Node. */
import { program } from '../e2e/build.ts'
import {
  type NodeProcess,
  type Running,
  type Surroundings,
  spawnProcess,
  untilAnswering,
} from '../e2e/node-process.ts'
import { calm, programOf, type Runtime } from './programs.ts'

export * from './programs.ts'

export const spawnOn = async (
  runtime: Runtime,
  args: readonly string[],
  { env, ...surroundings }: Surroundings = {},
): Promise<Running> =>
  spawnProcess(await programOf(runtime), [...runtime.flags, ...args], {
    ...surroundings,
    env: { ...calm, ...env },
  })

/** A node as the folder says. Resolves once it answers. */
export const startInFolderOn = async (
  runtime: Runtime,
  data: string,
  flags: readonly string[] = [],
): Promise<NodeProcess> =>
  untilAnswering(await spawnOn(runtime, [program, 'start', '--json', '--data', data, ...flags]))

/** A node of a new network of its own, on a free port. Resolves once it answers. */
export const startOn = async (runtime: Runtime, data: string): Promise<NodeProcess> =>
  untilAnswering(await spawnOn(runtime, [program, 'start', '--json', '--port', '0', '--data', data]))
