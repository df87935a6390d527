/**
 * Ways to break the life of a connection on purpose, each a mistake that somebody could make. The simulated ends must
 * find every one. Each text occurs once in its file, which a test checks.
 */
import type { Mutation } from '../mutations.ts'

const order = 'src/connections/order.ts'
const hearing = 'src/connections/hearing.ts'
const ending = 'src/connections/ending.ts'
const repeating = 'src/connections/repeating.ts'
const beginningFile = 'src/connections/beginning.ts'
const course = 'src/connections/course.ts'
const step = 'src/connections/step.ts'
const jws = 'src/didcomm/jws.ts'
const fromPrior = 'src/didcomm/from-prior.ts'
const opening = 'src/connections/open.ts'
const shell = 'test/simulation/ends/end.ts'

export const endsMutations: readonly Mutation[] = [
  {
    name: 'ends: taken again after a new stream',
    file: hearing,
    find: "if (!isTaken) course.emit({ kind: 'take', message, place })",
    replace: "course.emit({ kind: 'take', message, place })",
  },
  {
    name: 'ends: order not checked',
    file: order,
    find: 'if (sequence < expected || sequence !== place.oldest) return undefined',
    replace: 'if (sequence < expected) return undefined',
  },
  {
    name: 'ends: gaps not reported',
    file: hearing,
    find: "course.emit({ kind: 'lose', lost: arrival.lost })",
    replace: '',
  },
  {
    name: 'ends: what was taken is taken again',
    file: order,
    find: 'if (sequence < expected || sequence !== place.oldest) return undefined',
    replace: 'if (sequence < expected) return { received: { ...received, id } }',
  },
  {
    name: 'ends: an old stream is followed',
    file: order,
    find: 'if (stream < received.stream) return undefined',
    replace: '',
  },
  {
    name: 'ends: acknowledged id not checked',
    file: order,
    find: '(received.sequence > 0 && ownId !== undefined && ownId !== received.id)',
    replace: 'false',
  },
  {
    name: 'ends: acknowledged beyond the last believed',
    file: order,
    find: '  number > outgoing.last ||\n',
    replace: '',
  },
  {
    name: 'ends: stream not bumped',
    file: order,
    find: 'return startStream(outgoing, received.stream + 1)',
    replace: 'return startStream(outgoing, received.stream)',
  },
  {
    name: 'ends: what the peer has forgotten not sent again',
    file: order,
    find: '...(number < outgoing.acknowledged && { sent: number }),',
    replace: '...(number < outgoing.acknowledged && { acknowledged: outgoing.acknowledged }),',
  },
  {
    name: 'ends: from_prior not repeated',
    file: course,
    find: 'const fromPrior = headers.fromPrior ?? prior?.fromPrior',
    replace:
      'const fromPrior = headers.fromPrior ?? (headers.place || this.connection.retry ? undefined : prior?.fromPrior)',
  },
  {
    name: 'ends: iat not growing',
    file: beginningFile,
    find: 'const issuedAt = Math.max(before + 1, course.seconds)',
    replace: 'const issuedAt = Math.min(before + 1, course.seconds)',
  },
  {
    name: 'ends: keys not erased',
    file: ending,
    find: 'identity: undefined, prior: undefined, elders: []',
    replace: 'identity: undefined, prior: undefined',
  },
  {
    name: 'ends: unsent messages not erased',
    file: ending,
    find: "course.emit({ kind: 'erase' })",
    replace: '',
  },
  {
    name: 'ends: END believed unsigned',
    file: jws,
    find: 'return key !== undefined && verifyPortable(key.publicKey, signed, signature)',
    replace: 'return key !== undefined',
  },
  {
    name: 'ends: a foreign from_prior believed',
    file: fromPrior,
    find: 'if (!isSameDid(payload.iss, peer.did) || !isSameDid(jwt.signer.did, peer.did))',
    replace: 'if (!isSameDid(jwt.signer.did, peer.did) && !isSameDid(jwt.signer.did, payload.iss))',
  },
  {
    name: 'ends: a bare 410 ends',
    file: ending,
    find: "if (verdict?.kind === 'end') end(course, 'them')",
    replace: "if (!verdict || verdict.kind === 'end') end(course, 'them')",
  },
  {
    name: 'ends: nothing said again',
    file: repeating,
    find: 'course.become({ retry: { at, failures: failures + 1 } })',
    replace: 'course.become({ retry: failures > 0 ? undefined : { at, failures: failures + 1 } })',
  },
  {
    name: 'ends: a rotation forgets the key before at once',
    file: opening,
    find: 'const ours = [identity, ...(prior ? [prior.identity] : [])].find((one) =>',
    replace: 'const ours = [identity, ...(prior?.identity.did === "" ? [prior.identity] : [])].find((one) =>',
  },
  {
    name: 'ends: elders forgotten',
    file: hearing,
    find: 'if (!elder || phase.state',
    replace: 'if (!elder || elders.length > 0 || phase.state',
  },
  {
    name: 'ends: no farewell kept for who writes later',
    file: ending,
    find: 'course.become({ farewells: sealFarewells(course), identity',
    replace: 'course.become({ farewells: [], identity',
  },
  {
    name: 'ends: the acceptor goes on before it is confirmed',
    file: repeating,
    find: "(role === 'acceptor' && !confirmed) ||",
    replace: '',
  },
  {
    name: 'ends: sent before it is durable',
    file: shell,
    find: "this.stop(this.#world.drawDownMs(), 'before it was durable')",
    replace: "this.#send(effects)\n      this.stop(this.#world.drawDownMs(), 'before it was durable')",
  },
  {
    name: 'ends: what is left of the outbox is dropped too early',
    file: order,
    find: 'oldest: Math.max(outgoing.oldest, number - keptAcknowledged + 1),',
    replace: 'oldest: Math.max(outgoing.oldest, outgoing.sent + 1),',
  },
  {
    name: 'ends: undelivered messages not sent again',
    file: step,
    find: 'outgoing: { ...outgoing, sent: outgoing.acknowledged },\n    ...(code',
    replace: '...(code',
  },
]
