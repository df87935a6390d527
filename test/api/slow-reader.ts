/** A WebSocket client that opens a stream, reads nothing for a while, and then everything. */
import { connect } from 'node:net'

interface Frame {
  readonly id?: string
  readonly type: string
}

/** Frames from a server are unmasked; these are whole ones (RFC 6455 §5.2). */
const parseFrames = (bytes: Buffer) => {
  const frames: Frame[] = []
  let close = { code: 1006, reason: '' }
  let at = bytes.indexOf('\r\n\r\n') + 4
  while (at + 2 <= bytes.length) {
    const short = bytes[at + 1]!
    const [size, head] =
      short < 126
        ? [short, 2]
        : short === 126
          ? [bytes.readUInt16BE(at + 2), 4]
          : [Number(bytes.readBigUInt64BE(at + 2)), 10]
    const payload = bytes.subarray(at + head, at + head + size)
    if ((bytes[at]! & 0x0f) === 8)
      close = { code: payload.readUInt16BE(0), reason: payload.subarray(2).toString() }
    else frames.push(JSON.parse(payload.toString()) as Frame)
    at += head + size
  }
  return { frames, close }
}

export const readSlowly = (port: number, path: string, pauseMs: number) =>
  new Promise<ReturnType<typeof parseFrames>>((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(
        `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`,
      )
      socket.pause()
      setTimeout(() => socket.resume(), pauseMs)
    })
    const chunks: Buffer[] = []
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('error', reject)
    socket.on('end', () => {
      socket.destroy()
      resolve(parseFrames(Buffer.concat(chunks)))
    })
  })
