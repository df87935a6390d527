/** Where the nodes of a new network listen, and under which URLs they dial each other. */
import { TautlineError } from '../errors.ts'
import type { NodePlace } from '../runtime/node/founding.ts'
import { defaultHost, defaultPort } from './flags.ts'

const maxPort = 65_535

/** All on this machine, on ports that follow one another. */
export const placesHere = (count: number, basePort = defaultPort): readonly NodePlace[] =>
  Array.from({ length: count }, (_, at) => {
    const port = portAfter(basePort, at)
    return { url: `http://${defaultHost}:${port}`, host: defaultHost, port }
  })

/**
 * Elsewhere. Who is dialled by https has a proxy before it that ends TLS; who is dialled by http is dialled
 * itself. Ports that were given are listened on whatever is dialled.
 */
export const placesAt = (urls: readonly string[], basePort?: number): readonly NodePlace[] =>
  urls.map((url, at) => {
    const place = listeningPlace(new URL(url))
    return { url, ...place, ...(basePort !== undefined && { port: portAfter(basePort, at) }) }
  })

const listeningPlace = ({ protocol, hostname, port }: URL): { host: string; port: number } => {
  if (protocol === 'https:') return { host: defaultHost, port: defaultPort }
  const isHere = hostname === 'localhost' || hostname === defaultHost
  return { host: isHere ? defaultHost : '0.0.0.0', port: port === '' ? 80 : Number(port) }
}

const portAfter = (basePort: number, count: number): number => {
  const port = basePort + count
  if (basePort > 0 && port <= maxPort) return port
  throw new TautlineError(
    'bad-configuration',
    `there is no port ${basePort === 0 ? 0 : port} for node${count + 1}: choose a --base-port from 1 that leaves room for all`,
  )
}
