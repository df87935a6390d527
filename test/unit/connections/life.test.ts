import { describe, expect, it } from 'vitest'
import { decodeConnection, encodeConnection, viewOf, wakeAt } from '../../../src/connections/connections.ts'
import { type Message, sealEntropyBytes, sealMessage, shortDid } from '../../../src/didcomm/didcomm.ts'
import { makeAcceptor, makeConnected, makeInvited, settle } from './two-ends.ts'

const stateOf = ({ connection }: ReturnType<typeof makeAcceptor>) => connection.phase.state

describe('from the invitation to the end', () => {
  it('is active for both once both have signed, and both read the same short code', () => {
    const { a, b } = makeConnected()
    expect([stateOf(a), stateOf(b)]).toEqual(['active', 'active'])
    expect(viewOf(a.connection).shortCode).toBe(viewOf(b.connection).shortCode)
    expect(viewOf(a.connection).shortCode).toMatch(/^\d{5} \d{5} \d{5} \d{5}$/)
    expect(a.connection.record?.theirs).toBeDefined()
    expect(b.connection.record?.theirs).toBeDefined()
    expect([wakeAt(a.connection), wakeAt(b.connection)]).toEqual([undefined, undefined])
  })

  it('carries what both say, each once and in order', () => {
    const { a, b } = makeConnected()
    for (let at = 0; at < 50; at++) a.say(`a${at}`)
    for (let at = 0; at < 3; at++) b.say(`b${at}`)
    settle(a, b)
    expect(b.heard).toEqual(Array.from({ length: 50 }, (_, at) => `a${at}`))
    expect(a.heard).toEqual(['b0', 'b1', 'b2'])
    expect([wakeAt(a.connection), wakeAt(b.connection)]).toEqual([undefined, undefined])
  })

  it('keeps what is said before both have signed until they have', () => {
    const { inviter: a, url } = makeInvited()
    a.say('first')
    const b = makeAcceptor(url)
    b.say('second')
    settle(a, b)
    expect([a.heard, b.heard]).toEqual([['second'], ['first']])
  })

  it('ends for both when one lets go, and the keys are gone', () => {
    const { a, b } = makeConnected()
    b.sent = []
    a.step({ kind: 'let-go', notify: true })
    expect(stateOf(a)).toBe('ending')
    settle(a, b)
    expect(a.connection.phase).toMatchObject({ state: 'ended', by: 'us' })
    expect(b.connection.phase).toMatchObject({ state: 'ended', by: 'them' })
    for (const { connection } of [a, b]) {
      expect(connection.identity).toBeUndefined()
      expect(JSON.stringify(encodeConnection(connection))).not.toMatch(/signingKey|agreementKey/)
    }
  })

  it('ends for who writes to one that has let go without a word', () => {
    const { a, b } = makeConnected()
    a.step({ kind: 'let-go', notify: false })
    expect(a.sent).toEqual([])
    b.say('are you there?')
    settle(a, b)
    expect(b.connection.phase).toMatchObject({ state: 'ended', by: 'them' })
  })

  it('ends once when both let go at the same moment', () => {
    const { a, b } = makeConnected()
    a.step({ kind: 'let-go', notify: true })
    b.step({ kind: 'let-go', notify: true })
    settle(a, b)
    expect([a.connection.phase, b.connection.phase]).toMatchObject([{ by: 'us' }, { by: 'us' }])
  })

  it('ends nothing by a bare word of a server', () => {
    const { b } = makeConnected()
    b.step({ kind: 'told-gone' })
    expect(stateOf(b)).toBe('active')
    expect(viewOf(b.connection).trouble?.code).toBe('gone-unproven')
  })

  it('is with the first who accepts, who may do so again, and with nobody else', () => {
    const { inviter: a, url } = makeInvited()
    const b = makeAcceptor(url)
    const [request] = b.sent
    const other = makeAcceptor(url, 'somebody else')
    settle(a, b)
    expect(a.hear(other.sent[0]!)).toMatchObject({ kind: 'stale-key' })
    a.hear(request!)
    settle(a, b)
    expect([stateOf(a), stateOf(b)]).toEqual(['active', 'active'])
  })

  it('says to who comes second that the invitation was used, while it still can read that', () => {
    const { inviter: a, url } = makeInvited()
    const b = makeAcceptor(url)
    a.hear(b.sent[0]!)
    const other = makeAcceptor(url, 'somebody else')
    expect(a.hear(other.sent[0]!)).toMatchObject({ kind: 'refused', code: 'invitation-used' })
  })

  it('expires when nobody accepts', () => {
    const { inviter: a } = makeInvited()
    a.wait()
    expect(a.connection.phase).toMatchObject({ state: 'ended', by: 'expired' })
  })

  it('is the same after it was written and read', () => {
    const { a } = makeConnected()
    const text = JSON.stringify(encodeConnection(a.connection))
    expect(JSON.stringify(encodeConnection(decodeConnection(JSON.parse(text))))).toBe(text)
  })
})

describe('what other programs say without a place in the order', () => {
  const bring = (type: string, body: Message['body']) => {
    const { a, b } = makeConnected()
    const message = {
      id: 'x',
      type,
      body,
      from: viewOf(a.connection).ours!,
      to: [viewOf(b.connection).ours!],
    }
    const { document } = a.connection.peer!
    const recipient = { ...document, did: shortDid(document.did) }
    const text = sealMessage(message, a.connection.identity!, {
      recipient,
      entropy: new Uint8Array(sealEntropyBytes).fill(1),
    })
    return { b, answer: b.hear(text) }
  }

  it('is nothing, when it is empty', () => {
    const { b, answer } = bring('https://didcomm.org/empty/1.0/empty', {})
    expect(answer.kind).toBe('message')
    expect(viewOf(b.connection).trouble).toBeUndefined()
  })

  it('is shown to the operator, when it reports a problem', () => {
    const { b, answer } = bring('https://didcomm.org/report-problem/2.0/problem-report', {
      code: 'e.p.msg.lost',
    })
    expect(answer.kind).toBe('message')
    expect(viewOf(b.connection)).toMatchObject({ state: 'active', trouble: { code: 'e.p.msg.lost' } })
  })

  it('is refused, when it is anything else', () => {
    expect(bring('urn:test/1.0/value', {}).answer).toMatchObject({ kind: 'refuse', code: 'malformed-place' })
  })
})

describe('a network that loses, repeats and reorders', () => {
  it('says again what nobody has answered', () => {
    const { a, b } = makeConnected()
    a.say('lost')
    a.sent = []
    a.wait()
    settle(a, b)
    expect(b.heard).toEqual(['lost'])
  })

  it('takes each once, and in order', () => {
    const { a, b } = makeConnected()
    for (const value of ['1', '2', '3']) a.say(value)
    const copies = [...a.sent]
    for (const text of [copies[2]!, copies[0]!, copies[0]!]) b.hear(text)
    settle(a, b)
    for (const text of copies) b.hear(text)
    expect(b.heard).toEqual(['1', '2', '3'])
  })
})

describe('rotation', () => {
  it('gives both new keys, also when both do so at once', () => {
    const { a, b } = makeConnected()
    const before = [viewOf(a.connection).ours, viewOf(b.connection).ours]
    a.step({ kind: 'rotate', endpoint: 'https://new.example/v1/didcomm' })
    b.step({ kind: 'rotate', endpoint: 'https://new.example/v1/didcomm' })
    settle(a, b)
    expect(viewOf(a.connection).ours).toBe(viewOf(b.connection).theirs)
    expect(viewOf(b.connection).ours).toBe(viewOf(a.connection).theirs)
    expect([viewOf(a.connection).ours, viewOf(b.connection).ours]).not.toEqual(before)
    expect([a.connection.prior, b.connection.prior]).toEqual([undefined, undefined])
    a.say('with new keys')
    settle(a, b)
    expect(b.heard).toEqual(['with new keys'])
  })

  it('is found out by a peer that was restored from before it', () => {
    const { a, b } = makeConnected()
    const restore = b.backup()
    for (let times = 0; times < 3; times++) {
      a.step({ kind: 'rotate', endpoint: 'https://new.example/v1/didcomm' })
      settle(a, b)
      a.now += 100_000
    }
    a.say('later')
    settle(a, b)
    restore()
    b.step({ kind: 'resume' })
    settle(a, b)
    a.now += 1_000_000
    for (let times = 0; times < 3; times++) {
      a.wait()
      settle(a, b)
    }
    expect(viewOf(b.connection).theirs).toBe(viewOf(a.connection).ours)
    expect(b.heard).toEqual(['later'])
  })

  it('while it is unanswered, the end is believed under either DID', () => {
    const { a, b } = makeConnected()
    a.step({ kind: 'rotate', endpoint: 'https://new.example/v1/didcomm' })
    a.sent = []
    a.step({ kind: 'let-go', notify: true })
    settle(a, b)
    a.wait()
    settle(a, b)
    expect(b.connection.phase).toMatchObject({ state: 'ended', by: 'them' })
  })
})

describe('a restored end', () => {
  it('asks again for what it had received', () => {
    const { a, b } = makeConnected()
    a.say('1')
    settle(a, b)
    const restore = b.backup()
    a.say('2')
    a.say('3')
    settle(a, b)
    restore()
    b.step({ kind: 'resume' })
    settle(a, b)
    expect(b.heard).toEqual(['1', '2', '3'])
  })

  it('says nothing in the place of what it said before', () => {
    const { a, b } = makeConnected()
    a.say('1')
    settle(a, b)
    const restore = a.backup()
    a.say('2')
    settle(a, b)
    restore()
    a.say('other 2')
    a.say('other 3')
    settle(a, b)
    expect(b.heard).toEqual(['1', '2', 'other 2', 'other 3'])
  })

  it('that had let go, or was let go of, is told again', () => {
    const { a, b } = makeConnected()
    const restore = b.backup()
    b.step({ kind: 'let-go', notify: true })
    settle(a, b)
    restore()
    b.step({ kind: 'resume' })
    settle(a, b)
    expect(b.connection.phase).toMatchObject({ state: 'ended', by: 'them' })
  })
})

describe('found by the simulated ends', () => {
  it('who writes to a key that was just rotated away, and then let go of, is given an END that it can believe', () => {
    const { a, b } = makeConnected()
    a.step({ kind: 'rotate', endpoint: 'https://new.example/v1/didcomm' })
    a.step({ kind: 'let-go', notify: false })
    a.sent = []
    b.say('are you there?')
    settle(a, b)
    expect(b.connection.phase).toMatchObject({ state: 'ended', by: 'them' })
  })

  it('a receiver that is restored to before the stream of a restored sender has all that is still there', () => {
    const { a, b } = makeConnected()
    b.say('one')
    settle(a, b)
    const backups = { a: a.backup(), b: b.backup() }
    b.say('two')
    settle(a, b)
    backups.b()
    b.say('three')
    b.step({ kind: 'resume' })
    settle(a, b)
    expect(a.heard).toEqual(['one', 'two', 'three'])
    backups.a()
    a.step({ kind: 'resume' })
    settle(a, b)
    b.say('four')
    settle(a, b)
    expect(a.heard).toEqual(['one', 'three', 'four'])
  })
})
