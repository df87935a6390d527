/**
 * Which addresses of the internet protocol lead to the public internet.
 *
 * A URL that a peer has supplied must lead nowhere else: not to this machine, not into its local network, not to
 * the metadata service of a cloud. Judged are addresses as the URL parser writes them, which has turned
 * `0177.0.0.1`, `2130706433` and circled digits into `127.0.0.1` by then; and addresses that names resolve to.
 *
 * @see https://www.iana.org/assignments/iana-ipv4-special-registry and iana-ipv6-special-registry
 */

/** Four bytes, or eight groups of 16 bits. */
export type AddressParts = readonly number[]

/** @param host - as `URL.hostname` gives it, or a bare address; undefined when it is a name */
export const parseAddress = (host: string): AddressParts | undefined => {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(host)) return parseV4(host)
  const bare = host.replace(/^\[(.*)\]$/, '$1').replace(/%.*$/, '')
  return bare.includes(':') ? parseV6(bare) : undefined
}

const parseV4 = (text: string): AddressParts | undefined => {
  const bytes = text.split('.').map(Number)
  return bytes.every((byte) => byte <= 255) ? bytes : undefined
}

const parseV6 = (text: string): AddressParts | undefined => {
  const [head = '', tail, ...more] = text.split('::')
  if (more.length > 0) return undefined
  const first = groupsOf(head)
  const last = tail === undefined ? [] : groupsOf(tail)
  const missing = 8 - first.length - last.length
  if (missing < 0 || (tail === undefined && missing > 0)) return undefined
  const groups = [...first, ...Array<number>(missing).fill(0), ...last]
  return groups.every((group) => group >= 0 && group <= 0xffff) ? groups : undefined
}

const groupsOf = (text: string): readonly number[] =>
  text === ''
    ? []
    : text.split(':').flatMap((part) => (part.includes('.') ? groupsOfV4(part) : [parseHex(part)]))

const parseHex = (part: string): number => (/^[0-9a-f]{1,4}$/i.test(part) ? Number.parseInt(part, 16) : -1)

const groupsOfV4 = (text: string): readonly number[] => {
  const [a, b, c, d] = parseV4(text) ?? []
  return a === undefined ? [-1] : [(a << 8) | b!, (c! << 8) | d!]
}

/** @param address - no name */
export const isPublicAddress = (address: string): boolean => {
  const parts = parseAddress(address)
  if (!parts) return false
  return parts.length === 4 ? isPublicV4(parts) : isPublicV6(parts)
}

type Range = readonly [base: string, bits: number]

const specialV4: readonly Range[] = [
  ['0.0.0.0', 8], // this network
  ['10.0.0.0', 8], // private
  ['100.64.0.0', 10], // shared, behind carriers' NAT
  ['127.0.0.0', 8], // loopback
  ['169.254.0.0', 16], // link-local, and where clouds keep their metadata
  ['172.16.0.0', 12], // private
  ['192.0.0.0', 24], // protocol assignments
  ['192.0.2.0', 24], // documentation
  ['192.88.99.0', 24], // relays of 6to4
  ['192.168.0.0', 16], // private
  ['198.18.0.0', 15], // benchmarks
  ['198.51.100.0', 24], // documentation
  ['203.0.113.0', 24], // documentation
  ['224.0.0.0', 3], // multicast, reserved, broadcast
]

/** Within 2000::/3, outside of which nothing is public. */
const specialV6: readonly Range[] = [
  ['2001::', 23], // protocol assignments, Teredo among them
  ['2001:db8::', 32], // documentation
  ['2002::', 16], // 6to4: an IPv4 address is inside
  ['3fff::', 20], // documentation
]

const isPublicV4 = (bytes: AddressParts): boolean => !specialV4.some((range) => isWithin(bytes, range, 8))

const isPublicV6 = (groups: AddressParts): boolean =>
  isWithin(groups, ['2000::', 3], 16) && !specialV6.some((range) => isWithin(groups, range, 16))

const isWithin = (parts: AddressParts, [base, bits]: Range, width: number): boolean =>
  parseAddress(base)!.every((part, at) => {
    const fixed = Math.min(width, Math.max(0, bits - at * width))
    const mask = (0xffff_ffff << (width - fixed)) & (2 ** width - 1)
    return (part & mask) === (parts[at]! & mask)
  })

/** Names that mean this machine or its surroundings, whatever they resolve to. */
const localName = /(^|\.)(localhost|local|internal|home\.arpa|lan)\.?$/i

/**
 * Why a URL that a peer supplied is not dialled; undefined when only resolving its name could tell.
 *
 * IPv4 within IPv6 (mapped, NAT64) lies outside of what is public there, and is refused with it.
 */
export const refuseSuppliedUrl = (url: string): string | undefined => {
  const { hostname } = new URL(url)
  const isAddress = parseAddress(hostname) !== undefined
  if (isAddress ? isPublicAddress(hostname) : hostname.includes('.') && !localName.test(hostname))
    return undefined
  return `${hostname} is not on the public internet`
}
