/**
 * Keeps the page itself, so that it opens when the node that it came from is gone: a service worker that knows the
 * page's own files and nothing else. The network comes first; what it gave last is shown when it gives nothing.
 */

interface InstallEvent extends Event {
  waitUntil(done: Promise<unknown>): void
}

interface AskEvent extends InstallEvent {
  readonly request: Request
  respondWith(answer: Promise<Response>): void
}

const kept = 'tautline-page'
const files = ['/peer', '/peer/peer.css', '/peer/peer.js', '/peer/worker.js']

globalThis.addEventListener('install', (event) => {
  ;(event as InstallEvent).waitUntil(caches.open(kept).then((cache) => cache.addAll(files)))
})

globalThis.addEventListener('fetch', (event) => {
  const { request } = event as AskEvent
  const { origin, pathname } = new URL(request.url)
  if (origin === location.origin && files.includes(pathname))
    (event as AskEvent).respondWith(answer(request, pathname))
})

const answer = async (request: Request, pathname: string): Promise<Response> => {
  const cache = await caches.open(kept)
  try {
    const fresh = await fetch(request)
    if (fresh.ok) await cache.put(pathname, fresh.clone())
    return fresh
  } catch (cause) {
    const known = await cache.match(pathname)
    if (known) return known
    throw cause
  }
}
