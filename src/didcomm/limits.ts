/** What bounds what peers send each other in envelopes. */

/** UTF-8 of what an envelope holds: a plaintext message, or a signed one. */
export const maxMessageBytes = 64 * 1024
/** UTF-8 of an envelope: the largest message in base64url (4/3), and its headers with long DIDs in them. */
export const maxEnvelopeBytes = 112 * 1024
/** Base64url of an envelope's protected header: a long DID stands in it twice, as `skid` and as `apu`. */
export const maxProtectedChars = 24 * 1024
/** Keys that one envelope is sealed for; those that a DID document lists beyond them are passed over. */
export const maxRecipients = 8
/** Keys that a DID document may list, of whatever kind. */
export const maxDocumentKeys = 32
/** Characters of a DID: a did:peer:4 whose document has 2 KiB. Decoding base58 takes time that grows with the square of that. */
export const maxDidChars = 2_880
/** Characters of a DID with its fragment. */
export const maxDidUrlChars = maxDidChars + 128
/** Characters of a message's `id`, `thid` and `pthid`. */
export const maxIdChars = 128
/** Characters of a message's `type`. */
export const maxTypeChars = 256
/** DIDs in a message's `to`. */
export const maxTo = 8
/** Attachments of one message. */
export const maxAttachments = 8
/** Characters of a `from_prior`: three long DIDs in base64url. */
export const maxFromPriorChars = 20 * 1024
/** Characters of an invitation's URL. */
export const maxInvitationChars = 16 * 1024
/** Characters of the URL that a DID document names for its messages. */
export const maxEndpointChars = 1_024
/** Questions of one query about features, and answers to it. */
export const maxQueries = 32
/** Characters of one thing that is asked for, and of a problem's code or comment. */
export const maxPhraseChars = 1_024
/** Arguments of a problem report. */
export const maxProblemArguments = 16
