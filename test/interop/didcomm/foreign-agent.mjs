// An agent that shares no code with ours: envelopes by didcomm-node (Rust in WASM), JWTs, signatures and END by jose,
// did:peer by Credo, keys by Node's own crypto.
import { createHash, generateKeyPairSync, randomUUID } from 'node:crypto'
import {
  DidDocument,
  didDocumentToNumAlgo2Did,
  didDocumentToNumAlgo4Did,
  PeerDidResolver,
} from '@credo-ts/core'
import { base58 } from '@scure/base'
import { FromPrior, Message } from 'didcomm-node'
import {
  base64url,
  decodeProtectedHeader,
  flattenedVerify,
  GeneralEncrypt,
  GeneralSign,
  generalDecrypt,
  generalVerify,
  importJWK,
  jwtVerify,
  SignJWT,
} from 'jose'

const multicodecs = { Ed25519: 0xed, X25519: 0xec }

export const multikeyOf = ({ crv, x }) =>
  `z${base58.encode(Uint8Array.of(multicodecs[crv], 1, ...base64url.decode(x)))}`

const jwkOf = (multikey) => {
  const bytes = base58.decode(multikey.slice(1))
  const crv = Object.keys(multicodecs).find((name) => multicodecs[name] === bytes[0])
  return { kty: 'OKP', crv, x: base64url.encode(bytes.subarray(2)) }
}

// Credo's resolver asks for an agent only to look up short forms in its records.
const context = (longForms) => ({
  dependencyManager: {
    resolve: () => ({
      findAllByDid: async (_, did) => (longForms.has(did) ? [{ did: longForms.get(did) }] : []),
    }),
  },
  config: { logger: { error: () => {} } },
})

/** @returns what Credo makes of a did:peer, as JSON; undefined when it can't be resolved */
export const resolveByCredo = async (did, longForms = new Map()) => {
  const { didDocument } = await new PeerDidResolver().resolve(context(longForms), did)
  return didDocument?.toJSON()
}

export const shortForm = (did) => did.replace(/^(did:peer:4z[^:]+):z.+$/, '$1')

const documentJson = (id, signing, agreement, uri) => ({
  '@context': ['https://www.w3.org/ns/did/v1'],
  id,
  verificationMethod: [
    { id: '#key-1', type: 'Multikey', controller: id, publicKeyMultibase: multikeyOf(signing) },
    { id: '#key-2', type: 'Multikey', controller: id, publicKeyMultibase: multikeyOf(agreement) },
  ],
  authentication: ['#key-1'],
  keyAgreement: ['#key-2'],
  service: [
    {
      id: '#service',
      type: 'DIDCommMessaging',
      serviceEndpoint: { uri, accept: ['didcomm/v2'], routingKeys: [] },
    },
  ],
})

export class ForeignAgent {
  #secrets = new Map()
  #signingKeys = new Map()
  #longForms = new Map()

  /** A new DID of its own; `method` 2 or 4. */
  makeDid(uri, method = 4) {
    const [signing, agreement] = ['ed25519', 'x25519'].map((kind) =>
      generateKeyPairSync(kind).privateKey.export({ format: 'jwk' }),
    )
    const document = DidDocument.fromJSON(documentJson('#id', signing, agreement, uri))
    const did =
      method === 2 ? didDocumentToNumAlgo2Did(document) : didDocumentToNumAlgo4Did(document).longFormDid
    this.learn(did)
    for (const form of [did, shortForm(did)]) {
      this.#keep(`${form}#key-1`, signing)
      this.#keep(`${form}#key-2`, agreement)
      this.#signingKeys.set(form, signing)
    }
    return did
  }

  #keep(id, privateKeyJwk) {
    this.#secrets.set(id, { id, type: 'JsonWebKey2020', privateKeyJwk })
  }

  /** Lets the short form of a DID be resolved from now on. */
  learn(did) {
    if (shortForm(did) !== did) this.#longForms.set(shortForm(did), did)
  }

  /** In the shape that didcomm-node wants: absolute ids, keys as JWK. */
  resolver = {
    resolve: async (did) => {
      const document = await resolveByCredo(this.#longForms.get(did) ?? did)
      if (!document) return null
      const absolute = (id) => `${did}${id.slice(id.indexOf('#'))}`
      const embedded = [...(document.authentication ?? []), ...(document.keyAgreement ?? [])].filter(
        (reference) => typeof reference !== 'string',
      )
      const idOf = (reference) => absolute(typeof reference === 'string' ? reference : reference.id)
      return {
        id: did,
        authentication: (document.authentication ?? []).map(idOf),
        keyAgreement: (document.keyAgreement ?? []).map(idOf),
        verificationMethod: [...(document.verificationMethod ?? []), ...embedded].map((method) => ({
          id: absolute(method.id),
          type: 'JsonWebKey2020',
          controller: did,
          publicKeyJwk: jwkOf(multikeyFrom(method)),
        })),
        service: [],
      }
    },
  }

  secrets = {
    get_secret: async (id) => this.#secrets.get(id) ?? null,
    find_secrets: async (ids) => ids.filter((id) => this.#secrets.has(id)),
  }

  /** Sealed by the `from` of the message; signed too when `signBy` names one of our DIDs. */
  async seal(
    message,
    to,
    /** @type {{ signBy?: string, protectSender?: boolean }} */ { signBy, protectSender = false } = {},
  ) {
    const [text] = await toMessage(message).pack_encrypted(
      to,
      message.from,
      signBy ?? null,
      this.resolver,
      this.secrets,
      {
        forward: false,
        protect_sender: protectSender,
      },
    )
    return text
  }

  /** `algorithm` is one of didcomm-node's names. */
  async sealAnonymously(
    message,
    to,
    /** @type {{ algorithm?: string, signBy?: string }} */ {
      algorithm = 'A256cbcHs512EcdhEsA256kw',
      signBy,
    } = {},
  ) {
    const [text] = await toMessage(message).pack_encrypted(
      to,
      null,
      signBy ?? null,
      this.resolver,
      this.secrets,
      {
        forward: false,
        enc_alg_anon: algorithm,
      },
    )
    return text
  }

  async open(text) {
    const [message, metadata] = await Message.unpack(text, this.resolver, this.secrets, {})
    return { message: message.as_value(), metadata }
  }

  async fromPrior(iss, sub, iat) {
    const [jwt] = await new FromPrior({ iss, sub, iat }).pack(null, this.resolver, this.secrets)
    return jwt
  }

  /** An END: didcomm-node can neither sign nor seal what has no `sub`, so this is jose alone. */
  async sealEnding(iss, to, iat) {
    const from_prior = await new SignJWT({ iss, iat })
      .setProtectedHeader({ typ: 'JWT', alg: 'EdDSA', kid: `${iss}#key-1` })
      .sign(await importJWK(this.#signingKeys.get(iss), 'EdDSA'))
    const message = newMessage('https://didcomm.org/empty/1.0/empty', {}, { to: [to], from_prior })
    const { keyAgreement, verificationMethod } = await this.resolver.resolve(to)
    const [kid] = keyAgreement
    const { publicKeyJwk } = verificationMethod.find(({ id }) => id === kid)
    const jwe = await new GeneralEncrypt(new TextEncoder().encode(JSON.stringify(message)))
      .setProtectedHeader({
        typ: 'application/didcomm-encrypted+json',
        alg: 'ECDH-ES+A256KW',
        enc: 'A256CBC-HS512',
      })
      .addRecipient(await importJWK(publicKeyJwk, 'ECDH-ES+A256KW'))
      .setUnprotectedHeader({ kid })
      .setKeyManagementParameters({ apv: createHash('sha256').update(kid).digest() })
      .encrypt()
    return JSON.stringify(jwe)
  }

  /** @returns the message of an END to us, and the verified payload of its JWT; didcomm-node can't read one */
  async openEnding(text) {
    const jwe = JSON.parse(text)
    const secret = jwe.recipients.map(({ header }) => this.#secrets.get(header.kid)).find(Boolean)
    const { plaintext } = await generalDecrypt(jwe, await importJWK(secret.privateKeyJwk, 'ECDH-ES+A256KW'))
    const message = JSON.parse(new TextDecoder().decode(plaintext))
    const { payload } = await this.verifyJwt(message.from_prior)
    if (message.from !== undefined || payload.sub !== undefined) throw new Error('no END')
    return { message, payload }
  }

  async verifyJwt(jwt) {
    const { kid } = decodeProtectedHeader(jwt)
    const { payload } = await jwtVerify(jwt, await this.#publicKey(kid), {
      typ: 'JWT',
      algorithms: ['EdDSA'],
    })
    return { kid, payload }
  }

  /** A statement that can be shown to others, as JWS in general JSON over canonical JSON of flat values. */
  async sign(did, typ, statement) {
    const text = JSON.stringify(statement, Object.keys(statement).sort())
    const kid = `${did}#key-1`
    return new GeneralSign(new TextEncoder().encode(text))
      .addSignature(await importJWK(this.#signingKeys.get(did), 'EdDSA'))
      .setProtectedHeader({ typ, alg: 'EdDSA', kid })
      .sign()
  }

  async verify(jws) {
    const key = async (header, token) => this.#publicKey(header.kid ?? token.header?.kid)
    const verified = await ('signatures' in jws ? generalVerify : flattenedVerify)(jws, key, {
      algorithms: ['EdDSA'],
    })
    return {
      header: verified.protectedHeader,
      payload: JSON.parse(new TextDecoder().decode(verified.payload)),
    }
  }

  async #publicKey(kid) {
    const document = await this.resolver.resolve(kid.slice(0, kid.indexOf('#')))
    return importJWK(document.verificationMethod.find(({ id }) => id === kid).publicKeyJwk, 'EdDSA')
  }
}

export const newMessage = (type, body = {}, headers = {}) => ({
  id: randomUUID(),
  typ: 'application/didcomm-plain+json',
  type,
  body,
  ...headers,
})

const toMessage = (message) => new Message(message)

// Credo writes the older key types as base58 when it unfolds a did:peer:2.
const multikeyFrom = ({ publicKeyMultibase, publicKeyBase58, type }) => {
  if (publicKeyMultibase) return publicKeyMultibase
  const crv = type.startsWith('X25519') ? 'X25519' : 'Ed25519'
  return multikeyOf({ crv, x: base64url.encode(base58.decode(publicKeyBase58)) })
}
