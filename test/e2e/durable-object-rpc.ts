/** What a test says to the storage of a Durable Object, as JSON: bytes in base64. */
export interface Call {
  readonly of: 'driver' | 'records'
  readonly method: string
  readonly args: readonly unknown[]
}

export const encode = (value: unknown): string =>
  JSON.stringify({ value }, function (this: Record<string, unknown>, key, part: unknown) {
    const held = this[key] // a Buffer has been made something else of by now
    return held instanceof Uint8Array ? { base64: Buffer.from(held).toString('base64') } : part
  })

export const decode = (text: string): unknown => {
  const { value } = JSON.parse(text, (_, part: unknown) =>
    typeof part === 'object' && part !== null && 'base64' in part
      ? new Uint8Array(Buffer.from(String(part.base64), 'base64'))
      : part,
  ) as { value?: unknown }
  return value
}
