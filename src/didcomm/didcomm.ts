/**
 * DIDComm Messaging v2.1 between two ends that know each other's URL: envelopes, peer DIDs, invitations,
 * rotation and the end, and the few protocols that a connection needs.
 *
 * In: bytes that a peer sent, our keys, what is known of the peer, the time, unpredictable bytes. Out: texts
 * to send, and verdicts. A pure, synchronous library: it holds no state, dials nothing, and what a peer sends
 * never throws. It must never touch a clock, randomness, storage or a socket, and knows no ledger or node.
 *
 * The profile is X25519 and Ed25519 alone, which is less than full conformance: P-256 and P-384 are mandatory
 * there. authcrypt is ECDH-1PU+A256KW with A256CBC-HS512; anoncrypt is ECDH-ES+A256KW, written with
 * A256CBC-HS512 and read with A256GCM and XC20P too; signatures are EdDSA. No mediators, so no forwarding and
 * no envelope within an envelope.
 *
 * Whoever receives: {@link readEnvelope} first, which costs no key agreement; find the key by
 * `recipients` and charge its budget; then {@link openEnvelope} with what is stored of the connection.
 *
 * @see https://identity.foundation/didcomm-messaging/spec/v2.1/
 * @see https://identity.foundation/peer-did-method-spec/
 */

export { commitmentOf, saltBytes } from './commitment.ts'
export { type DidUrl, isSameDid, type KeyId, keyId, parseDidUrl, type ShortDid, shortDid } from './did.ts'
export type { DidDocument, DocumentKey } from './did-document.ts'
export { encodeDidKey } from './did-key.ts'
export { type Ending, emptyType, sealEnd } from './end.ts'
export { type Envelope, encryptedMediaType, readEnvelope } from './envelope.ts'
export { type FromPrior, type PriorKnown, signFromPrior, verifyFromPrior } from './from-prior.ts'
export { agreementKeyId, createIdentity, type Identity, identityEntropyBytes } from './identity.ts'
export {
  type Invitation,
  type InvitationTerms,
  invitationType,
  invitationUrl,
  makeInvitation,
  readInvitation,
} from './invitation.ts'
export type { Jws } from './jws.ts'
export { maxEndpointChars, maxEnvelopeBytes, maxInvitationChars, maxMessageBytes } from './limits.ts'
export {
  type Attachment,
  fitsInEnvelope,
  idEntropyBytes,
  type Message,
  makeId,
  readMessage,
} from './message.ts'
export {
  type Correspondent,
  type End,
  type Opened,
  type Opening,
  openEnvelope,
  type Verdict,
} from './open.ts'
export { basicMessageType, makeBasicMessage, readBasicMessage } from './protocols/basic-message.ts'
export {
  discloseType,
  type Feature,
  makeDisclosure,
  makeQueries,
  ownFeatures,
  type Query,
  queriesType,
  readDisclosure,
  readQueries,
} from './protocols/discover-features.ts'
export type { Heading } from './protocols/heading.ts'
export {
  makeProblemReport,
  type Problem,
  problemReportType,
  readProblemReport,
} from './protocols/problem-report.ts'
export {
  makePing,
  makePingResponse,
  pingResponseType,
  pingType,
  wantsResponse,
} from './protocols/trust-ping.ts'
export { isRefused, type RefusalCode, type Refused } from './refusal.ts'
export { resolveDid } from './resolve-did.ts'
export { type Seal, sealAnonymously, sealEntropyBytes, sealMessage, signMessage } from './seal.ts'
export { shortCode } from './short-code.ts'
export {
  type ConnectionRecord,
  isSameRecord,
  type ReadStatement,
  type Receipt,
  readStatement,
  type StatementKind,
  signStatement,
} from './statement.ts'
