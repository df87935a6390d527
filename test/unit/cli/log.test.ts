import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { createLog } from '../../../src/cli/log.ts'

const written = (write: (log: ReturnType<typeof createLog>) => void, json: boolean): string => {
  const stream = new PassThrough()
  write(createLog({ json, stream: stream as unknown as NodeJS.WriteStream }))
  return stream.read()?.toString() ?? ''
}

describe('the log', () => {
  it('for programs: one JSON object a line, details beside the message', () => {
    const lines = written((log) => {
      log.info('committed', { height: 3, empty: false })
      log.error('storage\nis full')
    }, true)
      .trimEnd()
      .split('\n')
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      {
        level: 'info',
        message: 'committed',
        height: 3,
        empty: false,
        time: expect.stringMatching(/^\d{4}-.*Z$/),
      },
      { level: 'error', message: 'storage\nis full', time: expect.any(String) },
    ])
  })

  it('a detail never takes the place of level or message', () => {
    const line = written((log) => log.warn('kept', { message: 'lost', level: 'lost' }), true)
    expect(JSON.parse(line)).toMatchObject({ message: 'kept', level: 'warn' })
  })

  it('for people: one line with its details', () => {
    expect(written((log) => log.warn('slow disk', { milliseconds: 900 }), false)).toMatch(
      /slow disk milliseconds=900\s*$/,
    )
  })

  it.each([true, false])('debug is not shown (json: %s)', (json) => {
    expect(written((log) => log.debug('noise'), json)).toBe('')
  })
})
