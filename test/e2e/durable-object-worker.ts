/** A worker whose objects do nothing but what a test asks of their storage. */
import type { DurableObjectNamespace, DurableObjectState } from '../../src/runtime/workerd/platform.ts'
import { createSignRecordStore } from '../../src/runtime/workerd/sign-record.ts'
import { durableObjectDriver } from '../../src/storage/durable-object-driver.ts'
import { type Call, decode, encode } from './durable-object-rpc.ts'

type Methods = Readonly<Record<string, (...args: readonly unknown[]) => unknown>>

/** Under the name that the configuration of workerd has. */
export class TautlineNode {
  readonly #parts: Readonly<Record<Call['of'], Methods>>

  constructor({ storage }: DurableObjectState) {
    this.#parts = {
      driver: durableObjectDriver(storage) as unknown as Methods,
      records: createSignRecordStore(storage) as unknown as Methods,
    }
  }

  async fetch(request: Request): Promise<Response> {
    const { of, method, args } = decode(await request.text()) as Call
    return new Response(encode(await this.#parts[of][method]!(...args)))
  }
}

export default {
  fetch: (request: Request, env: { readonly TAUTLINE_NODE: DurableObjectNamespace }): Promise<Response> =>
    env.TAUTLINE_NODE.get(env.TAUTLINE_NODE.idFromName(new URL(request.url).pathname)).fetch(request),
}
