/**
 * Which part of the internet a URL is in: whoever runs very many nodes has their addresses in few of these.
 *
 * Of an address its /16 (IPv6: /32), as Bitcoin Core groups them; of a name the registrable domain, by a rule of
 * thumb and without the list of public suffixes: the last two labels, or three below a short second level such as
 * `co.uk`. Private addresses, which are dialled only when the operator says so, are groups of their own.
 */
import { isPublicAddress, parseAddress } from './public-address.ts'

export const networkGroupOf = (url: string): string => {
  const { host, hostname } = new URL(url)
  const parts = parseAddress(hostname)
  if (!parts) return domainOf(hostname)
  if (!isPublicAddress(hostname)) return host
  return parts.length === 4 ? parts.slice(0, 2).join('.') : parts.slice(0, 2).map(hex).join(':')
}

const hex = (part: number): string => part.toString(16)

const domainOf = (name: string): string => {
  const labels = name.toLowerCase().replace(/\.$/, '').split('.')
  const [second = '', top = ''] = labels.slice(-2)
  const isBelowShort = top.length === 2 && second.length <= 3 && labels.length > 2
  return labels.slice(isBelowShort ? -3 : -2).join('.')
}
