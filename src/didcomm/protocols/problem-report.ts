/** Report Problem 2.0: what went wrong, in a code for programs and a sentence for people. */
import * as z from 'zod'
import { maxPhraseChars, maxProblemArguments } from '../limits.ts'
import type { Message } from '../message.ts'
import type { Heading } from './heading.ts'

export const problemReportType = 'https://didcomm.org/report-problem/2.0/problem-report'

export interface Problem {
  /** `e` or `w`, scope, descriptors: `e.p.msg.too-large`. */
  readonly code: string
  /** `{1}`, `{2}` … stand for the arguments. */
  readonly comment?: string | undefined
  readonly args?: readonly string[] | undefined
}

const phrase = z.string().max(maxPhraseChars)
const problemSchema = z.looseObject({
  code: phrase.regex(/^[ew](\.[a-z0-9-]+)+$/),
  comment: phrase.optional(),
  args: z.array(phrase).max(maxProblemArguments).optional(),
})

/** @param about - the message that caused it; its thread is the report's parent */
export const makeProblemReport = (
  heading: Heading,
  about: Message,
  { code, comment, args }: Problem,
): Message => ({
  ...heading,
  type: problemReportType,
  pthid: about.thid ?? about.id,
  ack: [about.id],
  body: { code, comment, args },
})

/** @returns undefined when it is no problem report within the limits. Written by the peer: print with care. */
export const readProblemReport = ({ type, body }: Message): Problem | undefined => {
  const { data } = problemSchema.safeParse(body)
  return type === problemReportType && data
    ? { code: data.code, comment: data.comment, args: data.args }
    : undefined
}
