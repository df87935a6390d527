/** What is asked of connections and answered about them. */
import { z } from '@hono/zod-openapi'
import { maxInvitationSeconds } from '../src/connections/limits.ts'
import { maxInvitationChars } from '../src/didcomm/didcomm.ts'
import { maxLabelChars } from '../src/node/connections/limits.ts'
import { hashField, transactionIdField } from '../src/objects/fields.ts'

export const idParameter = z
  .string()
  .regex(/^[0-9a-f]{32}$/, 'expected the id of a connection: 32 hex digits')
  .meta({ description: 'Of the connection, at this node alone.' })

const labelField = z
  .string()
  .max(maxLabelChars)
  .meta({ description: 'What you call it. The other end never sees it.' })

const unixMs = z.int().meta({ description: 'Milliseconds since the Unix epoch.' })

export const connectionSchema = z
  .strictObject({
    id: idParameter,
    label: labelField.optional(),
    goal: z.string().optional().meta({ description: 'What the invitation says that it is for.' }),
    role: z.enum(['inviter', 'acceptor']),
    state: z.enum(['invited', 'requested', 'active', 'ending', 'ended']).meta({
      description:
        '`active` once both ends have signed. `ending`: this end has let go, and the other may not know yet. A peer that can’t be reached is never taken to have ended it.',
    }),
    endedBy: z.enum(['us', 'them', 'expired']).optional(),
    expires: z.int().optional().meta({ description: 'Of the invitation, in Unix seconds.' }),
    created: unixMs,
    shortCode: z.string().optional().meta({
      description:
        'For two people to read to each other: the same at both ends, or somebody sits between them.',
      example: '52804 71169 00321 97455',
    }),
    ours: z
      .string()
      .optional()
      .meta({ description: 'Our DID for this connection, which nobody else is given.' }),
    theirs: z.string().optional(),
    endpoint: z.string().optional().meta({ description: 'Where the other end has its messages sent.' }),
    reachable: z.boolean().optional().meta({ description: 'Whether the last attempt got through.' }),
    lastSeen: unixMs.optional(),
    blocked: z.boolean(),
    trouble: z.strictObject({ code: z.string(), at: unixMs }).optional().meta({
      description:
        "Why the other end's node doesn't take our messages, as it says; nobody has signed that, so it ends nothing.",
    }),
    unacknowledged: z.int().meta({ description: 'Messages of ours that the other end hasn’t confirmed.' }),
    lost: z.array(z.strictObject({ stream: z.int(), from: z.int(), to: z.int() })).meta({
      description: 'Messages that the other end has no more, after this end was restored from a backup.',
    }),
  })
  .openapi('Connection')

export const invitationSchema = z
  .strictObject({
    id: idParameter,
    url: z
      .string()
      .meta({ description: 'To be handed to one person, over a way that you trust. It works once.' }),
    expires: z.int().meta({ description: 'Unix seconds.' }),
  })
  .openapi('Invitation')

export const termsSchema = z
  .strictObject({
    label: labelField.optional(),
    goal: z
      .string()
      .max(maxLabelChars)
      .optional()
      .meta({ description: 'What it is for; the other end sees it.' }),
    seconds: z
      .int()
      .min(1)
      .max(maxInvitationSeconds)
      .optional()
      .meta({ description: 'How long it holds; a day when left out.' }),
  })
  .openapi('InvitationTerms', { example: { label: 'Ada' } })

export const acceptanceSchema = z
  .strictObject({
    url: z.string().max(maxInvitationChars).meta({ description: 'Of the invitation.' }),
    label: labelField.optional(),
  })
  .openapi('Acceptance')

export const messageSchema = z
  .strictObject({
    position: z.int().meta({ description: 'In the order in which they took effect, from 1.' }),
    id: z.string(),
    received: unixMs,
    sent: z.int().optional().meta({ description: 'Unix seconds, as the other end says.' }),
    type: z.string().meta({ description: 'Of the DIDComm message.' }),
    text: z.string().optional(),
    json: z.unknown().optional(),
    payload: z
      .strictObject({
        mediaType: z.string(),
        base64: z.string(),
        c: hashField.meta({ description: 'The commitment.' }),
        transaction: transactionIdField,
        standing: z.enum(['verified', 'not-on-ledger', 'mismatch']).meta({
          description: "What this node's own ledger says about the commitment now.",
        }),
      })
      .optional(),
    receipt: z
      .strictObject({
        c: hashField,
        transaction: transactionIdField,
        jws: z
          .looseObject({ payload: z.string() })
          .meta({ description: 'As it was signed, to be shown to others.' }),
      })
      .optional()
      .meta({ description: 'The other end has signed that it has this payload, and found its commitment.' }),
  })
  .openapi('ConnectionMessage')

export const saidSchema = z
  .strictObject({
    id: z.string(),
    number: z.int(),
    c: hashField.optional(),
    transaction: transactionIdField.optional(),
  })
  .openapi('Said')

const passphraseField = z.string().min(8, 'expected at least 8 characters').max(1_024)

export const exportOptions = z.strictObject({ passphrase: passphraseField }).openapi('ExportOptions')

export const importSchema = z
  .strictObject({ passphrase: passphraseField, export: z.looseObject({ kind: z.string() }) })
  .openapi('Import')

export const revealedSchema = z
  .strictObject({
    kind: z.literal('reveal'),
    c: hashField,
    transaction: transactionIdField,
    salt: hashField.meta({ description: '32 bytes in hex.' }),
    mediaType: z.string(),
    base64: z.string(),
    receipt: z
      .unknown()
      .optional()
      .meta({ description: 'A JWS by this end, if it is the one that has received it.' }),
    proof: z.string().meta({ description: 'The transaction with its proof, as the node answers it.' }),
  })
  .openapi('Reveal', {
    description:
      'HMAC-SHA256 over `tautline/commitment/1`, a zero byte and the payload, with the salt as its key, gives `c`, which the transaction carries: `tautline proof check` looks at all of it, offline.',
  })

export const eventPosition = z.string().regex(/^[0-9]{1,15}$/, 'expected the id of an event: a whole number')

export const connectionEventSchema = z
  .strictObject({
    connection: idParameter,
    at: unixMs,
    message: z.int().optional().meta({ description: 'Position of the message, of `message`.' }),
  })
  .openapi('ConnectionEvent', {
    description:
      'Types: `requested`, `active`, `ended`, `rotated`, `ponged`, `acknowledged`, `message`, `lost`.',
  })
