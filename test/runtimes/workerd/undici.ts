/** In place of `undici`: its WebSocket, which can be given headers, made of workerd's own. */
import type { WorkerSocket } from '../../../src/runtime/workerd/platform.ts'

interface Options {
  readonly headers?: Readonly<Record<string, string>>
}

const Plain = globalThis.WebSocket

/** With headers, it is upgraded by `fetch`, the only way of workerd to send some. */
export const WebSocket = class {
  constructor(url: string, { headers }: Options = {}) {
    // biome-ignore lint/correctness/noConstructorReturn: `new` gives one of two kinds
    return (headers === undefined ? new Plain(url) : upgradeWith(url, headers)) as never
  }
}

const upgradeWith = (url: string, headers: Readonly<Record<string, string>>): EventTarget => {
  const events = new EventTarget()
  let socket: WorkerSocket | undefined
  const open = async (): Promise<void> => {
    const init = { headers: { ...headers, upgrade: 'websocket' } }
    const answer = (await fetch(url.replace(/^ws/, 'http'), init)) as Response & { webSocket?: WorkerSocket }
    if (!answer.webSocket) return void events.dispatchEvent(new Event('error'))
    socket = answer.webSocket
    socket.addEventListener('message', ({ data }) =>
      events.dispatchEvent(new MessageEvent('message', { data })),
    )
    socket.addEventListener('close', ({ code, reason }) =>
      events.dispatchEvent(new CloseEvent('close', { code, reason })),
    )
    socket.accept()
    events.dispatchEvent(new Event('open'))
  }
  open().catch(() => events.dispatchEvent(new Event('error')))
  return Object.assign(events, {
    close: () => socket?.close(),
    send: (data: string) => socket?.send(data),
  })
}
