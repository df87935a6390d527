/**
 * The writer's lease: of all processes that reach a store on a server, one writes.
 *
 * The server keeps a token, and compares it in the same step in which it writes (so it fences: whoever was
 * paused, or cut off, and has been replaced meanwhile can write nothing more, however late its writes arrive).
 * The lease runs out by the server's own clock, so a writer that died makes room by itself; one that lives
 * renews it, and keeps it over any outage as long as nobody else has taken it.
 */
import { TautlineError } from '../errors.ts'
import type { Writer } from '../ports/object-store.ts'

/** A writer that is killed is waited for this long. */
export const leaseMs = 10_000
const renewMs = leaseMs / 3
/** How often one that waits for a lease to run out looks again. */
const lookMs = 500

/** Somebody else has the lease. */
export interface Held {
  readonly writer: Writer
  /** When it runs out, by the server's clock. */
  readonly untilMs: number
  readonly leftMs: number
}

/** The compare-and-set of a server. */
export interface LeaseServer {
  /** Takes the lease when it has run out, or never was. @returns who has it otherwise */
  take(token: string, writer: Writer): Promise<Held | undefined>
  /** @returns false when it is another's by now */
  renew(token: string, writer: Writer): Promise<boolean>
  /** Lets the next one have it at once. */
  release(token: string): Promise<void>
}

export interface LeaseHolder {
  /** What others are told; may come to know more as time goes by. */
  readonly writer: () => Writer
  /** Somebody else writes: nothing is written from here any more. */
  readonly onLost: (error: TautlineError) => void
}

export interface Lease {
  readonly token: string
  release(): Promise<void>
}

/**
 * Waits for the lease of a writer that has died, and refuses beside one that lives.
 *
 * @param place - names the store in what is said to the operator
 * @throws TautlineError `folder-in-use`
 */
export const acquireLease = async (
  server: LeaseServer,
  place: string,
  { writer, onLost }: LeaseHolder,
): Promise<Lease> => {
  const token = crypto.randomUUID()
  await takeInTurn(server, token, place, writer())
  let timer: ReturnType<typeof setTimeout> | undefined
  let isOver = false
  const renewLater = (): void => {
    timer = setTimeout(() => void renew(), renewMs)
  }
  const renew = async (): Promise<void> => {
    // A server that is away can't have given the lease to anybody.
    const isOurs = await server.renew(token, writer()).catch(() => true)
    if (isOver) return
    if (isOurs) renewLater()
    else onLost(leaseLost(place))
  }
  renewLater()
  return {
    token,
    release: async () => {
      isOver = true
      clearTimeout(timer)
      await server.release(token).catch(() => undefined) // then it runs out
    },
  }
}

export const leaseLost = (place: string): TautlineError =>
  new TautlineError(
    'lease-lost',
    `this node no longer holds the lease to write to ${place}: another node has taken it over, or the server has forgotten it; ` +
      'nothing was written since; see that only one node writes there, then start this one again',
  )

export const readOnly = (place: string): TautlineError =>
  new TautlineError('read-only', `the ledger at ${place} was opened for reading only`)

export const headMoved = (place: string): TautlineError =>
  new TautlineError(
    'lease-lost',
    `the ledger at ${place} has another head than the one that this node wrote: something else has written there; ` +
      'nothing was changed by this node; start it again, and see that it writes there alone',
  )

const takeInTurn = async (
  server: LeaseServer,
  token: string,
  place: string,
  writer: Writer,
): Promise<void> => {
  const first = await server.take(token, writer)
  for (let held = first; held !== undefined; held = await server.take(token, writer)) {
    if (held.untilMs !== first!.untilMs) throw inUse(place, held)
    await new Promise((resolve) => setTimeout(resolve, Math.min(lookMs, held!.leftMs + 1)))
  }
}

const inUse = (place: string, { writer }: Held): TautlineError =>
  new TautlineError(
    'folder-in-use',
    `${place} is written to by another node, ${writer.name}${writer.url === undefined ? '' : ` at ${writer.url}`}: ` +
      'stop that one first, start this one with --read-only, or give it a ledger of its own with ?ledger=NAME',
    { writer: writer.name },
  )
