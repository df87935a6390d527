/** A page with a node in it, or in a worker of it, and how a test speaks to that. */
import type { Page } from 'playwright-core'
import type { Status, Submission } from '../../../src/node/service.ts'
import type { Address } from '../../../src/units.ts'
import { eventually } from '../node-process.ts'
import { bundle, pageWith, serveSite } from './chromium.ts'
import type { Tab } from './tab.ts'

/** No more than a node in a page needs. */
const policy = "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src http: ws:"

export const serveTab = async (): Promise<string> =>
  serveSite(
    { '/': pageWith('/tab.js'), '/tab.js': await bundle('test/e2e/browser/tab.ts') },
    { 'content-security-policy': policy },
  )

/** Calls what `tab.ts` has. */
export type Call = <Name extends keyof Tab>(
  name: Name,
  ...args: Parameters<Tab[Name]>
) => Promise<Awaited<ReturnType<Tab[Name]>>>

export const openTab = async (page: Page, site: string): Promise<Call> => {
  await page.goto(site)
  await page.waitForFunction('globalThis.tab')
  return (name, ...args) =>
    page.evaluate(
      ({ name, args }) => {
        const { tab } = globalThis as unknown as { tab: Record<string, (...args: unknown[]) => never> }
        return tab[name]!(...args)
      },
      { name, args: args as unknown[] },
    ) as never
}

/** The same in a worker of the page. */
export const openWorkerTab = async (page: Page, site: string): Promise<Call> => {
  await page.goto(site)
  await page.evaluate(() => {
    const worker = new Worker('/tab.js', { type: 'module' })
    const answers = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
    let count = 0
    worker.onmessage = ({ data: { id, value, error } }) => {
      if (error === undefined) answers.get(id)!.resolve(value)
      else answers.get(id)!.reject(new Error(error))
    }
    Object.assign(globalThis, {
      callWorker: (method: string, args: unknown[]) =>
        new Promise((resolve, reject) => {
          answers.set(++count, { resolve, reject })
          worker.postMessage({ id: count, method, args })
        }),
    })
  })
  return (name, ...args) =>
    page.evaluate(
      ({ name, args }) =>
        (globalThis as unknown as { callWorker(name: string, args: unknown[]): never }).callWorker(
          name,
          args,
        ),
      { name, args: args as unknown[] },
    ) as never
}

export const statusOf = (call: Call): Promise<Status> => call('call', 'status') as Promise<Status>

export const hasHeight = (call: Call, height: number): Promise<Status> =>
  eventually(async () => {
    const status = await statusOf(call)
    return status.head.height >= height ? status : undefined
  }, `the tab does not come to block ${height}`)

export const payFromTab = async (call: Call, to: Address, amount: string): Promise<Submission> => {
  const { id } = (await call('call', 'spend', {
    operations: [{ type: 'transfer', to, amount }],
  })) as Submission
  return (await call('call', 'waitUntilFinal', id, 30_000)) as Submission
}

export const heightsAskedFor = (page: Page): readonly number[] => {
  const heights: number[] = []
  page.on('request', (request) => {
    const from = new URL(request.url()).searchParams.get('from')
    if (from !== null) heights.push(Number(from))
  })
  return heights
}
