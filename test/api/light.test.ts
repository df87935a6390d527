/** A light client of a real node, over real sockets; and of one behind whom somebody changes what it says. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createLightApp } from '../../routes/light-app.ts'
import { run } from '../../src/cli/program.ts'
import { createLightClient, type LightOptions, type LightRefusal } from '../../src/client/light-client.ts'
import { canonicalize } from '../../src/codec/json.ts'
import { TautlineError } from '../../src/errors.ts'
import { hashHeader } from '../../src/objects/block.ts'
import type { LightBlock, Origin } from '../../src/objects/light-block.ts'
import { certificateSigningText } from '../../src/objects/vote.ts'
import type { BlockHash, Hash, Signature, TransactionId } from '../../src/units.ts'
import { fakeTerminal } from '../unit/cli/fake-terminal.ts'
import { serveAnswers } from './serve-answers.ts'
import { friend, jsonInit, problemOf, rich, serveWorld } from './world.ts'

type World = Awaited<ReturnType<typeof serveWorld>>

/** Some transfers of the rich account to its friend, each in a block of its own. */
const pay = async ({ url, sign }: World, count: number, first = 0): Promise<readonly TransactionId[]> => {
  const ids: TransactionId[] = []
  for (let nonce = first; nonce < first + count; nonce++) {
    const init = jsonInit(await sign({ nonce }))
    const final = (await (await fetch(`${url}/v1/transactions?wait=committed`, init)).json()) as {
      id: TransactionId
    }
    ids.push(final.id)
  }
  return ids
}

const lightOn = (world: World, options: Partial<LightOptions> = {}) =>
  createLightClient({ join: `${world.url}#${world.node.network}`, ...options })

type Change = (body: never, path: string) => unknown

/** A server that passes on what the node says, but for some paths. */
const liarBefore = (world: World, lies: Readonly<Record<string, Change>>): Promise<string> =>
  serveAnswers(async (path) => {
    const { status, text } = await fetch(world.url + path).then(async (answer) => ({
      status: answer.status,
      text: await answer.text(),
    }))
    const lie = Object.entries(lies).find(([start]) => path.startsWith(start))?.[1]
    return { status, text: lie ? canonicalize(lie(JSON.parse(text) as never, path) as never) : text }
  })

const refusalOf = async (attempt: Promise<unknown>): Promise<LightRefusal> =>
  attempt.then(
    (value) => {
      throw new Error(`nothing was refused: ${JSON.stringify(value)}`)
    },
    (refusal: LightRefusal) => refusal,
  )

describe('a light client of a real node', () => {
  it('knows accounts before the first block, and after it, and what became of transactions', async () => {
    const world = await serveWorld()
    const light = lightOn(world)
    expect(await light.update()).toMatchObject({ height: 0, hash: world.node.network, isPinned: true })
    expect(await light.account(friend.address)).toMatchObject({ balance: '0', block: { height: 0 } })
    const ids = await pay(world, 3)
    const head = world.node.status().head
    expect(await light.account(friend.address)).toMatchObject({ balance: '3', block: head })
    for (const [at, id] of ids.entries())
      expect(await light.transaction(id)).toMatchObject({
        id,
        status: 'committed',
        height: at + 1,
        block: { height: at + 1 },
      })
  })

  it('over changes of the validators, with a witness, and from a pinned block', async () => {
    const world = await serveWorld()
    const operations = [{ type: 'stake.bond' as const, amount: '5000000' as never }]
    await fetch(
      `${world.url}/v1/transactions?wait=committed`,
      jsonInit(await world.sign({ nonce: 0, operations })),
    )
    const [, second] = await pay(world, 3, 1)
    const witness = await liarBefore(world, {})
    const light = lightOn(world, { witnesses: [witness] })
    expect(await light.account(friend.address)).toMatchObject({
      balance: '3',
      block: { height: 4, complaints: [] },
    })
    const pinned = createLightClient({ join: world.node.status().join.replace(/^[^#]*/, world.url) })
    expect(await pinned.update()).toMatchObject({ height: 4, isPinned: true })
    // Below the pinned block nothing is skipped from: it is proven by all changes of the validators.
    expect(await pinned.transaction(second!)).toMatchObject({ block: { height: 3, isPinned: false } })
  })

  it('a transaction that nobody knows is the node’s word; nothing is believed of a private network without its token', async () => {
    const world = await serveWorld({ readToken: 'a-secret-of-members' })
    expect(await refusalOf(lightOn(world).update())).toMatchObject({ code: 'unreachable' })
    const light = lightOn(world, { token: 'a-secret-of-members' })
    expect(await light.update()).toMatchObject({ height: 0 })
    const unknown = 'ab'.repeat(32) as TransactionId
    expect(await refusalOf(light.transaction(unknown))).toMatchObject({ code: 'not-found' })
  })
})

describe('a server that changes what the node says', () => {
  const through = async (world: World, lies: Readonly<Record<string, Change>>) =>
    lightOn(world, { join: `${await liarBefore(world, lies)}#${world.node.network}` })

  it.each<[string, Change, RegExp]>([
    ['a balance', (body: object) => ({ ...body, balance: '1000000' }), /the account is not as stated/],
    [
      'a page of the state',
      ({ proof, ...body }: { proof: { pages: string[] } }) => ({
        ...body,
        proof: { ...proof, pages: proof.pages.map((page) => page.replace('"nonce":', '"nonce":1')) },
      }),
      /page 0 is not the one that belongs there/,
    ],
    ['another account', (body: object) => ({ ...body, address: rich.address }), /address says/],
    ['no proof', ({ proof: _, ...body }: { proof: object }) => body, /`proof` is missing/],
  ])('%s of an account', async (_, change, reason) => {
    const world = await serveWorld()
    await pay(world, 1)
    const light = await through(world, { [`/v1/accounts/${friend.address}`]: change })
    expect(await refusalOf(light.account(friend.address))).toMatchObject({
      code: 'false-proof',
      message: expect.stringMatching(reason),
    })
  })

  it('the account of a block ago, when a newer one has been seen', async () => {
    const world = await serveWorld()
    await pay(world, 1)
    const { address } = friend
    const old = (await (await fetch(`${world.url}/v1/accounts/${address}?proof=true`)).json()) as object
    await pay(world, 1, 1)
    const light = await through(world, { [`/v1/accounts/${address}`]: () => old })
    await light.update()
    expect(await refusalOf(light.account(address))).toMatchObject({ code: 'time-travel' })
  })

  it('the outcome of a transaction, or another one in its place', async () => {
    const world = await serveWorld()
    const [first, second] = await pay(world, 2)
    const failed = await through(world, {
      [`/v1/transactions/${first}`]: (body: object) => ({ ...body, status: 'failed' }),
    })
    expect(await refusalOf(failed.transaction(first!))).toMatchObject({ code: 'false-proof' })
    const other = (await (await fetch(`${world.url}/v1/transactions/${second}?proof=true`)).json()) as object
    const swapped = await through(world, { [`/v1/transactions/${first}`]: () => other })
    expect(await refusalOf(swapped.transaction(first!))).toMatchObject({
      code: 'false-proof',
      message: expect.stringContaining(`asked for transaction ${first}`),
    })
  })

  it('no JSON, and no answer', async () => {
    const world = await serveWorld()
    const light = await through(world, { '/v1/': () => 'nonsense' })
    expect(await refusalOf(light.account(friend.address))).toMatchObject({ code: 'false-proof' })
    await expect(light.update()).rejects.toMatchObject({ code: 'unreachable' })
  })
})

/** The only validator signs another block in place of the newest. */
const forked = (body: LightBlock & { origin?: Origin }): unknown => {
  const header = { ...body.header, stateRoot: 'ee'.repeat(32) as Hash }
  const block = hashHeader(header)
  const text = certificateSigningText(header.network, { ...body.certificate, block })
  const precommits = [{ validator: rich.address, signature: rich.sign(text) as Signature }]
  return { ...body, header, certificate: { ...body.certificate, block: block as BlockHash, precommits } }
}

describe('on the command line', () => {
  const tautline = async (...args: readonly string[]) => {
    const terminal = fakeTerminal()
    const exitCode = await run(args, terminal)
    return { exitCode, out: terminal.printed.join('\n'), err: terminal.complained.join('\n') }
  }
  const joinOf = ({ url, node }: World): string => `${url}#${node.network}`

  it('an account and a transaction, for people and for programs', async () => {
    const world = await serveWorld()
    const [id] = await pay(world, 1)
    const { hash } = world.node.status().head
    const account = await tautline('light', 'account', friend.address, '--join', joinOf(world))
    expect(account).toMatchObject({ exitCode: 0, err: '' })
    expect(account.out).toMatch(/^balance +1$/m)
    expect(account.out).toMatch(new RegExp(`^verified by +block 1 of .*, ${hash}$`, 'm'))
    const json = await tautline('light', 'transaction', id!, '--join', joinOf(world), '--json')
    expect(JSON.parse(json.out)).toMatchObject({ status: 'committed', height: 1, block: { hash } })
  })

  it('a block that is trusted and isn’t there is refused with exit code 1', async () => {
    const world = await serveWorld()
    await pay(world, 1)
    const args = ['light', 'account', friend.address, '--join', joinOf(world)]
    expect(await tautline(...args, '--trust', `1:${'ab'.repeat(32)}`)).toMatchObject({
      exitCode: 1,
      out: '',
      err: expect.stringMatching(/its block 1 is .*, and you trust abab/),
    })
    const { hash } = world.node.status().head
    expect(await tautline(...args, '--trust', `1:${hash}`)).toMatchObject({ exitCode: 0 })
    expect(await tautline(...args, '--trust', 'yesterday')).toMatchObject({
      exitCode: 2,
      err: expect.stringMatching(/"yesterday" behind @ is no block/),
    })
  })

  it('a fork is written to a file, which a third party checks', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tautline-light-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    const world = await serveWorld()
    await pay(world, 3)
    const liar = await liarBefore(world, { '/v1/headers/latest': forked, '/v1/headers/3': forked })
    const evidence = join(folder, 'fork.json')
    const { exitCode, err } = await tautline(
      ...['light', 'account', friend.address, '--join', joinOf(world)],
      ...['--witness', liar, '--evidence', evidence],
    )
    expect({ exitCode, err }).toEqual({ exitCode: 1, err: expect.stringContaining(evidence) })
    expect(JSON.parse(await readFile(evidence, 'utf8'))).toMatchObject({ kind: 'fork' })
    const { network } = world.node
    const checked = await tautline('proof', 'check', evidence, '--network', network)
    expect(checked).toMatchObject({ exitCode: 0, err: '' })
    expect(checked.out).toMatch(/^The evidence holds: after block 2 .* are both block 3\.$/m)
    expect(checked.out).toContain(rich.address)
    const json = await tautline('proof', 'check', evidence, '--network', network, '--json')
    expect(JSON.parse(json.out)).toMatchObject({
      ok: true,
      accused: [{ validator: rich.address, charge: 'equivocation' }],
    })
    expect(await tautline('proof', 'check', evidence, '--network', 'ab'.repeat(32))).toMatchObject({
      exitCode: 1,
    })
  })
})

describe('the doors of a light client', () => {
  const host = { headers: { host: '127.0.0.1:8800' } }
  const app = createLightApp({
    reads: {
      head: async () => ({ height: 3 }),
      account: async (address) => ({ address }),
      transaction: async () => {
        throw new TautlineError('unverified', 'it lies', { reason: 'forged' })
      },
    },
    acceptedUrls: ['http://127.0.0.1:8800'],
    log: { debug() {}, info() {}, warn() {}, error() {} },
  })

  it('answer what was verified, and say why something was not', async () => {
    expect(await (await app.request('/v1/headers/latest', host)).json()).toEqual({ height: 3 })
    const account = await app.request(`/v1/accounts/${friend.address}`, host)
    expect(await account.json()).toEqual({ address: friend.address })
    const { code, problem } = await problemOf(await app.request(`/v1/transactions/${'ab'.repeat(32)}`, host))
    expect([code, problem.status, problem.reason]).toEqual(['unverified', 502, 'forged'])
  })

  it('are closed to pages of other names, to what is no address, and to all else', async () => {
    const foreign = { headers: { host: 'evil.example' } }
    expect((await problemOf(await app.request('/v1/headers/latest', foreign))).code).toBe('forbidden-origin')
    for (const path of ['/v1/accounts/me', '/v1/transactions/1'])
      expect((await problemOf(await app.request(path, host))).code).toBe('malformed-request')
    expect((await problemOf(await app.request('/v1/status', host))).code).toBe('not-found')
  })
})
