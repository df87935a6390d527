/** `tautline/client`: a typed client of a node, and what signs transactions for it. Runs wherever there is `fetch`. */

export { type Client, type ClientOptions, createClient, type WaitOption } from '../client/client.ts'
export {
  type ConnectionsClient,
  createConnectionsClient,
  type Messages,
} from '../client/connections-client.ts'
export { isProblem, type Problem, RequestError, type RequestErrorDetails } from '../client/request-error.ts'
export { signTransaction, type TransactionParts } from '../client/sign-transaction.ts'
export type { ConnectionView } from '../connections/connections.ts'
export { type ErrorCode, TautlineError } from '../errors.ts'
export type * from '../node/connections/service.ts'
export type * from '../node/service.ts'
export type { Genesis } from '../objects/genesis.ts'
export type { Operation } from '../objects/operation.ts'
export type { Transaction } from '../objects/transaction.ts'
export type { Signer } from '../ports/keys.ts'
export { createWebSigner as createSigner } from '../runtime/web/keys.ts'
export type * from '../units.ts'
