/**
 * Events as Server-Sent Events.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
import { encodeUtf8 } from '../src/codec/bytes.ts'
import { cutOffReason, EventFeed, type FeedParts, type FeedSource } from './event-feed.ts'
import { toProblem } from './problem.ts'

export const eventStream = 'text/event-stream'

/** @throws TautlineError when the stream can't begin; later on, a last event says what ended it */
export const respondEventStream = (parts: FeedParts, source: FeedSource): Response => {
  const { limits, log } = parts
  const feed = new EventFeed(parts, source)
  let stalled: ReturnType<typeof setTimeout> | undefined
  let hasLeft = false

  const send = (controller: Controller, frame: string): void => {
    controller.enqueue(encodeUtf8(frame))
    stalled = setTimeout(() => cutOff(controller, cutOffReason), limits.stalledReaderMs)
  }
  const cutOff = (controller: Controller, reason: string): void => {
    feed.end()
    controller.enqueue(encodeUtf8(frameOf('cut-off', { reason }, feed.lastId)))
    controller.close()
  }
  const sendNext = async (controller: Controller): Promise<void> => {
    const event = await feed.next(limits.keepAliveMs)
    if (hasLeft) return // and a stream that its reader has cancelled takes nothing more, not even its end
    if (event === 'quiet') return send(controller, ': nothing new\n\n')
    if (event) return send(controller, frameOf(event.type, event.data, event.id))
    feed.end()
    controller.close()
  }
  const body = new ReadableStream<Uint8Array>({
    // The first bytes go out at once, so that the reader knows that it is heard.
    start: (controller) => send(controller, ': events follow\n\n'),
    // Called only when the reader has taken what was there.
    pull: async (controller) => {
      clearTimeout(stalled)
      await sendNext(controller).catch((error: unknown) => cutOff(controller, toProblem(error, log).detail))
    },
    cancel: () => {
      hasLeft = true
      clearTimeout(stalled)
      feed.end()
    },
  })
  return new Response(body, {
    headers: { 'content-type': eventStream, 'cache-control': 'no-store', 'x-accel-buffering': 'no' },
  })
}

type Controller = ReadableStreamDefaultController<Uint8Array>

const frameOf = (type: string, data: object, id: string | undefined): string =>
  `${id === undefined ? '' : `id: ${id}\n`}event: ${type}\ndata: ${JSON.stringify(data)}\n\n`
