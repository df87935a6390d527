import fc from 'fast-check'
import { expect, it } from 'vitest'
import { canonicalize, type Json } from '../../src/codec/json.ts'
import { decodeFrame, encodeFrame, encodeMessage, encodeTransactions } from '../../src/messages/frame.ts'
import { Handshake } from '../../src/messages/handshake.ts'
import { maxFrameBytes, maxFrameMessages, maxHashes } from '../../src/messages/limits.ts'
import type { PeerMessage } from '../../src/messages/peer-message.ts'
import { Outbox } from '../../src/node/links/outbox.ts'
import { createNodeSigner } from '../../src/runtime/node/keys.ts'
import type { Hash, NetworkId } from '../../src/units.ts'

const { address } = createNodeSigner(new Uint8Array(32).fill(1))
const hash = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => Buffer.from(bytes).toString('hex') as Hash)
const message: fc.Arbitrary<PeerMessage> = fc.record({
  kind: fc.constantFrom('announce', 'want'),
  hashes: fc.array(hash, { minLength: 1, maxLength: 20 }),
}) as fc.Arbitrary<PeerMessage>

/** Whatever somebody might send: near misses, other JSON, and no JSON at all. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.json(),
  fc.jsonValue().map((value) => canonicalizeOr(value as Json)),
  fc
    .array(fc.oneof(message as fc.Arbitrary<unknown>, fc.jsonValue()))
    .map((value) => canonicalizeOr(value as Json)),
)
const canonicalizeOr = (value: Json): string => {
  try {
    return canonicalize(value)
  } catch {
    return ''
  }
}

it('frames say what was put into them', () => {
  fc.assert(
    fc.property(fc.array(message, { minLength: 1, maxLength: maxFrameMessages }), (messages) => {
      expect(decodeFrame(encodeFrame(messages.map(encodeMessage)))).toEqual({ messages })
    }),
  )
})

it('no text makes reading fail otherwise than with a verdict', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const verdict = decodeFrame(text)
      if ('flaw' in verdict) expect(verdict.flaw).toBeTruthy()
      else expect(encodeFrame(verdict.messages.map(encodeMessage))).toBe(text)
    }),
    { numRuns: 2_000 },
  )
})

it('no text makes a handshake do anything but end', () => {
  fc.assert(
    fc.property(fc.constantFrom('dialler' as const, 'acceptor' as const), anyText, (role, text) => {
      const handshake = new Handshake({
        role,
        network: '1a'.repeat(32) as NetworkId,
        key: address,
        nonce: '2b'.repeat(32) as Hash,
        version: '0.1.0',
        origins: ['https://node.example'],
        objection: () => undefined,
      })
      expect(handshake.step({ kind: 'text', text }).map(({ kind }) => kind)).toEqual(['send', 'end'])
    }),
    { numRuns: 500 },
  )
})

it('transactions are put into as many messages as it takes, and none is lost', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 64 * 1_024 }), { minLength: 1, maxLength: 60 }),
      (sizes) => {
        const texts = sizes.map((size, at) => JSON.stringify(`${at} ${'ä'.repeat(size / 2)}`))
        const messages = encodeTransactions(texts)
        for (const encoded of messages)
          expect(Buffer.byteLength(encodeFrame([encoded]))).toBeLessThanOrEqual(maxFrameBytes)
        const read = messages.flatMap(
          ({ text }) => (JSON.parse(text) as { transactions: string[] }).transactions,
        )
        expect(read.map((text) => JSON.stringify(text))).toEqual(texts)
      },
    ),
    { numRuns: 30 },
  )
  expect(encodeTransactions([])).toEqual([])
  expect(encodeTransactions(Array.from({ length: maxHashes + 1 }, () => '{}'))).toHaveLength(2)
})

it('what is taken out of an outbox came in, in order, in frames that every peer takes', () => {
  fc.assert(
    fc.property(fc.array(message, { minLength: 1, maxLength: 600 }), (messages) => {
      const outbox = new Outbox()
      for (const one of messages) outbox.add(encodeMessage(one))
      const out: PeerMessage[] = []
      while (!outbox.isEmpty) {
        const frame = outbox.take()
        expect(frame.sizeBytes).toBe(Buffer.byteLength(frame.text))
        out.push(...messagesIn(frame.text))
      }
      expect(out).toEqual(messages)
    }),
    { numRuns: 30 },
  )
})

it('transactions that were sent one by one are read as few messages, in their order', () => {
  fc.assert(
    fc.property(
      fc.array(fc.option(message, { nil: undefined }), { minLength: 1, maxLength: 300 }),
      (saidBetween) => {
        const outbox = new Outbox()
        const texts = saidBetween.map((_, at) => JSON.stringify(`transaction ${at}`))
        for (const [at, between] of saidBetween.entries()) {
          for (const one of encodeTransactions([texts[at]!])) outbox.add(one)
          if (between) outbox.add(encodeMessage(between))
        }
        const read: PeerMessage[] = []
        while (!outbox.isEmpty) {
          const frame = outbox.take()
          expect(frame.sizeBytes).toBe(Buffer.byteLength(frame.text))
          const messages = messagesIn(frame.text)
          expect(messages).toHaveLength(frame.messages.length)
          const pairs = messages.slice(1).map((next, at) => [messages[at]!.kind, next.kind])
          expect(pairs).not.toContainEqual(['transactions', 'transactions'])
          read.push(...messages)
        }
        expect(read.flatMap((one) => (one.kind === 'transactions' ? one.transactions : []))).toEqual(
          texts.map((text) => JSON.parse(text)),
        )
        expect(read.filter(({ kind }) => kind !== 'transactions')).toEqual(saidBetween.filter(Boolean))
      },
    ),
    { numRuns: 30 },
  )
})

const messagesIn = (text: string): readonly PeerMessage[] => {
  const verdict = decodeFrame(text)
  return 'messages' in verdict ? verdict.messages : []
}
