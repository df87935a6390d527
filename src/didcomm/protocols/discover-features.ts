/** Discover Features 2.0: what does the other end understand? */
import * as z from 'zod'
import { maxEnvelopeBytes, maxPhraseChars, maxQueries } from '../limits.ts'
import type { Message } from '../message.ts'
import { basicMessageType } from './basic-message.ts'
import type { Heading } from './heading.ts'
import { problemReportType } from './problem-report.ts'
import { pingType } from './trust-ping.ts'

export const queriesType = 'https://didcomm.org/discover-features/2.0/queries'
export const discloseType = 'https://didcomm.org/discover-features/2.0/disclose'

export interface Query {
  readonly 'feature-type': string
  /** An id, in which `*` stands for anything. */
  readonly match: string
}

export interface Feature {
  readonly 'feature-type': string
  readonly id: string
  readonly [detail: string]: string | readonly string[] | undefined
}

const protocolOf = (messageType: string): string => messageType.slice(0, messageType.lastIndexOf('/'))
const protocol = (id: string, roles: readonly string[]): Feature => ({
  'feature-type': 'protocol',
  id,
  roles,
})

/** What this library speaks. */
export const ownFeatures: readonly Feature[] = [
  protocol(protocolOf(pingType), ['sender', 'receiver']),
  protocol(protocolOf(basicMessageType), ['sender', 'receiver']),
  protocol(protocolOf(queriesType), ['requester', 'responder']),
  protocol(protocolOf(problemReportType), ['notifier', 'notified']),
  protocol('https://didcomm.org/out-of-band/2.0', ['sender', 'receiver']),
  { 'feature-type': 'constraint', id: 'max_receive_bytes', max_receive_bytes: maxEnvelopeBytes.toString() },
]

const phrase = z.string().max(maxPhraseChars)
const queriesSchema = z.looseObject({
  queries: z.array(z.looseObject({ 'feature-type': phrase, match: phrase })).max(maxQueries),
})
const disclosuresSchema = z.looseObject({
  disclosures: z.array(z.looseObject({ 'feature-type': phrase, id: phrase })).max(maxQueries),
})

export const makeQueries = (heading: Heading, queries: readonly Query[]): Message => ({
  ...heading,
  type: queriesType,
  body: { queries: queries.map((query) => ({ ...query })) },
})

/** @returns undefined when these are no queries within the limits */
export const readQueries = ({ type, body }: Message): readonly Query[] | undefined =>
  type === queriesType ? queriesSchema.safeParse(body).data?.queries : undefined

/** The answer: those of the features that the queries ask for. */
export const makeDisclosure = (heading: Heading, queries: Message, features = ownFeatures): Message => {
  const asked = readQueries(queries) ?? []
  return {
    ...heading,
    type: discloseType,
    thid: queries.thid ?? queries.id,
    body: { disclosures: features.filter((feature) => asked.some((query) => isAsked(feature, query))) },
  }
}

/** @returns undefined when this is no disclosure within the limits */
export const readDisclosure = ({ type, body }: Message): readonly Feature[] | undefined =>
  type === discloseType
    ? (disclosuresSchema.safeParse(body).data?.disclosures as readonly Feature[] | undefined)
    : undefined

const isAsked = (feature: Feature, query: Query): boolean =>
  feature['feature-type'] === query['feature-type'] && isMatch(feature.id, query.match)

/** Takes the earliest place for each part between wildcards, so that no pattern takes long. */
const isMatch = (id: string, pattern: string): boolean => {
  const parts = pattern.split('*')
  const first = parts.shift()!
  const last = parts.pop()
  if (last === undefined) return id === first
  if (!id.startsWith(first)) return false
  let at = first.length
  for (const part of parts) {
    const found = id.indexOf(part, at)
    if (found === -1) return false
    at = found + part.length
  }
  return id.length - last.length >= at && id.endsWith(last)
}
