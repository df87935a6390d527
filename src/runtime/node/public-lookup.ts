/**
 * Resolves names of URLs that peers have supplied: to addresses of the public internet, or not at all.
 *
 * The connection is made to the very address that was judged, so a name that resolves to another one the next time
 * (DNS rebinding) gains nothing. One address in private among many is enough to refuse the name.
 */
import { type LookupAddress, lookup as systemLookup } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { isPublicAddress } from '../../discovery/public-address.ts'

/** All addresses of a name. */
export type ResolveAll = (
  name: string,
  done: (error: Error | null, addresses: readonly LookupAddress[]) => void,
) => void

export const resolveBySystem: ResolveAll = (name, done) =>
  systemLookup(name, { all: true }, (error, addresses) => done(error, addresses))

export const publicLookup =
  (resolve: ResolveAll): LookupFunction =>
  (name, options, callback) =>
    resolve(name, (error, addresses) => {
      const inside = addresses?.find(({ address }) => !isPublicAddress(address))
      const [first] = addresses ?? []
      if (error) callback(error, '')
      else if (inside) callback(notPublic(name, inside.address), '')
      else if (options.all) callback(null, [...addresses])
      else callback(null, first?.address ?? '', first?.family)
    })

const notPublic = (name: string, address: string): Error =>
  new Error(`${name} resolves to ${address}, which is not on the public internet`)
