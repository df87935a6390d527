/** What two ends say to each other in order: text, JSON, private payloads, and receipts for them. */
import * as z from 'zod'
import { decodeUtf8, encodeUtf8, utf8Bytes } from '../codec/bytes.ts'
import type { Json } from '../codec/json.ts'
import { decodeBase64Url, encodeBase64Url } from '../didcomm/base64url.ts'
import { saltBytes } from '../didcomm/commitment.ts'
import type { Jws } from '../didcomm/jws.ts'
import type { Message } from '../didcomm/message.ts'
import { basicMessageType } from '../didcomm/protocols/basic-message.ts'
import type { Content } from './input.ts'

const jsonType = 'urn:tautline:content/1.0/json'
const payloadType = 'urn:tautline:content/1.0/payload'
const receiptType = 'urn:tautline:content/1.0/receipt'

/** A payload whose commitment is on the ledger. */
export interface Payload {
  /** 32 bytes. */
  readonly salt: Uint8Array
  readonly payload: Uint8Array
  /** What it is, for whoever receives it. */
  readonly mediaType: string
  /** The commitment, 64 hex digits. */
  readonly c: string
  /** Id of the transaction that carries it, 64 hex digits. */
  readonly transaction: string
}

export type ReadContent =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'json'; readonly value: Json }
  | ({ readonly kind: 'payload' } & Payload)
  /** To be read as a statement of its sender. */
  | { readonly kind: 'receipt'; readonly jws: Json }
  /** A type that isn't known here. */
  | { readonly kind: 'other'; readonly type: string; readonly body: Message['body'] }

export const makeText = (content: string): Content => ({ type: basicMessageType, body: { content } })

export const makeJson = (value: Json): Content => ({ type: jsonType, body: { value } })

/** Text as it is, since base64 would make a third more of it. */
export const makePayload = ({ salt, payload, mediaType, c, transaction }: Payload): Content => {
  const text = textOf(payload)
  return {
    type: payloadType,
    body: {
      salt: encodeBase64Url(salt),
      ...(text === undefined ? { base64: encodeBase64Url(payload) } : { text }),
      media_type: mediaType,
      c,
      transaction,
    },
  }
}

/** @returns undefined when these bytes are no text that would come back as they are */
const textOf = (bytes: Uint8Array): string | undefined => {
  try {
    const text = decodeUtf8(bytes)
    return utf8Bytes(text) === bytes.length ? text : undefined
  } catch {
    return undefined
  }
}

/** @param jws - of `signStatement('receipt', …)` */
export const makeReceipt = (jws: Jws): Content => ({
  type: receiptType,
  body: {},
  attachments: [{ id: 'receipt', data: { json: jws as unknown as Json } }],
})

const bytes = z.string().transform((text, context) => {
  const decoded = decodeBase64Url(text)
  if (decoded) return decoded
  context.addIssue('expected base64url')
  return z.NEVER
})
const digest = z.string().regex(/^[0-9a-f]{64}$/)
const payloadSchema = z.looseObject({
  salt: bytes.refine((salt) => salt.length === saltBytes),
  text: z.string().optional(),
  base64: bytes.optional(),
  media_type: z.string().max(256),
  c: digest,
  transaction: digest,
})

/** @returns undefined when the body isn't what the type says */
export const readContent = ({ type, body, attachments }: Message): ReadContent | undefined => {
  switch (type) {
    case basicMessageType:
      return typeof body.content === 'string' ? { kind: 'text', text: body.content } : undefined
    case jsonType:
      return body.value === undefined ? undefined : { kind: 'json', value: body.value }
    case payloadType: {
      const { data } = payloadSchema.safeParse(body)
      const payload = data?.base64 ?? (data?.text === undefined ? undefined : encodeUtf8(data.text))
      if (!data || !payload) return undefined
      const { salt, media_type: mediaType, c, transaction } = data
      return { kind: 'payload', salt, payload, mediaType, c, transaction }
    }
    case receiptType: {
      const jws = attachments?.[0]?.data.json
      return jws === undefined ? undefined : { kind: 'receipt', jws }
    }
  }
  return { kind: 'other', type, body }
}
