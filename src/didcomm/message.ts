/**
 * Plaintext messages: headers that all messages have, and a body whose shape its type says.
 *
 * Headers that nobody here knows are kept and passed on, as the specification wants it.
 *
 * @see https://identity.foundation/didcomm-messaging/spec/v2.1/ §Plaintext Message Structure
 */
import * as z from 'zod'
import { encodeUtf8 } from '../codec/bytes.ts'
import { canonicalize, type Json } from '../codec/json.ts'
import { assert } from '../errors.ts'
import { encodeBase64Url } from './base64url.ts'
import { isDid } from './did.ts'
import {
  maxAttachments,
  maxFromPriorChars,
  maxIdChars,
  maxMessageBytes,
  maxTo,
  maxTypeChars,
} from './limits.ts'

export const plainMediaType = 'application/didcomm-plain+json'

export interface Attachment {
  readonly id?: string | undefined
  readonly media_type?: string | undefined
  readonly format?: string | undefined
  readonly data: {
    readonly json?: Json | undefined
    readonly base64?: string | undefined
    readonly [member: string]: Json | undefined
  }
  readonly [member: string]: Json | undefined
}

export interface Message {
  readonly id: string
  readonly type: string
  readonly body: { readonly [member: string]: Json | undefined }
  readonly typ?: string | undefined
  readonly from?: string | undefined
  readonly to?: readonly string[] | undefined
  readonly thid?: string | undefined
  readonly pthid?: string | undefined
  /** Unix seconds, as are all times in messages. */
  readonly created_time?: number | undefined
  readonly expires_time?: number | undefined
  readonly from_prior?: string | undefined
  readonly return_route?: string | undefined
  readonly attachments?: readonly Attachment[] | undefined
  readonly [header: string]: Json | undefined
}

const idField = z.string().min(1).max(maxIdChars)
const didField = z.string().refine(isDid)
const secondsField = z.number().int().min(0)
const jsonField = z.custom<Json>()
/** Passed on as it is: a record would lose a member named `__proto__`. */
const bodyField = z.custom<Message['body']>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
)
const attachmentSchema = z.looseObject({
  id: idField.optional(),
  media_type: z.string().max(maxTypeChars).optional(),
  format: z.string().max(maxTypeChars).optional(),
  data: z.looseObject({ json: jsonField.optional(), base64: z.string().optional() }),
})
const messageSchema = z.looseObject({
  id: idField,
  type: z.string().min(1).max(maxTypeChars),
  typ: z.enum([plainMediaType, 'didcomm-plain+json']).optional(),
  body: bodyField.default({}),
  from: didField.optional(),
  to: z.array(didField).max(maxTo).optional(),
  thid: idField.optional(),
  pthid: idField.optional(),
  created_time: secondsField.optional(),
  expires_time: secondsField.optional(),
  from_prior: z.string().max(maxFromPriorChars).optional(),
  return_route: z.string().max(maxIdChars).optional(),
  attachments: z.array(attachmentSchema).max(maxAttachments).optional(),
})

/** @returns undefined when it is no message within the limits */
export const readMessage = (value: Json): Message | undefined =>
  messageSchema.safeParse(value).data as Message | undefined

/** The bytes that are sealed or signed. Callers bound what they put in: {@link fitsInEnvelope}. */
export const writeMessage = (message: Message): Uint8Array => {
  const bytes = encodeUtf8(canonicalize({ typ: plainMediaType, ...message } as Json))
  assert(bytes.length <= maxMessageBytes, `a message has at most ${maxMessageBytes} bytes`)
  return bytes
}

/** Whether a message is within {@link maxMessageBytes}: ask before sealing or signing it. */
export const fitsInEnvelope = (message: Message): boolean =>
  encodeUtf8(canonicalize({ typ: plainMediaType, ...message } as Json)).length <= maxMessageBytes

/** Unpredictable bytes that an id is made of. */
export const idEntropyBytes = 16

/** 128 bits in 22 characters, all of them unreserved in URIs. */
export const makeId = (entropy: Uint8Array): string => {
  assert(entropy.length === idEntropyBytes, 'an id is made of 16 unpredictable bytes')
  return encodeBase64Url(entropy)
}
