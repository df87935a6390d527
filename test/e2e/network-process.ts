/** Networks of real processes: founded by the command line, each node in the folder that was made for it. */
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { Address, NetworkId } from '../../src/units.ts'
import { program } from './build.ts'
import {
  type NodeProcess,
  type Surroundings,
  spawnProcess,
  tautline,
  temporaryFolder,
  untilAnswering,
} from './node-process.ts'

export interface Founded {
  /** Folder of the network. */
  readonly out: string
  readonly network: NetworkId
  readonly nodes: readonly {
    readonly folder: string
    readonly address: Address
    readonly url: string
  }[]
}

/** A network in folders, on free ports of this machine. */
export const foundNetwork = async (validators: number): Promise<Founded> => {
  const out = join(await temporaryFolder(), 'network')
  const basePort = String(await freePorts(validators))
  const args = ['network', 'create', '--json', '--out', out]
  const made = await tautline([...args, '--validators', String(validators), '--base-port', basePort])
  expect(made, made.stderr).toMatchObject({ code: 0 })
  return { out, ...(JSON.parse(made.stdout) as Omit<Founded, 'out'>) }
}

/** Starts a node as its folder says. */
export const startInFolder = (
  data: string,
  flags: readonly string[] = [],
  surroundings?: Surroundings,
): Promise<NodeProcess> =>
  untilAnswering(
    spawnProcess(process.execPath, [program, 'start', '--json', '--data', data, ...flags], surroundings),
  )

/** As its operator: `POST /v1/peers`. */
export const addPeer = async ({ url, banner }: NodeProcess, peer: string): Promise<void> => {
  const token = (await readFile(banner.token, 'utf8')).trim()
  const answer = await fetch(`${url}/v1/peers`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ url: peer }),
  })
  expect(answer.ok, await answer.text()).toBe(true)
}

/** The first of some ports in a row that nobody listens on. */
export const freePorts = async (count: number): Promise<number> => {
  for (;;) {
    const first = 20_000 + Math.floor(Math.random() * 12_000)
    const ports = Array.from({ length: count }, (_, at) => first + at)
    const free = await Promise.all(ports.map(isFree))
    if (free.every(Boolean)) return first
  }
}

export const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
    server.on('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
