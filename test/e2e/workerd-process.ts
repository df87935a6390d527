/** A node in a Durable Object of the real workerd, with its storage in a folder. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Client, createClient } from '../../src/client/client.ts'
import type { Founded } from './network-process.ts'
import { eventually, type Running, spawnProcess, temporaryFolder } from './node-process.ts'
import { operatorToken, setUpWorkerd, type WorkerdOptions } from './workerd-setup.ts'

export interface WorkerdProcess extends Running {
  readonly url: string
  /** With the operator's token. */
  readonly client: Client
}

export { operatorToken } from './workerd-setup.ts'

/** How the last of the nodes that were founded starts in a Durable Object for the first time: with its key as a secret, and the genesis. */
export const lastInWorkerd = async ({ nodes }: Founded): Promise<WorkerdOptions> => {
  const { folder, url } = nodes.at(-1)!
  return {
    data: await temporaryFolder(),
    port: Number(new URL(url).port),
    bindings: {
      TAUTLINE_KEY: await readFile(join(folder, 'node.key'), 'utf8'),
      TAUTLINE_GENESIS: await readFile(join(folder, 'genesis.json'), 'utf8'),
      TAUTLINE_PEERS: nodes
        .slice(0, -1)
        .map((node) => node.url)
        .join(' '),
      TAUTLINE_WITHOUT_SIGN_RECORD: 'true',
    },
  }
}

/** How it starts from then on. */
export const withItsRecord = (options: WorkerdOptions): WorkerdOptions => ({
  ...options,
  bindings: { ...options.bindings, TAUTLINE_WITHOUT_SIGN_RECORD: '' },
})

/** Resolves once it answers; that wakes the node. */
export const startWorkerd = async (options: WorkerdOptions): Promise<WorkerdProcess> => {
  const { url, ...running } = await spawnWorkerd(options)
  const client = createClient({ url, token: operatorToken })
  await eventually(
    () => client.status().catch(() => undefined),
    `workerd does not answer: ${running.stderr()}`,
  )
  return { ...running, url, client }
}

/** Starts it and asks it nothing. */
export const spawnWorkerd = async (options: WorkerdOptions): Promise<Running & { readonly url: string }> => {
  const { url, program, args } = await setUpWorkerd(options)
  return { url, ...spawnProcess(program, args) }
}
