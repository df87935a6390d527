/**
 * One connection that POSTs, as cheap as can be: the generator shares the cores with the node, and what it
 * spends the node doesn't have. A general client spends a third of what the node itself spends on a request.
 */
import { connect, type Socket } from 'node:net'
import type { Answer } from './post.ts'

const endOfHead = Buffer.from('\r\n\r\n')

export class RawConnection {
  readonly #socket: Socket
  readonly #head: string
  #received: Buffer = Buffer.alloc(0)
  #waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | undefined

  constructor(url: string, path: string) {
    const { hostname, port, host } = new URL(url)
    this.#head = `POST ${path} HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\ncontent-length: `
    this.#socket = connect({ host: hostname, port: Number(port), noDelay: true })
    this.#socket.on('data', (chunk) => this.#receive(chunk))
    this.#socket.on('error', (error) => this.#waiting?.reject(error))
    this.#socket.on('close', () => this.#waiting?.reject(new Error('the node closed the connection')))
  }

  /** One request at a time. @param body - ASCII */
  post(body: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      this.#socket.write(`${this.#head}${body.length}\r\n\r\n${body}`, 'latin1')
    })
  }

  close(): void {
    this.#waiting = undefined
    this.#socket.destroy()
  }

  /** All answers here say how long they are. */
  #receive(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk])
    const headEnd = this.#received.indexOf(endOfHead)
    if (headEnd < 0) return
    const head = this.#received.toString('latin1', 0, headEnd)
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1])
    const end = headEnd + endOfHead.length + length
    if (this.#received.length < end) return
    const text = this.#received.toString('utf8', headEnd + endOfHead.length, end)
    this.#received = Buffer.alloc(0)
    this.#waiting?.resolve({ status: Number(head.slice(9, 12)), text })
  }
}
