/** In the page, or in a worker of it: a node that the test speaks to. */
import {
  type BrowserNode,
  type BrowserOptions,
  startInBrowser,
} from '../../../src/runtime/browser/browser.ts'

let running: BrowserNode | undefined
const violations: string[] = []
globalThis.addEventListener('securitypolicyviolation', (event) => {
  violations.push(String((event as SecurityPolicyViolationEvent).blockedURI))
})

const tab = {
  start: async (options: BrowserOptions) => {
    running = await startInBrowser(options)
    return running.beginning
  },
  /** What the page's own policy was broken by. */
  violations: () => violations,
  close: () => running!.close(),
  proof: (of: Parameters<BrowserNode['proof']>[0]) => running!.proof(of),
  call: async (method: string, ...args: unknown[]) => {
    const node = running!.node as unknown as Record<string, (...args: unknown[]) => unknown>
    return node[method]!(...args)
  },
}
export type Tab = typeof tab

const isWorker = !('document' in globalThis)
if (isWorker) {
  globalThis.onmessage = async ({ data: { id, method, args } }: MessageEvent) => {
    try {
      const called = tab[method as keyof Tab] as (...args: unknown[]) => unknown
      globalThis.postMessage({ id, value: await called(...args) })
    } catch (error) {
      globalThis.postMessage({ id, error: String(error) })
    }
  }
}
Object.assign(globalThis, { tab })
