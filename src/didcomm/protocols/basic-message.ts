/** Basic Message 2.0: text from one person to another. */
import type { Message } from '../message.ts'
import type { Heading } from './heading.ts'

export const basicMessageType = 'https://didcomm.org/basicmessage/2.0/message'

export const makeBasicMessage = (heading: Heading, content: string): Message => ({
  ...heading,
  type: basicMessageType,
  body: { content },
})

/** @returns undefined when it is no basic message */
export const readBasicMessage = ({ type, body }: Message): string | undefined =>
  type === basicMessageType && typeof body.content === 'string' ? body.content : undefined
