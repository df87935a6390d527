/** Sends bytes as they are, and collects what comes back until the other end closes. */
import { connect } from 'node:net'

export interface RawClient {
  send(bytes: string | Uint8Array): void
  pause(): void
  resume(): void
  /** Everything that was received, once the connection is closed. */
  readonly closed: Promise<string>
  received(): string
  destroy(): void
}

export const openRaw = (port: number): RawClient => {
  const socket = connect(port, '127.0.0.1')
  const chunks: Buffer[] = []
  const received = () => Buffer.concat(chunks).toString('latin1')
  socket.on('data', (chunk) => chunks.push(chunk))
  socket.on('end', () => socket.destroy())
  return {
    send: (bytes) => void socket.write(bytes),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    closed: new Promise((resolve) => {
      socket.on('error', () => resolve(received())) // what was sent after the other end had closed
      socket.on('close', () => resolve(received()))
    }),
    received,
    destroy: () => void socket.destroy(),
  }
}

/** The first response in what was received. */
export const statusOf = (received: string): number => Number(/^HTTP\/1\.1 (\d{3})/.exec(received)?.[1])
export const codeOf = (received: string): string | undefined =>
  /"type":"\/problems\/([a-z-]+)"/.exec(received)?.[1]
