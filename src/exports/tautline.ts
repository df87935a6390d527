/**
 * `tautline`: a whole node inside another program, on Node, Deno and Bun, with a data folder and doors of its own.
 *
 * One file of this room for each entry of the package that gathers what other programs may import; a test holds them
 * to what they promise. Nothing is decided here.
 */
import { startOptions } from '../cli/start-options.ts'
import type { Keep } from '../node/pruner.ts'
import type { NodeService } from '../node/service.ts'
import { parseJoinString } from '../objects/join-string.ts'
import type { Log } from '../ports/log.ts'
import { startFromFolder } from '../runtime/node/start.ts'
import type { Address } from '../units.ts'

export { type ErrorCode, TautlineError } from '../errors.ts'
export type { Keep } from '../node/pruner.ts'
export type * from '../node/service.ts'
export type { Operation } from '../objects/operation.ts'
export type { Transaction } from '../objects/transaction.ts'
export type { Log } from '../ports/log.ts'
export type * from '../units.ts'

/** As the flags of `tautline start`; what is left out is taken from `config.json` in the data folder, then as usual. */
export interface NodeOptions {
  readonly dataFolder: string
  readonly host?: string
  /** 0 takes a free one. */
  readonly port?: number
  /** Where others reach this node. */
  readonly urls?: readonly string[]
  /** Join strings of one network, as its nodes print them. */
  readonly join?: readonly string[]
  /** With `join`: begins with the state after a recent block, without those before it. */
  readonly snapshot?: boolean
  /** Path of the genesis of a network to take part in. */
  readonly genesis?: string
  /** URLs of nodes of the same network to dial. */
  readonly peers?: readonly string[]
  /** The only node keys that are linked; absent: all. */
  readonly allowPeers?: readonly Address[]
  /** Path of a file with the secret that opens the reads. */
  readonly readToken?: string
  /** As `--storage` takes it. */
  readonly storage?: string
  /** How many of the blocks stay in the ledger; absent: all. */
  readonly keep?: Keep
  /** Of the network that a first start makes. */
  readonly name?: string
  /** Lets a key sign that has no record of what it signed before. */
  readonly withoutSignRecord?: boolean
  /** Absent: nothing is said. */
  readonly log?: Log
  /** The node decides nothing any more, and should be closed. */
  readonly onHalt?: (error: unknown) => void
}

export interface RunningNode {
  /** All that the doors answer from. */
  readonly node: NodeService
  readonly url: string
  /** Absolute. */
  readonly dataFolder: string
  /** This start made the network. */
  readonly isNew: boolean
  /** Resolves when everything is on the disk and nothing is running any more. */
  close(): Promise<void>
}

/** @throws TautlineError with a sentence for the operator */
export const startNode = async ({
  dataFolder,
  urls,
  join,
  peers,
  storage = 'level',
  name = 'tautline',
  log = silent,
  onHalt = () => undefined,
  ...options
}: NodeOptions): Promise<RunningNode> => {
  const chosen = await startOptions({
    ...options,
    data: dataFolder,
    storage,
    name,
    ...(urls && { url: urls }),
    ...(peers && { peer: peers }),
    ...(join && { join: join.map(parseJoinString) }),
  })
  return startFromFolder({ ...chosen, log, onHalt })
}

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} }
