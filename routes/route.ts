/**
 * How a door is declared: one object says path, parameters and answers; it validates requests and describes
 * them in `openapi.yaml`.
 */
import { createRoute, type RouteConfig, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import type { ZodType } from 'zod'
import { TautlineError } from '../src/errors.ts'
import { type ProblemCode, problems } from './problem.ts'
import { problemSchema } from './schemas.ts'

type Responses = RouteConfig['responses']

/**
 * A route whose handler may answer with any Response: `test/api/description.test.ts` holds the answers to
 * their described schemas, since the types of the two (branded, readonly) can't.
 */
export const defineRoute = <const Route extends RouteConfig>(
  route: Route,
): Omit<Route, 'responses'> & { responses: Responses } => createRoute(route)

/** An answer of JSON. */
export const jsonAnswer = (description: string, schema: ZodType) => ({
  description,
  content: { 'application/json': { schema } },
})

/** What a door may answer when it doesn't do as asked, by status. */
export const problemAnswers = (...codes: readonly ProblemCode[]): Responses => {
  const answers: Responses = {}
  for (const status of new Set(codes.map((code) => problems[code].status))) {
    const same = codes.filter((code) => problems[code].status === status)
    answers[status] = {
      description: `${same.map((code) => problems[code].title).join('; ')} (\`${same.join('`, `')}\`)`,
      content: { 'application/problem+json': { schema: problemSchema } },
    }
  }
  return answers
}

/** What any door may answer in hard times. */
export const anyTime = [
  'too-many-requests',
  'storage-unavailable',
  'shutting-down',
] as const satisfies readonly ProblemCode[]

/** @throws TautlineError `malformed-request`, naming the parameter that is wrong */
export const refuseInvalid = (result: { success: true } | { success: false; error: z.ZodError }): void => {
  if (result.success) return
  const { path, message } = result.error.issues[0]!
  const parameter = path.join('.')
  throw new TautlineError('malformed-request', `${parameter}: ${message}`, { parameter })
}

/** The body of a request, read by the schema's rules. @throws TautlineError `malformed-request` */
export const parseBody = <Schema extends ZodType>(schema: Schema, value: unknown): z.output<Schema> => {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const { path, message } = parsed.error.issues[0]!
  const member = path.length === 0 ? 'the body' : path.join('.')
  throw new TautlineError('malformed-request', `${member}: ${message}`, { member })
}

export const waitParameter = z
  .literal('committed')
  .optional()
  .meta({ description: 'Answer once the transaction is final, or after 30 seconds as pending.' })

/** Whether the asker wants to wait until a transaction is final. @throws TautlineError `malformed-request` */
export const wantsToWait = (c: Context): boolean => {
  const wait = c.req.query('wait')
  if (wait === undefined || wait === 'committed') return wait !== undefined
  throw new TautlineError('malformed-request', 'wait: expected `committed`, or leave it out', {
    parameter: 'wait',
  })
}
