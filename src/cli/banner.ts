/** What a node says of itself when it starts: to somebody new how to use it, to others the essentials. */
import { join, relative } from 'node:path'
import { encodeAddress } from '../codec/address.ts'
import { decodeHex } from '../codec/bytes.ts'
import type { RunningNode } from '../runtime/node/start.ts'
import { table } from './table.ts'

/** Whom the example pays. Its key is in RFC 8032 §7.1, test 1, so what it gets belongs to everybody. */
const exampleReceiver = encodeAddress(
  decodeHex('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'),
)

export const bannerJson = (running: RunningNode): string => {
  const { network, name, node, join: joinString } = running.node.status()
  const { url, dataFolder, isNew } = running
  const token = join(dataFolder, 'operator.token')
  return JSON.stringify({
    address: node.address,
    network,
    name,
    url,
    token,
    dataFolder,
    join: joinString,
    isNew,
  })
}

export const banner = (running: RunningNode): string => {
  const { network, name, node, join: joinString, head } = running.node.status()
  const essentials: readonly (readonly [string, string])[] = [
    ['network', `${name}, ${network}`],
    ['address', node.address],
    ['URL', running.url],
    ['head', `height ${head.height}`],
  ]
  if (!running.isNew) return table(essentials)
  const token = shortPath(join(running.dataFolder, 'operator.token'))
  const rows = [
    ...essentials,
    ['token', `${token} (keep it to yourself)`] as const,
    ['join', joinString] as const,
  ]
  return `A new network of one: this node holds all there is.

${table(rows)}

Try it (the receiver is an example, whose key everybody has):

${examples({ url: running.url, token, readAt: running.url })}
`
}

interface Example {
  /** Of the node that pays. */
  readonly url: string
  /** Path of its token. */
  readonly token: string
  /** Of the node that is asked what the receiver has. */
  readonly readAt: string
}

/** Lines to paste. */
export const examples = ({ url, token, readAt }: Example): string =>
  [
    `curl -s ${url}/v1/status`,
    `curl -s '${url}/v1/wallet/transactions?wait=committed' -H "authorization: Bearer $(cat ${shellQuote(token)})" ` +
      `-H 'content-type: application/json' -d '{"operations":[{"type":"transfer","to":"${exampleReceiver}","amount":"250"}]}'`,
    `curl -s ${readAt}/v1/accounts/${exampleReceiver}`,
  ].join('\n')

/** As one would type it from here. */
export const shortPath = (path: string): string => {
  const fromHere = relative(process.cwd(), path)
  return fromHere.startsWith('..') ? path : fromHere
}

const shellQuote = (text: string): string =>
  /^[\w./@%+=:,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
