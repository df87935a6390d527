import { CommanderError } from 'commander'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { failureOf, NoVerdict } from '../../../src/cli/failure.ts'
import { LightRefusal } from '../../../src/client/light-client.ts'
import { RequestError } from '../../../src/client/request-error.ts'
import { TautlineError } from '../../../src/errors.ts'

const systemError = (code: string, members: object): Error =>
  Object.assign(new Error('a system error'), { code, ...members })

describe('the exit code and the sentence of a failure', () => {
  it.each<[string, unknown, number, RegExp | undefined]>([
    ['help was asked for', new CommanderError(0, 'commander.helpDisplayed', ''), 0, undefined],
    [
      'a wrong flag, which commander has told',
      new CommanderError(1, 'commander.unknownOption', ''),
      2,
      undefined,
    ],
    ['the answer is no', new NoVerdict('it does not hold'), 1, /^it does not hold$/],
    ['a ledger that does not add up', new TautlineError('ledger-mismatch', 'block 3'), 1, /^block 3$/],
    ['a folder in use', new TautlineError('folder-in-use', 'in use'), 2, /^in use$/],
    [
      'a refused transaction',
      new RequestError('insufficient-funds', 'too poor', { status: 422 }),
      1,
      /^too poor$/,
    ],
    ['a URL of something else', new RequestError('not-a-node', 'no node', { status: 404 }), 2, /^no node$/],
    ['a full mempool', new RequestError('mempool-full', 'later', { status: 503 }), 2, /^later$/],
    ['a node that lies', new LightRefusal('forged', 'it lies'), 1, /^it lies$/],
    ['a node that a light client cannot reach', new LightRefusal('unreachable', 'nobody'), 2, /^nobody$/],
    ['nobody there', new RequestError('unreachable', 'nobody'), 2, /^nobody$/],
    [
      'a file that is not there',
      systemError('ENOENT', { path: '/x/y' }),
      2,
      /^\/x\/y: there is no such file or folder$/,
    ],
    [
      'a port in use',
      systemError('EADDRINUSE', { address: '127.0.0.1', port: 1 }),
      2,
      /^127\.0\.0\.1:1: .*--port/,
    ],
    [
      'a bug',
      new Error('broken invariant: x\n    at file.ts:1'),
      2,
      /^unexpected: broken invariant: x; please report it$/,
    ],
    [
      'a schema that did not fit',
      z.object({ a: z.array(z.string()) }).safeParse({ a: [1] }).error,
      2,
      /^unexpected: a\.0: [^\n]*; please report it$/,
    ],
    ['something thrown that is no error', 'x', 2, /^unexpected: x$/],
  ])('%s', (_, error, exitCode, sentence) => {
    const failure = failureOf(error)
    expect(failure.exitCode).toBe(exitCode)
    if (sentence) expect(failure.sentence).toMatch(sentence)
    else expect(failure).not.toHaveProperty('sentence')
  })
})
