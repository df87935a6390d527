/**
 * One machine: a disk, a clock and a key, and the node that runs on it until it crashes and is started again.
 *
 * In: starts, crashes, what the network brings. Out: a whole node over the ports that a real one has.
 */
import { createApp } from '../../routes/app.ts'
import { decodeUtf8 } from '../../src/codec/bytes.ts'
import { Chain } from '../../src/node/chain.ts'
import { Node } from '../../src/node/node.ts'
import { freshSignRecord, readSignRecord, writeSignRecord } from '../../src/node/sign-record.ts'
import type { Genesis } from '../../src/objects/genesis.ts'
import type { Verifier } from '../../src/ports/keys.ts'
import type { Log, LogDetails } from '../../src/ports/log.ts'
import type { Changes, Durability, ObjectStore } from '../../src/ports/object-store.ts'
import type { SignRecordStore } from '../../src/ports/sign-record-store.ts'
import type { PlainAnswer, PlainRequest } from '../../src/ports/transport.ts'
import { openUnstorageStore } from '../../src/storage/unstorage-store.ts'
import type { BlockHash, Height } from '../../src/units.ts'
import {
  describeFault,
  type Fault,
  type FaultyDisk,
  faultyDisk,
  type Survivors,
} from '../faults/faulty-driver.ts'
import type { Chance, Span } from './chance.ts'
import type { InstantSigner } from './keys.ts'
import type { Host, SimulatedNetwork } from './network.ts'
import { slowDisk } from './slow-disk.ts'
import { MachineClock, type VirtualTime } from './virtual-time.ts'

export interface MachineParts {
  readonly name: string
  readonly signer: InstantSigner
  readonly verifier: Verifier
  readonly genesis: Genesis
  /** URLs that its operator gave it. */
  readonly peers: readonly string[]
  /** Its code or its operator lies, or its key is on a second machine too. */
  readonly isLiar: boolean
  /** Honest, but its clock is far off. */
  readonly isSkewed: boolean
  /** Forgets what its key has signed whenever it is started. */
  readonly isForgetful: boolean
  /** Whether its storage writes a block in one batch, and what that survives. */
  readonly hasBatches: boolean
  readonly durability: Durability
  readonly time: VirtualTime
  readonly network: SimulatedNetwork
  readonly chance: Chance
  readonly watch: Watch
  /** What its doors answer in place of what its node does. */
  readonly retell: (request: PlainRequest, answer: PlainAnswer) => PlainAnswer
}

export interface Watch {
  note(machine: Machine, what: string): void
  /** This block is the head, now that it is durable or was found on the disk. */
  onHead(machine: Machine, height: Height, hash: BlockHash): void
  /** The node has stopped itself, or could not be started. */
  onHalt(machine: Machine, error: unknown): void
  onCrash(machine: Machine): void
}

/** From one start to the crash or stop after it. */
interface Life {
  readonly disk: FaultyDisk
  readonly host: Host
  isOver: boolean
  isStopping: boolean
  node?: Node
  chain?: Chain
}

export const urlOf = (name: string): string => `https://${name}.test`

export class Machine {
  readonly name: string
  readonly parts: MachineParts
  readonly clock: MachineClock
  /** How late it gets round to things, and how long its disk takes. */
  lagMs: Span = [0, 0]
  pauseMs: Span = [0, 1]
  #life: Life | undefined
  #survivors: Survivors | undefined
  #lives = 0
  /** The key was made, and its record with it. */
  #hasKey = false

  constructor(parts: MachineParts) {
    this.name = parts.name
    this.parts = parts
    this.clock = new MachineClock(parts.time)
  }

  get url(): string {
    return urlOf(this.name)
  }

  get isRunning(): boolean {
    return this.#life !== undefined
  }

  /** Undefined while it is down or starting. */
  get node(): Node | undefined {
    return this.#life?.node
  }

  get chain(): Chain | undefined {
    return this.#life?.chain
  }

  /** @param fault - of its disk in this life */
  start(fault?: Fault): void {
    if (this.parts.isForgetful) this.#forget()
    const disk = faultyDisk({
      ...(fault && { fault }),
      ...(this.#survivors && { survivors: this.#survivors }),
    })
    const life: Life = {
      disk,
      host: this.#host(() => life.node),
      isOver: false,
      isStopping: false,
    }
    this.#life = life
    this.#lives++
    this.parts.watch.note(this, fault ? `starts, and is to ${describeFault(fault)}` : 'starts')
    disk.death.then(() => this.#end(life))
    this.#boot(life).catch((error: unknown) => {
      if (!life.isOver) this.#halt(life, error)
    })
  }

  /** What the key has signed. */
  #forget(): void {
    this.#survivors = this.#survivors && { ...this.#survivors, signRecord: [] }
    this.#hasKey = false
  }

  /** As by `kill -9`. */
  crash(): void {
    this.#life?.disk.die()
    if (this.#life) this.#end(this.#life)
  }

  /** As the operator does it. */
  async stop(): Promise<void> {
    const life = this.#life
    if (life?.node === undefined || life.isStopping) return
    life.isStopping = true
    this.parts.watch.note(this, 'stops')
    await life.node.close().catch((error: unknown) => {
      if (!life.isOver) this.#halt(life, error)
    })
    this.crash()
  }

  #end(life: Life): void {
    if (life.isOver) return
    life.isOver = true
    this.#survivors = life.disk.survivors()
    this.parts.network.detach(life.host)
    this.#life = undefined
    this.parts.watch.note(this, 'is down')
    this.parts.watch.onCrash(this)
  }

  #halt(life: Life, error: unknown): void {
    this.parts.watch.onHalt(this, error)
    life.disk.die()
    this.#end(life)
  }

  async #boot(life: Life): Promise<void> {
    const { time, network, chance, hasBatches } = this.parts
    const { driver, records } = slowDisk(life.disk, hasBatches, () => time.wait(chance.between(this.pauseMs)))
    await this.#makeKey(records)
    const chain = await this.#openChain(await openUnstorageStore(driver, this.parts.durability))
    life.chain = chain.chain
    network.attach(life.host)
    const node = await Node.start({
      version: 'simulated',
      ...chain,
      records,
      signer: this.parts.signer,
      verifier: this.parts.verifier,
      clock: this.clock.port(
        () => !life.isOver,
        () => chance.between(this.lagMs),
      ),
      log: this.#log(),
      random: chance.fork(`life ${this.#lives}`).port(),
      transport: network.transport(life.host),
      urls: () => [this.url],
      peers: this.parts.peers,
      onHalt: (error) => {
        if (!life.isOver) this.#halt(life, error)
      },
    })
    if (!life.isOver) life.node = node
  }

  /** A key without its record never signs, so a record that is lost later isn't made again. */
  async #makeKey(records: SignRecordStore): Promise<void> {
    if (this.#hasKey) return
    if ((await readSignRecord(records)) === undefined) await writeSignRecord(records, freshSignRecord)
    this.#hasKey = true
  }

  async #openChain(store: ObjectStore): Promise<{ store: ObjectStore; chain: Chain }> {
    const watched = this.#watchStore(store)
    const { genesis, watch } = this.parts
    const chain = (await Chain.open(watched, this.#log())) ?? (await Chain.create(watched, genesis))
    watch.onHead(this, chain.head.height, chain.head.hash)
    return { store: watched, chain }
  }

  /** Changes the store itself. */
  #watchStore(store: ObjectStore): ObjectStore {
    const commit = store.commit.bind(store)
    return Object.assign(store, {
      commit: async (changes: Changes, head: Uint8Array) => {
        await commit(changes, head)
        const { height, hash } = JSON.parse(decodeUtf8(head)) as { height: Height; hash: BlockHash }
        this.parts.watch.onHead(this, height, hash)
      },
    })
  }

  #host(node: () => Node | undefined): Host {
    let doors: ReturnType<typeof createApp> | undefined
    return {
      name: this.name,
      url: this.url,
      accept: (wire) => node()?.acceptPeer(wire, [this.url]),
      answer: async (request) => {
        const running = node()
        if (!running) return { status: 503, text: '' }
        doors ??= this.#openDoors(running)
        const answer = this.parts.retell(request, await knock(doors, this.url, request))
        const { method, path } = request
        this.parts.watch.note(
          this,
          `answers ${method} ${path} with ${answer.status}, ${answer.text.length} characters`,
        )
        return answer
      },
    }
  }

  /** The same that a runtime serves over HTTP. */
  #openDoors(node: Node): ReturnType<typeof createApp> {
    return createApp({
      node,
      operatorToken: 'of nobody here',
      acceptedUrls: [this.url],
      openapiText: '',
      readAsset: async () => undefined,
      closing: new AbortController().signal,
      log: this.#log(),
    })
  }

  #log(): Log {
    const say = (message: string, details: LogDetails = {}): void =>
      this.parts.watch.note(this, `says: ${message} ${JSON.stringify(details)}`)
    return { debug: () => undefined, info: () => undefined, warn: say, error: say }
  }
}

const knock = async (
  doors: ReturnType<typeof createApp>,
  url: string,
  { method, path, body }: PlainRequest,
): Promise<PlainAnswer> => {
  const response = await doors.request(`${url}${path}`, {
    method,
    ...(body !== undefined && { body, headers: { 'content-type': 'application/json' } }),
  })
  return { status: response.status, text: await response.text() }
}
