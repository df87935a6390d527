/** Trust Ping 2.0: is the other end there, and do its keys fit? */
import type { Message } from '../message.ts'
import type { Heading } from './heading.ts'

export const pingType = 'https://didcomm.org/trust-ping/2.0/ping'
export const pingResponseType = 'https://didcomm.org/trust-ping/2.0/ping-response'

export const makePing = (heading: Heading, responseRequested = true): Message => ({
  ...heading,
  type: pingType,
  body: { response_requested: responseRequested },
})

export const wantsResponse = ({ type, body }: Message): boolean =>
  type === pingType && body.response_requested !== false

/** @param ping - whose thread it answers in */
export const makePingResponse = (heading: Heading, ping: Message): Message => ({
  ...heading,
  type: pingResponseType,
  thid: ping.thid ?? ping.id,
  body: {},
})
