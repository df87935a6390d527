import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { describeApi } from '../../routes/describe.ts'
import * as examples from '../../routes/examples.ts'
import {
  accountSchema,
  committedBlockSchema,
  consensusSchema,
  eventFrameSchema,
  finalSchema,
  headerViewSchema,
  historySchema,
  pendingSchema,
  problemSchema,
  segmentSchema,
  statusSchema,
  transactionViewSchema,
  validatorsSchema,
} from '../../routes/schemas.ts'
import { openapiText } from '../../src/cli/openapi-text.ts'
import type { Json } from '../../src/codec/json.ts'
import { genesisSchema } from '../../src/objects/genesis.ts'
import { decodeTransaction, signedTextOf } from '../../src/objects/transaction.ts'
import { createNodeVerifier } from '../../src/runtime/node/keys.ts'
import { friend, jsonInit, openWorld, rich } from './world.ts'

interface Operation {
  readonly summary?: string
  readonly operationId?: string
  readonly tags?: readonly string[]
  readonly parameters?: readonly { readonly description?: string }[]
  readonly responses: Readonly<Record<string, { readonly description: string }>>
}
interface Description {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

const description = JSON.parse(JSON.stringify(describeApi())) as Description
const operations = Object.entries(description.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
)

describe('openapi.yaml', () => {
  it('is what the routes say now', async () => {
    const written = readFileSync(join(import.meta.dirname, '../../openapi.yaml'), 'utf8')
    expect(
      written.trimEnd() === (await openapiText()).trimEnd(),
      'openapi.yaml is stale: run `npm run openapi`',
    ).toBe(true)
  })

  it('is OpenAPI 3.1 with words for every operation, parameter and answer', () => {
    expect(description.openapi).toBe('3.1.0')
    for (const { path, method, operation } of operations) {
      const name = `${method} ${path}`
      expect(operation.summary, name).toBeTruthy()
      expect(operation.operationId, name).toBeTruthy()
      expect(operation.tags, name).toHaveLength(1)
      for (const parameter of operation.parameters ?? []) expect(parameter.description, name).toBeTruthy()
      for (const response of Object.values(operation.responses))
        expect(response.description, name).toBeTruthy()
    }
  })

  it('describes every door that there is, and no other', async () => {
    const { app } = await openWorld()
    const doors = app.routes
      .filter(({ method, path }) => method !== 'ALL' && !/^\/(docs|peer)\//.test(path))
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`)
    const described = operations.map(({ path, method }) => `${method.toUpperCase()} ${path}`)
    expect([...new Set(doors)].sort()).toEqual([...described].sort())
  })

  it('has an example transaction that is truly signed', async () => {
    const decoded = decodeTransaction(examples.transaction as unknown as Json)
    expect(decoded.id).toBe(examples.transactionId)
    const { key, signature } = decoded.transaction.signatures[0]!
    const verifier = await createNodeVerifier({ debug() {}, info() {}, warn() {}, error() {} })
    expect(await verifier.verify(key, signedTextOf(decoded), signature)).toBe(true)
  })
})

describe('answers are of the shape that is described', () => {
  it('for every resource, before and after the first block', async () => {
    const world = await openWorld()
    const read = async (path: string) => (await world.ask(path)).json()
    statusSchema.parse(await read('/v1/status'))
    segmentSchema.parse(await read('/v1/blocks'))
    accountSchema.parse(await read(`/v1/accounts/${rich.address}?proof=true`))
    headerViewSchema.parse(await read('/v1/headers/latest'))

    const pending = await world.sign()
    pendingSchema.parse(await (await world.ask('/v1/transactions', jsonInit(pending))).json())
    const final = finalSchema.parse(
      await (await world.commit(await world.sign({ nonce: 1, memo: 'second' }))).json(),
    )

    statusSchema.parse(await read('/v1/status'))
    genesisSchema.parse(await read('/v1/genesis'))
    committedBlockSchema.parse(await read('/v1/blocks/latest'))
    headerViewSchema.parse(await read('/v1/headers/1'))
    headerViewSchema.parse(await read('/v1/headers/latest?proof=true'))
    segmentSchema.parse(await read('/v1/blocks?from=1&limit=10'))
    transactionViewSchema.parse(await read(`/v1/transactions/${final.id}`))
    transactionViewSchema.parse(await read(`/v1/transactions/${final.id}?proof=true`))
    accountSchema.parse(await read(`/v1/accounts/${friend.address}`))
    accountSchema.parse(await read(`/v1/accounts/${friend.address}?proof=true`))
    const history = historySchema.parse(await read(`/v1/accounts/${friend.address}/transactions?limit=2`))
    expect(history.transactions).toHaveLength(2)
    validatorsSchema.parse(await read('/v1/validators'))
    consensusSchema.parse(await read('/v1/consensus'))
    problemSchema.parse(await read('/v1/nowhere'))
  })

  it('for events', async () => {
    const world = await openWorld()
    await world.commit(await world.sign())
    const response = await world.ask('/v1/events?from=0')
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    while (!text.includes('event: transaction') || !text.endsWith('\n\n')) text += (await reader.read()).value
    await reader.cancel()
    const frames = text.split('\n\n').filter((frame) => frame.startsWith('id: '))
    for (const frame of frames) {
      const [, id, type, data] = /^id: (.*)\nevent: (.*)\ndata: (.*)$/.exec(frame)!
      eventFrameSchema.parse({ id, type, data: JSON.parse(data!) })
    }
    expect(frames).toHaveLength(2)
  })
})
