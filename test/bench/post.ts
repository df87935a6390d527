/**
 * A POST with as little work around it as undici allows: its generator shares the cores with the node, and
 * what it spends the node doesn't have.
 */
import type { Dispatcher } from 'undici'

export interface Answer {
  readonly status: number
  readonly text: string
}

/** @param path - with its query */
export const post = (
  dispatcher: Dispatcher,
  path: string,
  body: Uint8Array,
  contentType = 'application/json',
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    let status = 0
    const chunks: Buffer[] = []
    dispatcher.dispatch(
      { method: 'POST', path, body, headers: { 'content-type': contentType } },
      {
        onRequestStart: () => {},
        onResponseStart: (_, code) => {
          status = code
        },
        onResponseData: (_, chunk) => {
          chunks.push(chunk)
        },
        onResponseEnd: () => resolve({ status, text: Buffer.concat(chunks).toString() }),
        onResponseError: (_, error) => reject(error),
      },
    )
  })
