/** Reads Server-Sent Events as they come over the wire. */
import type { LedgerEvent } from '../../src/node/service.ts'

/** Ends when the stream does, also when it breaks off: what came whole until then counts. */
export async function* readEvents(
  url: string,
  after: string,
  signal?: AbortSignal,
): AsyncGenerator<LedgerEvent> {
  let text = ''
  try {
    const response = await fetch(`${url}/v1/events?from=${after}`, signal ? { signal } : {})
    if (!response.ok) throw new Error(`no events: ${await response.text()}`)
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      const frames = (text + chunk).split('\n\n')
      text = frames.pop()!
      for (const frame of frames) if (frame.includes('data: ')) yield parseFrame(frame)
    }
  } catch (error) {
    if (error instanceof TypeError || signal?.aborted) return // how fetch says that the other end is gone
    throw error
  }
}

const parseFrame = (frame: string): LedgerEvent => {
  const fields = Object.fromEntries(
    frame
      .split('\n')
      .map((line): [string, string] => [
        line.slice(0, line.indexOf(': ')),
        line.slice(line.indexOf(': ') + 2),
      ]),
  )
  return { id: fields.id, type: fields.event, data: JSON.parse(fields.data!) } as LedgerEvent
}
