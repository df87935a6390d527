/** Cables between nodes: what one of them dials goes over a port of ours, and can be cut, each way for itself. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** Seen from who dials. */
export type Way = 'out' | 'back'

export class Cable {
  readonly #server: Server
  readonly #pairs = new Set<{ readonly near: Socket; readonly far: Socket }>()
  readonly #cut = new Set<Way>()
  /** What has got through, both ways. */
  bytes = 0

  private constructor(toPort: number) {
    // A node that half closes is waited for, as on a straight line.
    this.#server = createServer({ allowHalfOpen: true }, (near) => this.#join(near, toPort))
  }

  /** A new way to reach the node on a port of this machine. */
  static async to(port: number): Promise<Cable> {
    const cable = new Cable(port)
    cable.#server.listen(0, '127.0.0.1')
    await once(cable.#server, 'listening')
    return cable
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Nothing gets through, and neither end is told: what is sent waits, as it does for packets that are lost. */
  cut(...ways: readonly Way[]): void {
    for (const way of ways) this.#cut.add(way)
    this.#apply()
  }

  mend(): void {
    this.#cut.clear()
    this.#apply()
  }

  close(): void {
    this.#server.close()
    for (const { near, far } of this.#pairs) for (const socket of [near, far]) socket.destroy()
  }

  #join(near: Socket, toPort: number): void {
    const far = connect({ port: toPort, host: '127.0.0.1', allowHalfOpen: true })
    const pair = { near, far }
    this.#pairs.add(pair)
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on('data', (chunk) => {
        this.bytes += chunk.length
        to.write(chunk)
      })
      from.on('end', () => to.end())
      from.on('error', () => undefined)
      from.on('close', () => {
        this.#pairs.delete(pair)
        to.destroySoon()
      })
    }
    this.#apply()
  }

  #apply(): void {
    for (const { near, far } of this.#pairs) {
      setFlowing(near, !this.#cut.has('out'))
      setFlowing(far, !this.#cut.has('back'))
    }
  }
}

/** A socket that isn't read from doesn't show its end either. */
const setFlowing = (socket: Socket, isFlowing: boolean): void => {
  if (isFlowing) socket.resume()
  else socket.pause()
}
