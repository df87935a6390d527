/** A server that answers as a test says, on a free port of this machine. It ends with the test. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

export interface Answer {
  readonly status: number
  /** JSON. */
  readonly text: string
}

/** @param answer - by the path and query; undefined breaks the connection off. @returns its URL */
export const serveAnswers = async (
  answer: (path: string) => Promise<Answer | undefined>,
): Promise<string> => {
  const server = createServer(async ({ url = '' }, response) => {
    const given = await answer(url)
    if (given) response.writeHead(given.status, { 'content-type': 'application/json' }).end(given.text)
    else response.destroy()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
