/** Lines of a file that may be larger than memory. */
import { createReadStream } from 'node:fs'
import { decodeUtf8 } from '../codec/bytes.ts'
import { TautlineError } from '../errors.ts'

/** No genesis, block or certificate comes near it. */
export const maxLineBytes = 64 * 1024 * 1024

/**
 * Splits at line feeds alone: `node:readline` would split at U+2028 too, which canonical JSON has in strings.
 *
 * @param onRead - told how many bytes were read so far
 * @throws TautlineError `malformed-json` for a line beyond {@link maxLineBytes} or one that isn't UTF-8
 */
export async function* readLines(path: string, onRead: (bytes: number) => void): AsyncGenerator<string> {
  let bytes = 0
  let begun: Uint8Array[] = []
  for await (const chunk of createReadStream(path) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length
    let start = 0
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, start)) {
      yield decodeUtf8(concat([...begun, chunk.subarray(start, end)]))
      begun = []
      start = end + 1
    }
    begun.push(chunk.subarray(start))
    requireBounded(path, begun)
    onRead(bytes)
  }
  const last = concat(begun)
  if (last.length > 0) yield decodeUtf8(last)
}

const lengthOf = (parts: readonly Uint8Array[]): number => parts.reduce((sum, { length }) => sum + length, 0)

const requireBounded = (path: string, begun: readonly Uint8Array[]): void => {
  if (lengthOf(begun) <= maxLineBytes) return
  throw new TautlineError(
    'malformed-json',
    `${path} has a line of more than ${maxLineBytes} bytes: it is no backup`,
  )
}

const concat = (parts: readonly Uint8Array[]): Uint8Array => {
  const whole = new Uint8Array(lengthOf(parts))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
