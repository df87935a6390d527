/** In place of `runtime/node/serve.ts`: the same doors behind a port of workerd, with what the Durable Object's node lends them. */
import { setMaxListeners } from 'node:events'
import { createApp } from '../../../routes/app.ts'
import type { ServeOptions } from '../../../src/runtime/node/serve.ts'
import { webSocketDoor } from '../../../src/runtime/workerd/web-socket.ts'
import { closeDoor, openDoor } from './doors.ts'

export const serve = async ({ port, urls, ...parts }: ServeOptions) => {
  const closing = new AbortController()
  setMaxListeners(0, closing.signal)
  const answering = new Set<Promise<Response>>()
  const door = openDoor(port, (request) => {
    const answer = Promise.resolve(app.fetch(request))
    answering.add(answer)
    return answer.finally(() => answering.delete(answer))
  })
  const url = `http://127.0.0.1:${door}`
  const app = createApp({
    ...parts,
    acceptedUrls: [url, `http://localhost:${door}`, ...urls],
    openapiText: '',
    readAsset: async () => undefined,
    webSocket: webSocketDoor,
    closing: closing.signal,
  })
  return {
    url,
    close: async () => {
      closing.abort()
      await Promise.allSettled(answering)
      closeDoor(door)
    },
  }
}
