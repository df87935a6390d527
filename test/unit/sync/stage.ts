/** One sync machine on a stage: peers and the chain are played by the test. */
import { Sync, type SyncEffect, type SyncInput } from '../../../src/sync/sync.ts'
import { type Address, height } from '../../../src/units.ts'

export type Request = Extract<SyncEffect, { kind: 'request' }>
export type Drop = Extract<SyncEffect, { kind: 'drop' }>

export const peer = (name: string): Address => `taut1${name}` as Address

export class Stage {
  readonly machine: Sync
  /** All since the last look. */
  effects: SyncEffect[] = []

  constructor(head = 0) {
    this.machine = new Sync(height(head))
  }

  tell(input: SyncInput): this {
    this.effects.push(...this.machine.step(input))
    return this
  }

  stands(name: string, at: number, oldest = 1): this {
    return this.tell({ kind: 'stands', peer: peer(name), height: height(at), oldest: height(oldest) })
  }

  answer({ request, blocks }: Request, sizeBytes = 1_000, given = blocks, mayBeShort = false): this {
    return this.tell({ kind: 'answered', request, blocks: given, sizeBytes, mayBeShort })
  }

  head(at: number): this {
    return this.tell({ kind: 'head', height: height(at) })
  }

  ticks(count: number): this {
    for (let tick = 0; tick < count; tick++) this.tell({ kind: 'tick' })
    return this
  }

  /** The effects of one kind since the last look at them; others stay. */
  take<Kind extends SyncEffect['kind']>(kind: Kind): readonly Extract<SyncEffect, { kind: Kind }>[] {
    const isWanted = (effect: SyncEffect): effect is Extract<SyncEffect, { kind: Kind }> =>
      effect.kind === kind
    const taken = this.effects.filter(isWanted)
    this.effects = this.effects.filter((effect) => !isWanted(effect))
    return taken
  }

  requests(): readonly Request[] {
    return this.take('request')
  }

  /** The only request since the last look. */
  request(): Request {
    const [request, ...more] = this.requests()
    if (!request || more.length > 0) throw new Error(`${more.length + (request ? 1 : 0)} requests, not one`)
    return request
  }

  used(): readonly number[] {
    return this.take('use').map(({ request }) => request)
  }

  dropped(): readonly string[] {
    return this.take('drop').map(({ peer, fault, reason }) => `${peer} ${fault}: ${reason}`)
  }
}

export const range = ({ from, blocks }: Request): string => `${from}-${from + blocks - 1}`
