/**
 * The handshake: how the two ends of a fresh socket prove their node keys to each other.
 *
 * Both say hello at once; then each signs both hellos, and so both keys, both nonces, the network and the
 * origin that was dialled, with its own role in the domain tag. What was signed for one socket proves nothing
 * on another: a replay lacks the fresh nonce, a reflection has the wrong role, and who passes on the words of
 * others between two sockets is given away by the origin, which the acceptor compares with those that its own
 * configuration lists (never with a Host header, which the dialler writes).
 *
 * A pure machine. In: texts of the other end, and what signer and verifier say. Out: texts to send, what to
 * sign and to verify, and in the end a proven peer or a refusal, which both ends are told.
 */
import * as z from 'zod'
import { utf8Bytes } from '../codec/bytes.ts'
import { canonicalize, type Json, parseCanonical } from '../codec/json.ts'
import { preimage } from '../crypto/hash.ts'
import { assert } from '../errors.ts'
import { addressField, hashField, networkIdField, signatureField } from '../objects/fields.ts'
import type { Address, Hash, NetworkId, Signature } from '../units.ts'

import {
  maxFrameBytes,
  maxHandshakeBytes,
  maxListedOrigins,
  maxOriginBytes,
  maxRefusalChars,
} from './limits.ts'
import { printable } from './printable.ts'

export const helloSchema = z.strictObject({
  kind: z.literal('hello'),
  network: networkIdField,
  key: addressField,
  /** 32 fresh random bytes. */
  nonce: hashField,
  /** Of the program, for the operator at the other end. */
  version: z.string().regex(/^[0-9A-Za-z.+-]{1,32}$/),
  /** What was dialled; said by the dialler, and by it alone. */
  origin: z
    .string()
    .max(maxOriginBytes)
    .regex(/^[!-~]*$/)
    .optional(),
  /** It ends its links while nothing happens, and wants no other then: a POST wakes it. */
  sleeps: z.literal(true).optional(),
})
export type Hello = z.output<typeof helloSchema>

const proofSchema = z.strictObject({ kind: z.literal('proof'), signature: signatureField })

/** Why one end doesn't want the other. */
export const refusalReasons = [
  'malformed',
  'too-big',
  'too-late',
  'too-much',
  'wrong-role',
  'wrong-network',
  'wrong-origin',
  'wrong-signature',
  'self',
  'not-allowed',
  'banned',
  'duplicate',
  'full',
  'shutting-down',
] as const

const refusalSchema = z.strictObject({
  kind: z.literal('refusal'),
  reason: z.enum(refusalReasons),
  /** Goes into a log, so without control characters. */
  detail: z
    .string()
    .max(maxRefusalChars)
    .regex(/^\P{C}*$/u),
})

export interface Refusal {
  readonly reason: (typeof refusalReasons)[number]
  /** What was wrong and what was expected, for the operators of both ends. */
  readonly detail: string
}

export type Role = 'dialler' | 'acceptor'

/** One end's side of a handshake. */
export interface HandshakeTerms {
  readonly role: Role
  readonly network: NetworkId
  readonly key: Address
  /** Fresh for each socket. */
  readonly nonce: Hash
  readonly version: string
  readonly sleeps?: boolean
  /** The one that was dialled; for an acceptor all that it is reached under. */
  readonly origins: readonly string[]
  /** Keys that may be linked; absent: all. */
  readonly allowed?: ReadonlySet<Address>
  /** What else speaks against a peer with this key. */
  readonly objection: (key: Address) => Refusal | undefined
}

export type HandshakeInput =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'signed'; readonly signature: Signature }
  | { readonly kind: 'verified'; readonly isValid: boolean }
  /** This end has had enough. */
  | { readonly kind: 'refused'; readonly refusal: Refusal }

export type HandshakeEffect =
  | { readonly kind: 'send'; readonly text: string }
  | { readonly kind: 'sign'; readonly text: string }
  | {
      readonly kind: 'verify'
      readonly key: Address
      readonly text: string
      readonly signature: Signature
    }
  /** The last effect: the peer is proven. `early` is what it said meanwhile that is no part of the handshake. */
  | { readonly kind: 'welcome'; readonly peer: Hello; readonly early: readonly string[] }
  /** The last effect. What `us` refused, the other end has been told. */
  | { readonly kind: 'end'; readonly by: 'us' | 'them'; readonly refusal: Refusal }

export class Handshake {
  readonly #terms: HandshakeTerms
  readonly #hello: Hello
  #peer: Hello | undefined
  #proofSent = false
  #proofHeard = false
  #proofHolds = false
  readonly #early: string[] = []
  #earlyBytes = 0
  #isOver = false

  constructor(terms: HandshakeTerms) {
    const { role, network, key, nonce, version, sleeps, origins } = terms
    this.#terms = terms
    this.#hello = {
      kind: 'hello',
      network,
      key,
      nonce,
      version,
      ...(role === 'dialler' ? { origin: origins[0] } : {}),
      ...(sleeps ? { sleeps } : {}),
    }
  }

  /** Call once, when the socket is open. */
  begin(): readonly HandshakeEffect[] {
    return [send(this.#hello)]
  }

  /** Same inputs, same effects. Nothing follows the last effect, whatever still comes in. */
  step(input: HandshakeInput): readonly HandshakeEffect[] {
    if (this.#isOver) return []
    switch (input.kind) {
      case 'text':
        return this.#hear(input.text)
      case 'signed':
        this.#proofSent = true
        return [send({ kind: 'proof', signature: input.signature }), ...this.#welcome()]
      case 'verified':
        if (!input.isValid)
          return this.#refuse('wrong-signature', 'the signature is not of this key over this handshake')
        this.#proofHolds = true
        return this.#welcome()
      case 'refused':
        return this.#refuse(input.refusal.reason, input.refusal.detail)
    }
  }

  #hear(text: string): readonly HandshakeEffect[] {
    const message = decode(text)
    if (message?.kind === 'refusal') return this.#end('them', refusalOf(message))
    if (this.#proofHeard) return this.#keepForLater(text)
    const sizeBytes = utf8Bytes(text)
    if (sizeBytes > maxHandshakeBytes)
      return this.#refuse(
        'too-big',
        `a message of the handshake has at most ${maxHandshakeBytes} bytes, and this one ${sizeBytes}`,
      )
    if (message?.kind === 'hello' && !this.#peer) return this.#hearHello(message)
    if (message?.kind === 'proof' && this.#peer) return this.#hearProof(this.#peer, message.signature)
    return this.#refuse('malformed', 'expected a hello and then a proof, in canonical JSON')
  }

  /** The other end may be done with us sooner than we with it. */
  #keepForLater(text: string): readonly HandshakeEffect[] {
    this.#earlyBytes += utf8Bytes(text)
    if (this.#earlyBytes > maxFrameBytes)
      return this.#refuse(
        'too-much',
        `expected at most ${maxFrameBytes} bytes while the handshake isn't over`,
      )
    this.#early.push(text)
    return []
  }

  #hearHello(hello: Hello): readonly HandshakeEffect[] {
    const refusal = this.#judge(hello)
    if (refusal) return this.#refuse(refusal.reason, refusal.detail)
    this.#peer = hello
    return [{ kind: 'sign', text: this.#transcript(this.#terms.role, hello) }]
  }

  #hearProof(peer: Hello, signature: Signature): readonly HandshakeEffect[] {
    this.#proofHeard = true
    const text = this.#transcript(this.#terms.role === 'dialler' ? 'acceptor' : 'dialler', peer)
    return [{ kind: 'verify', key: peer.key, text, signature }]
  }

  #judge({ network, key, origin }: Hello): Refusal | undefined {
    const { role, network: ours, key: ourKey, origins, allowed, objection } = this.#terms
    if (key === ourKey)
      return {
        reason: 'self',
        detail: `this is a node with the same key, ${key}: the same one, or a copy that must not run`,
      }
    if ((origin === undefined) !== (role === 'dialler'))
      return {
        reason: 'wrong-role',
        detail: 'the dialler names the origin that it dialled, and the acceptor names none',
      }
    if (network !== ours)
      return { reason: 'wrong-network', detail: `this node is of network ${ours}, and not of ${network}` }
    if (origin !== undefined && !origins.includes(origin))
      return {
        reason: 'wrong-origin',
        detail: `this node isn't known as ${JSON.stringify(origin)}: dial one of ${list(origins)}`,
      }
    if (allowed && !allowed.has(key))
      return { reason: 'not-allowed', detail: `${key} is not on this node's list of allowed peers` }
    return objection(key)
  }

  /** What the end in that role signs. */
  #transcript(role: Role, peer: Hello): string {
    const [dialler, acceptor] = this.#terms.role === 'dialler' ? [this.#hello, peer] : [peer, this.#hello]
    return preimage(`link-${role}`, canonicalize({ dialler, acceptor } as unknown as Json))
  }

  #welcome(): readonly HandshakeEffect[] {
    if (!this.#proofSent || !this.#proofHolds) return []
    assert(this.#peer, 'a peer whose proof holds has said hello')
    this.#isOver = true
    return [{ kind: 'welcome', peer: this.#peer, early: this.#early }]
  }

  #refuse(reason: Refusal['reason'], detail: string): readonly HandshakeEffect[] {
    const refusal: Refusal = { reason, detail: printable(detail, maxRefusalChars) }
    return [{ kind: 'send', text: encodeRefusal(refusal) }, ...this.#end('us', refusal)]
  }

  #end(by: 'us' | 'them', refusal: Refusal): readonly HandshakeEffect[] {
    this.#isOver = true
    return [{ kind: 'end', by, refusal }]
  }
}

const messageSchema = z.discriminatedUnion('kind', [helloSchema, proofSchema, refusalSchema])

/** @returns undefined when it is none of the messages of a handshake */
const decode = (text: string): z.output<typeof messageSchema> | undefined => {
  if (!text.startsWith('{') || text.length > maxHandshakeBytes) return undefined
  try {
    return messageSchema.safeParse(parseCanonical(text)).data
  } catch {
    return undefined
  }
}

/** What an end says last, on a link that is open already too. */
export const encodeRefusal = ({ reason, detail }: Refusal): string =>
  canonicalize({ kind: 'refusal', reason, detail })

/** @returns undefined when the text is no refusal */
export const decodeRefusal = (text: string): Refusal | undefined => {
  const message = decode(text)
  return message?.kind === 'refusal' ? refusalOf(message) : undefined
}

const refusalOf = ({ reason, detail }: Refusal): Refusal => ({ reason, detail })

const send = (message: object): HandshakeEffect => ({ kind: 'send', text: canonicalize(message as Json) })

const list = (origins: readonly string[]): string => {
  const listed = origins.slice(0, maxListedOrigins).join(', ')
  return origins.length > maxListedOrigins ? `${listed} and others` : listed
}
