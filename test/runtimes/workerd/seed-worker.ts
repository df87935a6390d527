/** A worker that simulates the seeds that it is given. */
import { createHash } from 'node:crypto'
import { accelerateHash } from '../../../src/crypto/hash.ts'
import { hashKeys } from '../../simulation/keys.ts'
import { drawScenario } from '../../simulation/scenario.ts'
import type { Seed } from '../../simulation/sizes.ts'
import { simulate } from '../../simulation/world.ts'

/** As the node in a Durable Object does. */
accelerateHash((text) => createHash('sha256').update(text).digest('hex'))

/** There it is a microtask among others, and so not the end of all of them, for which virtual time waits. */
process.nextTick = ((go: () => void) => setImmediate(go)) as typeof process.nextTick

/** Under the name that the configuration of workerd has; nobody asks it. */
export class TautlineNode {}

export default {
  fetch: async (request: Request): Promise<Response> => {
    const { kind, seed } = (await request.json()) as Seed
    return Response.json({ ...(await simulate(drawScenario(kind, seed), hashKeys)), trace: '' })
  },
}
