import { describe, expect, test } from 'vitest'
import {
  type Message,
  makeBasicMessage,
  makeDisclosure,
  makePing,
  makePingResponse,
  makeProblemReport,
  makeQueries,
  readBasicMessage,
  readDisclosure,
  readProblemReport,
  readQueries,
  wantsResponse,
} from '../../../src/didcomm/didcomm.ts'

const heading = { id: 'm1', from: 'did:example:alice', to: ['did:example:bob'] }

describe('trust ping', () => {
  test('asks for an answer unless it says that it wants none', () => {
    expect(wantsResponse(makePing(heading))).toBe(true)
    expect(wantsResponse({ ...makePing(heading), body: {} })).toBe(true)
    expect(wantsResponse(makePing(heading, false))).toBe(false)
    expect(wantsResponse(makeBasicMessage(heading, 'ping'))).toBe(false)
  })

  test('is answered in its thread', () => {
    expect(makePingResponse({ id: 'm2' }, makePing(heading))).toMatchObject({ thid: 'm1', body: {} })
    expect(makePingResponse({ id: 'm2' }, makePing({ ...heading, thid: 't1' }))).toMatchObject({ thid: 't1' })
  })
})

test('a basic message is its text, and nothing else is one', () => {
  expect(readBasicMessage(makeBasicMessage(heading, 'grüße'))).toBe('grüße')
  expect(readBasicMessage({ ...makeBasicMessage(heading, ''), body: { content: 1 } })).toBeUndefined()
  expect(readBasicMessage(makePing(heading))).toBeUndefined()
})

describe('discover features', () => {
  const ask = (match: string, type = 'protocol') => makeQueries(heading, [{ 'feature-type': type, match }])
  const answered = (queries: Message) =>
    readDisclosure(makeDisclosure({ id: 'm2' }, queries))!.map(({ id }) => id)

  test('names the protocols that are asked for, in the thread of the question', () => {
    expect(answered(ask('https://didcomm.org/trust-ping/2.*'))).toEqual([
      'https://didcomm.org/trust-ping/2.0',
    ])
    expect(answered(ask('*'))).toHaveLength(5)
    expect(answered(ask('https://didcomm.org/tictactoe/1.*'))).toEqual([])
    expect(makeDisclosure({ id: 'm2' }, ask('*'))).toMatchObject({ thid: 'm1' })
  })

  test('says how many bytes are received', () => {
    expect(readDisclosure(makeDisclosure({ id: 'm2' }, ask('max_receive_bytes', 'constraint')))).toEqual([
      { 'feature-type': 'constraint', id: 'max_receive_bytes', max_receive_bytes: '114688' },
    ])
  })

  test('answers nothing to more questions than the limit', () => {
    const many = makeQueries(
      heading,
      Array.from({ length: 33 }, () => ({ 'feature-type': 'protocol', match: '*' })),
    )
    expect(readQueries(many)).toBeUndefined()
    expect(answered(many)).toEqual([])
  })
})

test('a problem report names what it is about, and is read within its limits', () => {
  const problem = { code: 'e.p.msg.expired', comment: '{1} came too late', args: ['m1'] }
  const report = makeProblemReport({ id: 'm2' }, makePing({ ...heading, thid: 't1' }), problem)
  expect(report).toMatchObject({ pthid: 't1', ack: ['m1'] })
  expect(readProblemReport(report)).toEqual(problem)
  for (const body of [{}, { code: 'no' }, { code: 'x.p' }, { ...problem, comment: 'x'.repeat(1_025) }])
    expect(readProblemReport({ ...report, body })).toBeUndefined()
})
