/** Answering on a socket that Node's HTTP server has let go of. */
import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'

/** How long the other end has to take an answer and close. */
const lingerMs = 1_000

/** Sends an answer and closes the connection. */
export const answerRaw = async (socket: Duplex, response: Response): Promise<void> => {
  const body = Buffer.from(await response.arrayBuffer())
  const headers = [...response.headers, ['content-length', String(body.length)], ['connection', 'close']]
  const head = `HTTP/1.1 ${response.status} ${STATUS_CODES[response.status]}\r\n${headers.map((pair) => pair.join(': ')).join('\r\n')}\r\n\r\n`
  socket.end(Buffer.concat([Buffer.from(head, 'latin1'), body]))
  letGo(socket)
}

/**
 * Destroys a socket that was ended, once the other end had time to read: at once, what it still sends would
 * make its system throw the answer away.
 */
export const letGo = (socket: Duplex): void => {
  socket.on('error', () => {})
  socket.resume()
  const timer = setTimeout(() => socket.destroy(), lingerMs)
  socket.once('close', () => clearTimeout(timer))
}
