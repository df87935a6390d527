/** What the page and its worker say to each other. */
import type { AccountView, FinalTransaction, PeersView, Status, Submission } from '../node/service.ts'
import type { Transaction } from '../objects/transaction.ts'
import type { Address, Amount, BlockHash, Height, TransactionId, UnixMs } from '../units.ts'

export interface BlockLine {
  readonly height: Height
  readonly hash: BlockHash
  readonly time: UnixMs
  readonly transactions: number
  readonly proposer: Address
}

export type OwnTransaction = FinalTransaction & { readonly transaction: Transaction }

/** All that the page shows. */
export interface View {
  readonly status: Status
  readonly peers: PeersView
  readonly account: AccountView
  /** Newest first. */
  readonly blocks: readonly BlockLine[]
  /** Of this tab's account, newest first. */
  readonly own: readonly OwnTransaction[]
}

/** What the page may ask of the node. */
export interface Calls {
  start(options: { join: string; readToken?: string }): 'found' | 'made' | 'joined'
  send(payment: { to: Address; amount: Amount; memo?: string }): Submission
  wait(id: TransactionId): Submission
  prove(of: Address | TransactionId): string | undefined
}

export interface Call {
  readonly id: number
  readonly name: keyof Calls
  readonly args: readonly unknown[]
}

export type FromWorker =
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly message: string }
  | { readonly kind: 'view'; readonly view: View }
  | { readonly kind: 'halted'; readonly message: string }
