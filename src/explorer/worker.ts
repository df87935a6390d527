/**
 * The node of the page, in a worker, so that taking in blocks never holds up what the page shows.
 *
 * In: calls of the page. Out: answers, and a view of everything whenever something has changed.
 */
import { type BrowserNode, startInBrowser } from '../runtime/browser/browser.ts'
import { height as asHeight, type Height } from '../units.ts'
import type { BlockLine, Call, Calls, FromWorker, View } from './protocol.ts'

/** How often the page is told, at most, while blocks come in; and in any case, since peers come and go without a block. */
const tellMs = 250
const lookMs = 2_000
/** As many as the page shows. */
const shownBlocks = 8
const shownTransactions = 5

let running: BrowserNode | undefined
const lines = new Map<Height, BlockLine>()

const calls: {
  [Name in keyof Calls]: (...args: Parameters<Calls[Name]>) => Promise<ReturnType<Calls[Name]>>
} = {
  start: async (options) => {
    running = await startInBrowser({
      ...options,
      onHalt: (error) => say({ kind: 'halted', message: messageOf(error) }),
    })
    void keepTelling(running)
    return running.beginning
  },
  send: async ({ to, amount, memo }) =>
    running!.node.spend({
      operations: [{ type: 'transfer', to, amount }],
      ...(memo === undefined ? {} : { memo }),
    }),
  wait: async (id) => running!.node.waitUntilFinal(id, 30_000),
  prove: async (of) => running!.proof(of),
}

const say = (message: FromWorker): void => globalThis.postMessage(message)

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

globalThis.onmessage = async ({ data: { id, name, args } }: MessageEvent<Call>) => {
  try {
    const call = calls[name] as (...args: readonly unknown[]) => Promise<unknown>
    say({ kind: 'answer', id, value: await call(...args) })
  } catch (error) {
    say({ kind: 'failure', id, message: messageOf(error) })
  }
}

const keepTelling = async ({ node }: BrowserNode): Promise<never> => {
  let hasNews = true
  let wake = (): void => undefined
  void (async () => {
    for await (const { type } of node.events({}, new AbortController().signal)) {
      if (type !== 'block') continue
      hasNews = true
      wake()
    }
  })()
  for (;;) {
    hasNews = false
    say({ kind: 'view', view: await readView() })
    await pause(tellMs)
    if (!hasNews) {
      await new Promise<void>((resolve) => {
        wake = resolve
        setTimeout(resolve, lookMs)
      })
    }
  }
}

const pause = (durationMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, durationMs))

const readView = async (): Promise<View> => {
  const { node } = running!
  const status = node.status()
  const { address } = status.node
  const [account, blocks, { transactions: own }] = await Promise.all([
    node.account(address, { proof: false }),
    readBlocks(status.head.height, status.oldest),
    node.history(address, { limit: shownTransactions }),
  ])
  return { status, peers: node.peers(), account, blocks, own }
}

const readBlocks = async (newest: Height, oldest: Height): Promise<readonly BlockLine[]> => {
  const count = Math.max(0, Math.min(shownBlocks, newest - Math.max(oldest, 1) + 1))
  const heights = Array.from({ length: count }, (_, at) => asHeight(newest - at))
  const found = await Promise.all(heights.map((height) => lines.get(height) ?? readLine(height)))
  lines.clear()
  for (const line of found) lines.set(line.height, line)
  return found
}

const readLine = async (at: Height): Promise<BlockLine> => {
  const { hash, block } = (await running!.node.block(at))!
  const { height, time, count, proposer } = block.header
  return { height, hash, time, transactions: count, proposer }
}
