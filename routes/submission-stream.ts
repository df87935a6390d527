/**
 * Many transactions in one request: lines in, answers out while more come in.
 *
 * Order is kept everywhere: batches are submitted in the order of their lines and answered in it. What is in
 * memory is bounded by the batches in flight and by the answers that nobody has read yet.
 */
import { decodeUtf8, encodeUtf8 } from '../src/codec/bytes.ts'
import { parseJson } from '../src/codec/json.ts'
import { TautlineError } from '../src/errors.ts'
import type { NodeService, SubmissionResult } from '../src/node/service.ts'
import { type DecodedTransaction, decodeTransaction } from '../src/objects/transaction.ts'
import type { Log } from '../src/ports/log.ts'
import type { Address } from '../src/units.ts'
import { declaredBytes, readChunks, tooLarge } from './body.ts'
import type { Budget, Limits } from './limits.ts'
import { type Line, readLines } from './lines.ts'
import { ndjson } from './media-type.ts'
import { toProblem } from './problem.ts'
import type { Waiting } from './submission.ts'

/** Batches at the node at a time, as far as they have no senders in common: nonces must arrive in their order. */
const batchesInFlight = 3
/** Answers that wait for their reader, in bytes: a sender that reads only when all is sent isn't stopped by them. */
const maxUnreadBytes = 1024 * 1024
/** How long to leave a node in peace that has no room for a whole batch. */
const pauseMs = 50

export interface StreamParts {
  readonly node: NodeService
  readonly limits: Limits
  /** Streams at a time. */
  readonly streams: Budget
  readonly waiting: Waiting
  readonly log: Log
}

/** @throws TautlineError when the stream can't begin; later on, a last line says what ended it */
export const respondStream = (request: Request, parts: StreamParts): Response => {
  declaredBytes(request, parts.limits.streamBytes)
  parts.streams.take(1)
  const gone = new AbortController()
  const answers = answerStream(request, parts, AbortSignal.any([request.signal, gone.signal]))
  const end = onlyOnce(() => parts.streams.giveBack(1))
  const body = new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const { done, value } = await answers.next()
        if (!done) return controller.enqueue(encodeUtf8(value))
        end()
        controller.close()
      },
      cancel: async () => {
        gone.abort()
        end()
        await answers.return()
      },
    },
    new ByteLengthQueuingStrategy({ highWaterMark: maxUnreadBytes }),
  )
  return new Response(body, { headers: { 'content-type': ndjson, 'cache-control': 'no-store' } })
}

const onlyOnce = (action: () => void): (() => void) => {
  let done = false
  return () => {
    if (!done) action()
    done = true
  }
}

async function* answerStream(
  request: Request,
  parts: StreamParts,
  signal: AbortSignal,
): AsyncGenerator<string, void> {
  const { limits } = parts
  const batches = readLines(
    countBytes(
      readChunks(request, { idleMs: limits.streamIdleMs, totalMs: limits.streamMs }),
      limits.streamBytes,
    ),
    limits.jsonBytes,
  )
  const submit = inOrderOfSenders((transactions) => submitPatiently(parts, transactions, signal))
  let nextLine = 1
  const work = (batch: readonly Line[]): Promise<string> => {
    const taken = batch.filter(({ number }) => number <= limits.streamLines)
    nextLine += taken.length
    return answerBatch(taken, submit, parts)
  }
  try {
    yield* pipeline(endAtLine(batches, limits.streamLines), work, parts.waiting.closing)
  } catch (error) {
    if (!signal.aborted) yield lineOf(problemOnLine(error, nextLine, parts.log))
  }
}

async function* countBytes(
  chunks: AsyncIterable<Uint8Array>,
  limitBytes: number,
): AsyncGenerator<Uint8Array> {
  let bytes = 0
  for await (const chunk of chunks) {
    bytes += chunk.length
    if (bytes > limitBytes) throw tooLarge(limitBytes)
    yield chunk
  }
}

/** The batch that crosses the limit is passed on: its first lines count. */
async function* endAtLine(
  batches: AsyncIterable<readonly Line[]>,
  limit: number,
): AsyncGenerator<readonly Line[]> {
  for await (const batch of batches) {
    if (batch[0]!.number <= limit) yield batch
    if (batch.at(-1)!.number > limit) {
      throw new TautlineError(
        'request-too-large',
        `the stream has more than ${limit} lines: send the rest in another`,
        { limitLines: limit },
      )
    }
  }
}

/**
 * Works on a few inputs at a time and gives the results in order, each as soon as it is there.
 *
 * Ends with what the input failed with, after the results of all that came before.
 * @throws TautlineError `shutting-down` when the doors close
 */
async function* pipeline<Input, Output>(
  inputs: AsyncGenerator<Input>,
  work: (input: Input) => Promise<Output>,
  closing: AbortSignal,
): AsyncGenerator<Output> {
  const running: Promise<Output>[] = []
  const closed = abortOf(closing)
  const read = () => settled(Promise.race([inputs.next(), closed.promise]))
  try {
    let next: ReturnType<typeof read> | undefined = read()
    let failure: unknown
    while (next || running.length > 0) {
      const mayRead = next && running.length < batchesInFlight
      const first = await Promise.race([
        ...(mayRead ? [next!] : []),
        ...running.slice(0, 1).map((output) => output.then(() => 'output' as const)),
      ])
      if (first === 'output') {
        yield await running.shift()!
        continue
      }
      const { value, error } = first
      if (error === undefined && !value!.done) {
        running.push(work(value!.value))
        next = read()
      } else {
        failure = error
        next = undefined
      }
    }
    if (failure !== undefined) throw failure
  } finally {
    closed.forget()
    void inputs.return(undefined).catch(() => {})
  }
}

const settled = <Value>(promise: Promise<Value>): Promise<{ value?: Value; error?: unknown }> =>
  promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  )

const abortOf = (signal: AbortSignal): { promise: Promise<never>; forget: () => void } => {
  let onAbort = () => {}
  const promise = new Promise<never>((_, reject) => {
    onAbort = () =>
      reject(
        new TautlineError(
          'shutting-down',
          'this node is shutting down: send the rest to another, or again later',
        ),
      )
    signal.addEventListener('abort', onAbort, { once: true })
  })
  promise.catch(() => {}) // whoever races with it sees it
  if (signal.aborted) onAbort()
  return { promise, forget: () => signal.removeEventListener('abort', onAbort) }
}

type Submit = (transactions: readonly DecodedTransaction[]) => Promise<readonly SubmissionResult[]>

/** Holds a batch back while one that was given before it, and has a sender in common with it, isn't through. */
const inOrderOfSenders = (submit: Submit): Submit => {
  const running = new Set<{ readonly senders: ReadonlySet<Address>; readonly done: Promise<unknown> }>()
  return async (transactions) => {
    const senders = new Set(transactions.map(({ transaction }) => transaction.from))
    const before = [...running].filter((other) => [...senders].some((sender) => other.senders.has(sender)))
    const done = Promise.all(before.map((other) => other.done)).then(() => submit(transactions))
    const batch = { senders, done }
    running.add(batch)
    try {
      return await done
    } finally {
      running.delete(batch)
    }
  }
}

/** Answers each line; never rejects, as long as submitting doesn't. */
const answerBatch = async (
  batch: readonly Line[],
  submit: Submit,
  { limits, log }: StreamParts,
): Promise<string> => {
  const read = batch.map((line) => readLine(line, limits.jsonBytes))
  const results = (
    await submit(read.flatMap(({ transaction }) => (transaction ? [transaction] : [])))
  ).values()
  let answers = ''
  for (const [at, { error }] of read.entries()) {
    const result = error === undefined ? results.next().value! : { error }
    answers += lineOf(result.submission ?? problemOnLine(result.error, batch[at]!.number, log))
  }
  return answers
}

const readLine = (
  { bytes }: Line,
  limitBytes: number,
): { transaction?: DecodedTransaction; error?: unknown } => {
  try {
    if (!bytes) throw tooLarge(limitBytes)
    return { transaction: decodeTransaction(parseJson(decodeUtf8(bytes))) }
  } catch (error) {
    return { error }
  }
}

/** A node without room for the batch gets time; one that refuses it otherwise refuses each of its lines. */
const submitPatiently = async (
  { node, limits }: StreamParts,
  transactions: readonly DecodedTransaction[],
  signal: AbortSignal,
): Promise<readonly SubmissionResult[]> => {
  const deadlineMs = Date.now() + limits.waitMs
  for (;;) {
    try {
      return transactions.length === 0 ? [] : await node.submitAll(transactions, signal)
    } catch (error) {
      const isFull = error instanceof TautlineError && error.code === 'mempool-full'
      if (!isFull || signal.aborted || Date.now() >= deadlineMs) return transactions.map(() => ({ error }))
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  }
}

const problemOnLine = (error: unknown, line: number, log: Log) => ({ ...toProblem(error, log), line })

const lineOf = (answer: object): string => `${JSON.stringify(answer)}\n`
