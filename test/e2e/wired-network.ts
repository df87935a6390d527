/** Four real validators, linked over cables of ours. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import { Cable } from './cable.ts'
import { type Founded, foundNetwork, startInFolder } from './network-process.ts'
import { eventually, type NodeProcess } from './node-process.ts'

const open: Cable[] = []
afterEach(() => {
  for (const cable of open.splice(0)) cable.close()
})

export interface Wired {
  readonly nodes: readonly NodeProcess[]
  /** By who dials, then by who is dialled. */
  readonly cables: readonly (readonly Cable[])[]
}

/** Each node reaches each other over a cable of its own, for links and for blocks that it lacks. */
export const startWired = async (): Promise<Wired> => {
  const network = await foundNetwork(4)
  const cables = await Promise.all(network.nodes.map(() => Promise.all(network.nodes.map(cableTo))))
  await Promise.all(network.nodes.map((_, at) => rewire(network, cables, at)))
  const nodes = await Promise.all(network.nodes.map(({ folder }) => startInFolder(folder)))
  await untilLinked(nodes, 3)
  return { nodes, cables }
}

const cableTo = async ({ url }: Founded['nodes'][number]): Promise<Cable> => {
  const cable = await Cable.to(Number(new URL(url).port))
  open.push(cable)
  return cable
}

const rewire = async (network: Founded, cables: Wired['cables'], at: number): Promise<void> => {
  const { folder, url } = network.nodes[at]!
  const path = join(folder, 'config.json')
  const config = JSON.parse(await readFile(path, 'utf8')) as object
  const urls = [url, ...cables.map((from) => from[at]!.url)]
  const peers = cables[at]!.filter((_, to) => to !== at).map((cable) => cable.url)
  await writeFile(path, JSON.stringify({ ...config, urls, peers }))
}

/** Resolves when each of them has so many links. */
export const untilLinked = async (nodes: readonly NodeProcess[], count: number): Promise<void> => {
  await Promise.all(nodes.map((node) => linked(node, count))).catch(async (cause: unknown) => {
    const views = await Promise.all(nodes.map(({ client }) => client.peers()))
    throw new Error(`the links are these: ${JSON.stringify(views, null, 2)}`, { cause })
  })
}

const linked = (node: NodeProcess, count: number): Promise<true> =>
  eventually(
    async () => (await node.client.status()).peers === count || undefined,
    `${node.url} does not come to ${count} links`,
  ) as Promise<true>
