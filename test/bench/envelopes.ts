/**
 * What an envelope costs: sealing and opening on one thread, beside the key agreements alone that noble does in the
 * same moment. Sealing and opening take two of those each, so half is the most there is; what is missing from that is
 * our own doing, or the content's.
 */
import { randomBytes } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import { x25519 } from '@noble/curves/ed25519.js'
import {
  createIdentity,
  type DidDocument,
  type Identity,
  identityEntropyBytes,
  makeBasicMessage,
  openEnvelope,
  readEnvelope,
  resolveDid,
  sealEntropyBytes,
  sealMessage,
  shortDid,
} from '../../src/didcomm/didcomm.ts'
import type { Report } from './fill.ts'
import type { Options } from './options.ts'
import type { Figure, Part } from './rows.ts'

export const isOfEnvelopes = (part: Part): boolean => part === 'envelopes'

/** Characters of the message: one that a person writes, and the largest payload that a connection must carry. */
const sizes = [100, 60_000]

export const envelopeFigures = (
  { parts, repetitions, limitMs }: Options,
  report: Report,
): readonly Figure[] => {
  if (!parts.has('envelopes')) return []
  report('sealing and opening envelopes')
  const works = sizes.map((size) => ({ size, ...prepare(size) }))
  for (const { agree, seal, open } of works) for (const work of [agree, seal, open]) work() // compiled
  return Array.from({ length: repetitions }).flatMap(() =>
    works.flatMap(({ size, agree, seal, open }) => measure(size, limitMs, { agree, seal, open })),
  )
}

interface Works {
  readonly agree: () => void
  readonly seal: () => void
  readonly open: () => void
}

const measure = (size: number, durationMs: number, { agree, seal, open }: Works): readonly Figure[] => {
  const before = ratePerSecond(agree, durationMs)
  const sealed = ratePerSecond(seal, durationMs)
  const opened = ratePerSecond(open, durationMs)
  const agreed = (before + ratePerSecond(agree, durationMs)) / 2
  return [
    { row: 'keyAgreements', size, samples: [agreed] },
    { row: 'sealed', size, samples: [sealed] },
    { row: 'sealedShare', size, samples: [(sealed / agreed) * 100] },
    { row: 'opened', size, samples: [opened] },
    { row: 'openedShare', size, samples: [(opened / agreed) * 100] },
  ]
}

/** Of messages of one size, on this thread now. */
export const envelopeRates = (size: number, durationMs: number): { sealed: number; opened: number } => {
  const { seal, open } = prepare(size)
  for (const work of [seal, open]) work() // compiled
  return { sealed: ratePerSecond(seal, durationMs), opened: ratePerSecond(open, durationMs) }
}

const ratePerSecond = (work: () => void, durationMs: number): number => {
  const startedMs = performance.now()
  let count = 0
  for (; performance.now() - startedMs < durationMs; count++) work()
  return (count / (performance.now() - startedMs)) * 1_000
}

const identity = (): Identity =>
  createIdentity(randomBytes(identityEntropyBytes), 'https://node.example/v1/didcomm')

/** Two ends that know each other, and so use the short forms. */
const prepare = (size: number): Works => {
  const [sender, recipient] = [identity(), identity()]
  const documents = [sender, recipient].map(
    ({ did }): DidDocument => ({ ...resolveDid(did)!, did: shortDid(did) }),
  )
  const [from, to] = documents as [DidDocument, DidDocument]
  const message = makeBasicMessage({ id: 'bench', from: from.did, to: [to.did] }, 'x'.repeat(size))
  const sealOnce = (): string =>
    sealMessage(message, sender, { recipient: to, entropy: randomBytes(sealEntropyBytes) })
  const text = sealOnce()
  const open = (): void => {
    const envelope = readEnvelope(text)
    const opened =
      envelope.kind === 'envelope'
        ? openEnvelope(envelope, { identity: recipient, now: 0, from: { kind: 'peer', peer: from } })
        : envelope
    if (opened.kind !== 'message')
      throw new Error(`a good envelope was not opened: ${JSON.stringify(opened)}`)
  }
  return {
    agree: () => void x25519.getSharedSecret(sender.agreementKey, to.keyAgreement[0]!.publicKey),
    seal: () => void sealOnce(),
    open,
  }
}
