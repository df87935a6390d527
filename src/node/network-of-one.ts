/** The genesis of a network that begins with a single node, which holds all there is. */
import type { Genesis } from '../objects/genesis.ts'
import type { Address, UnixMs } from '../units.ts'
import { foundNetwork } from './found-network.ts'

export const networkOfOne = (address: Address, name: string, time: UnixMs): Genesis =>
  foundNetwork({ founders: [address], name, time })
