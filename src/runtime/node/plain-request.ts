/** One HTTP request to a peer, within limits: what it sends beyond them is never read. */
import type { PlainAnswer, PlainRequest } from '../../ports/transport.ts'

/** @throws Error with a sentence on why there was no answer */
export const plainRequest = async (url: string, request: PlainRequest): Promise<PlainAnswer> => {
  const { method, path, body, maxBytes, timeoutMs } = request
  try {
    const response = await fetch(`${url}${path}`, {
      method,
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
      ...(body !== undefined && { body, headers: { 'content-type': 'application/json' } }),
    })
    return { status: response.status, text: await readText(response, maxBytes) }
  } catch (cause) {
    throw new Error(`${url} gives no answer (${reasonOf(cause, timeoutMs)})`, { cause })
  }
}

const readText = async (response: Response, maxBytes: number): Promise<string> => {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let text = ''
  let bytes = 0
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length
    if (bytes > maxBytes) throw new Error(`more than ${maxBytes} bytes`)
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

// fetch says "fetch failed", and why only in its cause; a name with several addresses has one cause for each.
const reasonOf = (error: unknown, timeoutMs: number): string => {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return `within ${timeoutMs / 1_000} s`
  if (error instanceof AggregateError && error.message === '') return reasonOf(error.errors[0], timeoutMs)
  return error.cause === undefined ? error.message : reasonOf(error.cause, timeoutMs)
}
