import { describe, expect, it } from 'vitest'
import { type ProblemCode, problemResponse, problems, toProblem } from '../../../routes/problem.ts'
import { TautlineError } from '../../../src/errors.ts'
import type { Log } from '../../../src/ports/log.ts'

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} }
const codes = Object.keys(problems) as ProblemCode[]

describe('problems', () => {
  it('says when to come again wherever that may help, and nowhere else', () => {
    for (const code of codes) {
      const { status, retryAfterSeconds } = problems[code]
      expect([code, retryAfterSeconds !== undefined]).toEqual([code, status === 429 || status === 503])
    }
  })

  it('has 5xx without Retry-After only for what the operator must mend', () => {
    const mends = codes.filter((code) => problems[code].status === 500)
    expect(mends).toEqual([
      'bad-configuration',
      'folder-in-use',
      'damaged-folder',
      'ledger-mismatch',
      'internal-error',
    ])
  })

  it('is an RFC 9457 problem with details beside its members', async () => {
    const error = new TautlineError('nonce-used', 'nonce 3 is used', { nonce: 5 })
    const response = problemResponse(error, silent)
    expect(response.status).toBe(422)
    expect(response.headers.get('content-type')).toBe('application/problem+json')
    expect(await response.json()).toEqual({
      type: '/problems/nonce-used',
      title: 'Nonce used',
      status: 422,
      detail: 'nonce 3 is used',
      nonce: 5,
    })
  })

  it('lets no detail replace a member', () => {
    const error = new TautlineError('nonce-used', 'nonce 3 is used', {
      status: 200,
      type: 'mine',
      detail: '',
    })
    expect(toProblem(error, silent)).toMatchObject({
      status: 422,
      type: '/problems/nonce-used',
      detail: 'nonce 3 is used',
    })
  })

  it('tells the log, and not the asker, what an unexpected error was', async () => {
    const logged: unknown[] = []
    const log: Log = { ...silent, error: (message, details) => logged.push({ message, details }) }
    const response = problemResponse(new TypeError('secret is undefined'), log)
    expect(response.status).toBe(500)
    expect(await response.text()).not.toContain('secret')
    expect(JSON.stringify(logged)).toContain('secret is undefined')
  })

  it('names the way in where credentials are missing, and the methods that there are', () => {
    expect(
      problemResponse(new TautlineError('unauthorized', 'who are you'), silent).headers.get(
        'www-authenticate',
      ),
    ).toMatch(/^Bearer/)
    const refused = problemResponse(new TautlineError('method-not-allowed', 'no'), silent, {
      allow: 'GET, HEAD',
    })
    expect(refused.headers.get('allow')).toBe('GET, HEAD')
  })
})
