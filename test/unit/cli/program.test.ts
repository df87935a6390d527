import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { buildProgram, run } from '../../../src/cli/program.ts'
import { canonicalize, type Json } from '../../../src/codec/json.ts'
import { defaultParameters } from '../../../src/objects/parameters.ts'
import { decodeTransaction, type Transaction } from '../../../src/objects/transaction.ts'
import { accountAnswer, keys, network, textOf } from '../client/small-chain.ts'
import { fakeTerminal } from './fake-terminal.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tautline-cli-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))
afterEach(() => vi.unstubAllEnvs())

const tautline = async (args: readonly string[], input = '') => {
  const terminal = fakeTerminal(input)
  const exitCode = await run(args, terminal)
  return { exitCode, out: terminal.printed.join('\n'), err: terminal.complained.join('\n') }
}

const allCommands = (command: Command): readonly Command[] => [
  command,
  ...command.commands.flatMap(allCommands),
]
const commands = allCommands(buildProgram(fakeTerminal()))

describe('what a stranger sees', () => {
  it('without arguments: the help, and no failure', async () => {
    const { exitCode, out } = await tautline([])
    expect(exitCode).toBe(0)
    expect(out).toContain('Usage: tautline')
    expect(out).toContain('Exit codes')
  })

  it('the version', async () => {
    const { version } = JSON.parse(
      await readFile(new URL('../../../package.json', import.meta.url), 'utf8'),
    ) as { version: string }
    expect(await tautline(['--version'])).toEqual({ exitCode: 0, out: version, err: '' })
  })

  it.each(commands.map((command) => [command.name(), command] as const))(
    '%s is described, with each of its flags and arguments',
    (_, command) => {
      expect(command.description()).not.toBe('')
      for (const { description, flags } of command.options) expect(description, flags).not.toBe('')
      for (const argument of command.registeredArguments)
        expect(argument.description, argument.name()).not.toBe('')
    },
  )

  it('every flag has its variable, and no two flags of one variable take different things', () => {
    const kinds = new Map<string, boolean>()
    for (const option of commands.flatMap(({ options }) => options)) {
      if (option.long === '--version') continue
      const name = `TAUTLINE_${option.long!.slice(2).replaceAll('-', '_').toUpperCase()}`
      expect(option.envVar).toBe(name)
      expect(kinds.get(name) ?? option.required).toBe(option.required)
      kinds.set(name, option.required)
    }
  })
})

describe('what was typed wrongly is told in one sentence, with exit code 2', () => {
  it.each<[string, readonly string[], RegExp]>([
    [
      'an unknown flag',
      ['start', '--prot', '1'],
      /unknown option '--prot' \(Did you mean --port\?\); see `tautline start --help`$/,
    ],
    [
      'an unknown command',
      ['sttus'],
      /unknown command 'sttus' \(Did you mean status\?\); see `tautline --help`$/,
    ],
    [
      'a port that is none',
      ['start', '--port', '99999'],
      /'99999' is invalid. Expected a port from 0 to 65535/,
    ],
    ['an address with a typing error', ['account', `${keys.alice.address.slice(0, -1)}q`], /taut1… address/],
    ['a network id that is none', ['proof', 'check', '-', '--network', 'x'], /64 lowercase hex digits/],
    ['a network id left out', ['proof', 'check', '-'], /required option '--network <id>' not specified/],
    ['a file left out', ['proof', 'check', '--network', network], /missing required argument 'file'/],
    [
      'a file that is not there',
      ['proof', 'check', '/no/such', '--network', network],
      /^tautline: \/no\/such: there is no such file or folder$/,
    ],
    ['nothing to sign', ['transaction', 'sign'], /nothing to sign: give --to and --amount/],
    [
      'two things to sign',
      ['transaction', 'sign', '--anchor', 'x', '--to', keys.bob.address],
      /cannot be used with/,
    ],
    ['operations that are no JSON', ['transaction', 'sign', '--operations', '[{'], /not JSON/],
    [
      'an operation that is none',
      ['transaction', 'sign', '--operations', '[{"type":"mint"}]'],
      /operations\.0\.type/,
    ],
    [
      'a folder without a key',
      ['key', 'show', '--data', '/no/such'],
      /there is no key at \/no\/such\/node\.key: .*tautline key new/,
    ],
    [
      'no node there',
      ['status', '--node', 'http://127.0.0.1:1'],
      /no node answers at http:\/\/127\.0\.0\.1:1 \(.+\): is it running/,
    ],
    [
      'an unknown storage',
      ['start', '--storage', 'tape', '--data', join(tmpdir(), `tautline-cli-storage-${process.pid}`)],
      /"tape" is unknown/,
    ],
  ])('%s', async (_, args, sentence) => {
    const { exitCode, out, err } = await tautline(args)
    expect(err).toMatch(sentence)
    expect(err).toMatch(/^tautline: [^\n]+$/)
    expect({ exitCode, out }).toEqual({ exitCode: 2, out: '' })
    await rm(join(tmpdir(), `tautline-cli-storage-${process.pid}`), { recursive: true, force: true })
  })
})

describe('variables', () => {
  it('stand in for flags', async () => {
    vi.stubEnv('TAUTLINE_NETWORK', network)
    expect(await tautline(['proof', 'check', '-'], textOf(accountAnswer()))).toMatchObject({ exitCode: 0 })
  })

  it('give way to flags', async () => {
    vi.stubEnv('TAUTLINE_NETWORK', 'a'.repeat(64))
    expect(
      await tautline(['proof', 'check', '-', '--network', network], textOf(accountAnswer())),
    ).toMatchObject({ exitCode: 0 })
  })

  it('are told by name when they are wrong', async () => {
    vi.stubEnv('TAUTLINE_PORT', 'http')
    expect(await tautline(['start'])).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining("from env 'TAUTLINE_PORT'"),
    })
  })

  it.each(['', '0', 'false'])('a switch set to "%s" is off', async (value) => {
    vi.stubEnv('TAUTLINE_JSON', value)
    vi.stubEnv('TAUTLINE_NETWORK', network)
    expect((await tautline(['proof', 'check', '-'], textOf(accountAnswer()))).out).toMatch(/^The proof holds/)
  })

  it('an empty one is none', async () => {
    vi.stubEnv('TAUTLINE_NETWORK', '')
    expect((await tautline(['proof', 'check', '-'])).err).toContain(
      "required option '--network <id>' not specified",
    )
  })
})

describe('proof check', () => {
  it('a proof that holds, from a file', async () => {
    const file = join(folder, 'proof.json')
    await writeFile(file, textOf(accountAnswer()))
    const { exitCode, out } = await tautline(['proof', 'check', file, '--network', network])
    expect(out).toBe(
      `The proof holds: account ${keys.alice.address} had balance 750, nonce 2, stake 10 and 5 unbonding, after block 4 of network test.`,
    )
    expect(exitCode).toBe(0)
  })

  it('one that does not: exit code 1, and why', async () => {
    const { exitCode, out, err } = await tautline(
      ['proof', 'check', '-', '--network', network],
      textOf(accountAnswer()).replace('"750"', '"751"'),
    )
    expect({ exitCode, out }).toEqual({ exitCode: 1, out: '' })
    expect(err).toMatch(/^tautline: the proof does not hold: the account is not as stated/)
  })

  it('for programs: the verdict as JSON, either way', async () => {
    const good = await tautline(
      ['proof', 'check', '-', '--json', '--network', network],
      textOf(accountAnswer()),
    )
    expect(JSON.parse(good.out)).toMatchObject({ ok: true, kind: 'account', height: 4 })
    const bad = await tautline(['proof', 'check', '-', '--json', '--network', network], '{}')
    expect(JSON.parse(bad.out)).toMatchObject({ ok: false })
    expect(bad.exitCode).toBe(1)
  })

  it('bytes that are no text at all', async () => {
    const file = join(folder, 'bytes')
    await writeFile(file, new Uint8Array([0xff, 0xfe]))
    expect(await tautline(['proof', 'check', file, '--network', network])).toMatchObject({
      exitCode: 1,
      err: expect.stringContaining('not UTF-8'),
    })
  })
})

describe('keys', () => {
  it('a key file: made once, closed to others, never replaced', async () => {
    const file = join(folder, 'bob.key')
    const made = await tautline(['key', 'new', '--key-file', file, '--json'])
    expect(made.exitCode).toBe(0)
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    const { address } = JSON.parse(made.out) as { address: string }
    expect((await tautline(['key', 'show', '--key-file', file])).out).toContain(address)
    expect(await tautline(['key', 'new', '--key-file', file])).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining('it exists already'),
    })
    expect((await tautline(['key', 'show', '--key-file', file])).out).toContain(address)
  })

  it("a node's key: made once in its folder, never replaced, and its secret never printed", async () => {
    const data = join(folder, 'data')
    const made = await tautline(['key', 'new', '--data', data, '--json'])
    const { address, file } = JSON.parse(made.out) as { address: string; file: string }
    expect(file).toBe(join(data, 'node.key'))
    expect(JSON.parse((await tautline(['key', 'show', '--data', data, '--json'])).out)).toMatchObject({
      address,
    })
    expect(await tautline(['key', 'new', '--data', data])).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining('holds a key already'),
    })
    expect(made.out).not.toContain((await readFile(file, 'utf8')).trim())
  })

  it('a damaged key file', async () => {
    const file = join(folder, 'damaged.key')
    await writeFile(file, 'hello')
    expect(await tautline(['key', 'show', '--key-file', file])).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining('expected 64 lowercase hex digits'),
    })
  })
})

/** A node that answers as it is told, and keeps what it was sent. */
const fakeNode = async (answers: Readonly<Record<string, Json>>, status = 200) => {
  const posted: string[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString()
    })
    request.on('end', () => {
      if (request.method === 'POST') posted.push(body)
      response.statusCode = request.method === 'POST' ? status : 200
      response.end(JSON.stringify(answers[request.url!.split('?')[0]!.replace(/taut1\w+/, 'ADDRESS')] ?? {}))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url, posted, close: () => new Promise((resolve) => server.close(resolve)) }
}

const aliceKey = async (): Promise<string> => {
  const file = join(folder, 'alice.key')
  await writeFile(file, '01'.repeat(32))
  return file
}

const answersOf = (submission: Json) => ({
  '/v1/status': { network, head: {}, node: { address: keys.alice.address, url: 'http://x' }, mempool: {} },
  '/v1/genesis': { parameters: { ...defaultParameters, feePerKib: '3' }, validators: [] },
  '/v1/accounts/ADDRESS': {
    address: keys.alice.address,
    balance: '9',
    nonce: 7,
    stake: '0',
    unbonding: [],
    height: 4,
  },
  '/v1/transactions': submission,
})

describe('signing', () => {
  const sign = async (...args: readonly string[]): Promise<Transaction> => {
    const { out, err } = await tautline(['transaction', 'sign', '--key-file', await aliceKey(), ...args])
    expect(err).toBe('')
    return decodeTransaction(JSON.parse(out) as Json).transaction
  }

  it('offline: with network and nonce, no node is asked', async () => {
    const offline = ['--network', network, '--nonce', '7', '--node', 'http://127.0.0.1:1']
    const signed = await sign(
      ...offline,
      '--to',
      keys.bob.address,
      '--amount',
      '250',
      '--memo',
      'hi',
      '--valid-until',
      '1800000000',
    )
    expect(signed).toMatchObject({
      network,
      from: keys.alice.address,
      nonce: 7,
      fee: '1',
      memo: 'hi',
      validUntil: 1_800_000_000,
      operations: [{ type: 'transfer', to: keys.bob.address, amount: '250' }],
    })
  })

  it('an anchor, a fee of choice, and an hour to be included in', async () => {
    const nowSeconds = Math.floor(Date.now() / 1_000)
    const signed = await sign('--network', network, '--nonce', '0', '--anchor', 'größe', '--fee', '9')
    expect(signed).toMatchObject({ fee: '9', operations: [{ type: 'anchor', data: 'größe' }] })
    expect(signed.validUntil - nowSeconds).toBeGreaterThanOrEqual(3_600)
  })

  it('any operations', async () => {
    const operations = [
      { type: 'stake.bond', amount: '5' },
      { type: 'stake.unbond', amount: '3' },
    ]
    expect(
      await sign('--network', network, '--nonce', '0', '--operations', JSON.stringify(operations)),
    ).toMatchObject({ operations })
  })

  it('the node fills in network, nonce and price', async () => {
    const node = await fakeNode(answersOf({}))
    expect(await sign('--node', node.url, '--anchor', 'x')).toMatchObject({ network, nonce: 7, fee: '3' })
    await node.close()
  })
})

describe('sending', () => {
  const send = async (submission: Json, status: number, ...args: readonly string[]) => {
    const node = await fakeNode(answersOf(submission), status)
    const result = await tautline([
      'send',
      keys.bob.address,
      '250',
      '--key-file',
      await aliceKey(),
      '--node',
      node.url,
      ...args,
    ])
    await node.close()
    return { ...result, posted: node.posted }
  }
  const final = { id: 'd'.repeat(64), status: 'committed', height: 8, index: 0 }

  it('signs, submits and says where it is', async () => {
    const { exitCode, out, posted } = await send(final, 200)
    expect({ exitCode, out }).toEqual({ exitCode: 0, out: `Committed in block 8 as number 0: ${final.id}` })
    const sent = JSON.parse(posted[0]!) as Json
    expect(canonicalize(sent)).toBe(posted[0])
    expect(decodeTransaction(sent).transaction).toMatchObject({
      nonce: 7,
      operations: [{ to: keys.bob.address, amount: '250' }],
    })
  })

  it('for programs', async () => {
    expect(JSON.parse((await send(final, 200, '--json')).out)).toEqual(final)
  })

  it('a transfer that failed in its block is a no', async () => {
    const reason = { code: 'insufficient-funds', detail: 'the balance is 9', operation: 0 }
    const { exitCode, err } = await send({ ...final, status: 'failed', reason }, 200)
    expect(exitCode).toBe(1)
    expect(err).toMatch(/^tautline: failed in block 8, and paid only its fee: the balance is 9/)
  })

  it('one that is refused at the door is a no', async () => {
    const { exitCode, err } = await send(
      { type: '/problems/insufficient-funds', title: 'x', status: 422, detail: 'the balance is 9' },
      422,
    )
    expect({ exitCode, err }).toEqual({ exitCode: 1, err: 'tautline: the balance is 9' })
  })

  it('one that is not final after the wait is no yes', async () => {
    expect(await send({ id: final.id, status: 'pending' }, 202)).toMatchObject({
      exitCode: 1,
      err: expect.stringContaining(final.id),
    })
  })
})

describe('peers', () => {
  const peersOf = async (view: Json): Promise<string> => {
    const node = await fakeNode({ '/v1/peers': view })
    const { out } = await tautline(['peers', '--node', node.url])
    await node.close()
    return out
  }
  const count = { bytes: 1_200, messages: 7 }

  it('linked, not reached and shut out, each in columns', async () => {
    const linked = { id: keys.bob.address, direction: 'inbound', version: '0.1.0', since: 1_790_000_000_000 }
    const out = await peersOf({
      peers: [{ ...linked, height: 12, sent: { ...count, dropped: 0 }, received: count, score: 100 }],
      dialled: [{ url: 'https://c.example', attempts: 3, failure: 'ECONNREFUSED', next: 1_790_000_005_000 }],
      bans: [{ id: keys.alice.address, until: 1_790_000_600_000, reason: 'a false signature' }],
    })
    const bob = `${keys.bob.address}  by the peer  12      2026-09-21T14:13:20Z  1200 B  1200 B    100    0.1.0`
    expect(out.split('\n')).toEqual([
      `linked with${' '.repeat(54)}dialled      height  since                 sent    received  score  version`,
      bob,
      '',
      'not reached        attempts  next                  why',
      'https://c.example  3         2026-09-21T14:13:25Z  ECONNREFUSED',
      '',
      `shut out${' '.repeat(57)}until                 why`,
      `${keys.alice.address}  2026-09-21T14:23:20Z  a false signature`,
    ])
  })

  it('none', async () => {
    expect(await peersOf({ peers: [], dialled: [], bans: [] })).toMatch(/^No peers: name some with/)
  })
})

describe('the token that a node is shown', () => {
  const askedWith = async (data: string, ...args: readonly string[]) => {
    const shown: (string | undefined)[] = []
    const server = createServer((request, response) => {
      shown.push(request.headers.authorization)
      response.end(JSON.stringify({ peers: [], dialled: [], bans: [] }))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    await writeFile(join(data, 'node.json'), JSON.stringify({ url }))
    const { err } = await tautline(['peers', '--data', data, ...args.map((arg) => arg.replace('URL', url))])
    await new Promise((resolve) => server.close(resolve))
    return { shown, err }
  }
  const dataFolder = async (): Promise<string> => {
    const data = await mkdtemp(join(folder, 'token-'))
    await writeFile(join(data, 'operator.token'), 'of-the-operator\n')
    await writeFile(join(data, 'read.token'), 'of-all-the-members\n')
    return data
  }

  it("is the operator's for the node of the folder, and none for one that is named", async () => {
    const data = await dataFolder()
    expect(await askedWith(data)).toMatchObject({ shown: ['Bearer of-the-operator'] })
    expect(await askedWith(data, '--node', 'URL')).toMatchObject({ shown: [undefined] })
  })

  it('is the read token where one is given, and that one has a form', async () => {
    const data = await dataFolder()
    const file = join(data, 'read.token')
    expect(await askedWith(data, '--node', 'URL', '--read-token', file)).toMatchObject({
      shown: ['Bearer of-all-the-members'],
    })
    await writeFile(file, 'short')
    expect(await askedWith(data, '--read-token', file)).toMatchObject({
      shown: [],
      err: expect.stringMatching(/read\.token holds no read token: expected 16 to 256/),
    })
  })
})

describe('staking', () => {
  const stake = async (submission: Json, status: number, ...args: readonly string[]) => {
    const node = await fakeNode(answersOf(submission), status)
    const data = await mkdtemp(join(folder, 'staker-'))
    await writeFile(join(data, 'node.key'), '01'.repeat(32))
    const result = await tautline(['stake', ...args, '--data', data, '--node', node.url])
    await node.close()
    return { ...result, sent: node.posted.map((text) => JSON.parse(text) as Transaction) }
  }
  const final = { id: 'd'.repeat(64), status: 'committed', height: 8, index: 0 }

  it.each([
    ['bond', /^500 bonded in block 8: from block 9 on this key votes/],
    ['unbond', /^500 unbonded in block 8: it votes no more from block 9 on/],
  ])("%s is signed by the folder's key, and says from when on it counts", async (kind, sentence) => {
    const { exitCode, out, sent } = await stake(final, 200, kind, '500')
    expect(sent).toMatchObject([
      { from: keys.alice.address, nonce: 7, operations: [{ type: `stake.${kind}`, amount: '500' }] },
    ])
    expect(out).toMatch(sentence)
    expect(exitCode).toBe(0)
  })

  it('that failed in its block is a no', async () => {
    const reason = { code: 'operation-fails', detail: 'the stake would be below the least', operation: 0 }
    expect(await stake({ ...final, status: 'failed', reason }, 200, 'bond', '5')).toMatchObject({
      exitCode: 1,
      err: expect.stringContaining('the stake would be below the least'),
    })
  })
})

describe('which node is asked', () => {
  it('the one that runs in the data folder, unless another is named', async () => {
    const node = await fakeNode(answersOf({}))
    const data = await mkdtemp(join(folder, 'running-'))
    await writeFile(join(data, 'node.json'), JSON.stringify({ url: node.url }))
    expect(JSON.parse((await tautline(['account', '--data', data, '--json'])).out)).toMatchObject({
      nonce: 7,
    })
    expect(await tautline(['account', '--data', data, '--node', 'http://127.0.0.1:1'])).toMatchObject({
      exitCode: 2,
    })
    await node.close()
  })
})
