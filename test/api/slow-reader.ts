/** A WebSocket client that opens a stream, reads nothing for a while, and then everything up to the close. */
import { connect } from 'node:net'

interface Frame {
  readonly id?: string
  readonly type: string
}

interface Slowly {
  readonly frames: readonly Frame[]
  readonly close: { readonly code: number; readonly reason: string }
}

/** Frames of a server are unmasked, and these are whole ones (RFC 6455 §5.2). */
const takeFrame = (bytes: Buffer): { opcode: number; payload: Buffer; rest: Buffer } | undefined => {
  if (bytes.length < 10) return undefined
  const short = bytes[1]!
  const head = short < 126 ? 2 : short === 126 ? 4 : 10
  const size = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2))
  if (bytes.length < head + size) return undefined
  return {
    opcode: bytes[0]! & 0x0f,
    payload: bytes.subarray(head, head + size),
    rest: bytes.subarray(head + size),
  }
}

export const readSlowly = (port: number, path: string, pauseMs: number): Promise<Slowly> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(
        `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`,
      )
      socket.pause()
      setTimeout(() => socket.resume(), pauseMs)
    })
    const frames: Frame[] = []
    let unread: Buffer = Buffer.alloc(0)
    let isOpen = false
    socket.on('data', (chunk: Buffer) => {
      unread = Buffer.concat([unread, chunk])
      if (!isOpen) unread = unread.subarray(unread.indexOf('\r\n\r\n') + 4)
      isOpen = true
      for (let frame = takeFrame(unread); frame; frame = takeFrame(unread)) {
        unread = frame.rest
        if (frame.opcode !== 8) frames.push(JSON.parse(frame.payload.toString()) as Frame)
        else {
          socket.destroy()
          resolve({
            frames,
            close: { code: frame.payload.readUInt16BE(0), reason: frame.payload.subarray(2).toString() },
          })
        }
      }
    })
    socket.on('error', reject)
    socket.on('end', () => reject(new Error(`ended without a close, after ${frames.length} frames`)))
  })
