/** How a connection ends: the keys go, and a word that was sealed with them stays. */
import { sealEnd } from '../didcomm/end.ts'
import type { Envelope } from '../didcomm/envelope.ts'
import type { Identity } from '../didcomm/identity.ts'
import { sealEntropyBytes } from '../didcomm/seal.ts'
import type { EndedBy, Phase } from './connection.ts'
import type { Course } from './course.ts'
import { open } from './open.ts'
import { sayAgain } from './repeating.ts'

/** We let go. Who was told is told once more by whoever hears it last: see {@link end}. */
export const letGo = (course: Course, notify: boolean): void => {
  const { phase, peer } = course.connection
  if (phase.state === 'ending' || phase.state === 'ended') return
  if (!notify || !peer) {
    end(course, 'us')
    return
  }
  leave(course, { state: 'ending', since: course.now })
  sayAgain(course)
}

/** It is over, for whatever reason; whoever writes after this is given the sealed END. */
export const end = (course: Course, by: EndedBy): void => {
  leave(course, { state: 'ended', by, at: course.now })
  course.emit({ kind: 'report', what: 'ended' })
}

/** The other end's node answers that there is no connection. Only what the other end has signed is believed. */
export const toldGone = (course: Course, envelope: Envelope | undefined): void => {
  const { phase } = course.connection
  if (phase.state === 'ending') {
    end(course, 'us')
    return
  }
  const verdict = envelope && open(course.connection, envelope, course.now)
  if (verdict?.kind === 'end') end(course, 'them')
  else if (phase.state !== 'ended')
    course.become({ reachable: false, trouble: { code: 'gone-unproven', at: course.now } })
}

/** The private keys are gone, and all that wasn't sent. */
const leave = (course: Course, phase: Phase): void => {
  const { connection } = course
  if (connection.identity) {
    course.become({ farewells: sealFarewells(course), identity: undefined, prior: undefined, elders: [] })
    course.emit({ kind: 'erase' })
  }
  course.become({ phase, retry: undefined, owed: undefined, ping: undefined })
}

type Signer = Pick<Identity, 'did' | 'signingKey'>

/** One for each of our DIDs that the peer may know us by, newest first: a peer that was restored from a backup knows an old one. */
const sealFarewells = (course: Course): readonly string[] => {
  const { identity, prior, elders, peer, issuedAt: before } = course.connection
  if (!peer) return []
  const issuedAt = Math.max(before + 1, course.seconds)
  course.become({ issuedAt })
  const issuers: readonly Signer[] = [identity!, ...(prior ? [prior.identity] : []), ...elders.toReversed()]
  return issuers.map((issuer) =>
    sealEnd(
      { ...issuer, agreementKey: new Uint8Array() },
      { id: course.makeId(), issuer: issuer.did, issuedAt },
      { recipient: peer.document, entropy: course.entropy.take(sealEntropyBytes) },
    ),
  )
}
