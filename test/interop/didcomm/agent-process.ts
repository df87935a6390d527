/** The agent that shares no code with ours, as a process that is told what to do and tells what came in. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { Json } from '../../../src/codec/json.ts'

const script = fileURLToPath(new URL('agent-process.mjs', import.meta.url))

/** What an HTTP server answered. */
export interface Answer {
  readonly status: number
  readonly body: string
}

/** What came in at its own HTTP server. */
export interface Received {
  readonly kind: 'message' | 'end' | 'failed'
  readonly message: { readonly id: string; readonly type: string; readonly [header: string]: Json }
  readonly authenticated?: boolean
  readonly rotation?: { readonly iss: string; readonly sub: string; readonly iat: number }
  readonly payload?: { readonly iss: string; readonly iat: number }
  readonly error?: string
}

interface Done {
  readonly kind: 'done'
  readonly id: number
  readonly result?: unknown
  readonly error?: string
}

export class AgentProcess {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  readonly #calls = new Map<number, (done: Done) => void>()
  readonly #received: Received[] = []
  #waiting: ((received: Received) => void) | undefined
  #lastId = 0

  constructor() {
    this.#child = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] })
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#hear(JSON.parse(line)))
  }

  /** Also ends it when the test has failed. */
  end(): void {
    this.#child.kill('SIGKILL')
  }

  /** @throws what it threw */
  async call<Result>(call: string, parameters: Record<string, unknown> = {}): Promise<Result> {
    const id = ++this.#lastId
    const done = new Promise<Done>((resolve) => this.#calls.set(id, resolve))
    this.#child.stdin.write(`${JSON.stringify({ ...parameters, id, call })}\n`)
    const { result, error } = await done
    if (error !== undefined) throw new Error(`the agent couldn't ${call}: ${error}`)
    return result as Result
  }

  /** What came in next, in the order that it came. */
  async next(): Promise<Received> {
    const received =
      this.#received.shift() ?? (await new Promise<Received>((resolve) => (this.#waiting = resolve)))
    if (received.kind === 'failed') throw new Error(`the agent couldn't open what came in: ${received.error}`)
    return received
  }

  #hear(event: Done | Received): void {
    if (event.kind === 'done') {
      this.#calls.get(event.id)?.(event)
      this.#calls.delete(event.id)
    } else if (this.#waiting) {
      this.#waiting(event)
      this.#waiting = undefined
    } else this.#received.push(event)
  }
}
