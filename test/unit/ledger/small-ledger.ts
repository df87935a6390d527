/** A ledger without a chain: state in a Map, blocks executed one after another. */

import { encodeAddress } from '../../../src/codec/address.ts'
import type { Json } from '../../../src/codec/json.ts'
import { type Account, accountKey, decodeAccount, holdingsOf } from '../../../src/ledger/account.ts'
import { type Execution, executeBlock } from '../../../src/ledger/execute-block.ts'
import { minimumFee } from '../../../src/ledger/fees.ts'
import { genesisState, genesisSupply } from '../../../src/ledger/genesis.ts'
import {
  burnedKey,
  decodeBurned,
  decodeUpdateVotes,
  type StateValues,
  type UpdateVote,
  updateVotesKey,
  validatorsKey,
} from '../../../src/ledger/working-state.ts'
import { type Evidence, evidenceOf } from '../../../src/objects/evidence.ts'
import { genesisSchema } from '../../../src/objects/genesis.ts'
import type { Operation } from '../../../src/objects/operation.ts'
import { defaultParameters, type Parameters } from '../../../src/objects/parameters.ts'
import { type DecodedTransaction, decodeTransaction } from '../../../src/objects/transaction.ts'
import type { ValidatorList } from '../../../src/objects/validators.ts'
import { type Verified, verified } from '../../../src/objects/verified.ts'
import type { Prevote } from '../../../src/objects/vote.ts'
import { type Address, type Amount, height, type NetworkId, round, unixMs } from '../../../src/units.ts'

export const network = 'ab'.repeat(32) as NetworkId
export const startTime = 1_790_000_000_000

/** Any 32 bytes that are canonical and of no small order are an address; here nothing is verified. */
export const person = (number: number): Address =>
  encodeAddress(new Uint8Array(32).fill(number + 10).fill(1, 31))
export const units = (value: bigint | number): Amount => String(value) as Amount

export const transfer = (to: Address, value: number): Operation => ({
  type: 'transfer',
  to,
  amount: units(value),
})
export const bond = (value: number): Operation => ({ type: 'stake.bond', amount: units(value) })
export const unbond = (value: number): Operation => ({ type: 'stake.unbond', amount: units(value) })

/** That this key has prevoted a block and nil at once; signatures aren't checked here. */
export const against = (validator: Address, at = 3): Verified<Evidence> => {
  const signature = '0'.repeat(128) as Prevote['signature']
  const nil = { kind: 'prevote', network, height: height(at), round: round(0), validator, signature } as const
  return verified(evidenceOf({ ...nil, block: network }, nil))
}

/** Reads every key, as the shell would have read it before. */
class AllKeys extends Map<string, Json | undefined> {
  override has(): boolean {
    return true
  }
}

export class SmallLedger {
  readonly parameters: Parameters
  readonly proposer = person(0)
  readonly supply: bigint
  time = startTime
  height = 0
  readonly #state = new AllKeys()

  /** Person 0 is the validator; all others begin with the same balance. */
  constructor({ people = 4, balance = 100_000_000, parameters = {} as Partial<Parameters> } = {}) {
    this.parameters = { ...defaultParameters, ...parameters }
    const addresses = Array.from({ length: people }, (_, at) => person(at)).sort()
    const genesis = genesisSchema.parse({
      name: 'small',
      time: startTime,
      parameters: this.parameters,
      accounts: addresses.map((address) => ({ address, balance: units(balance) })),
      validators: [{ address: this.proposer, stake: units(10_000_000) }],
    })
    this.supply = genesisSupply(genesis)
    this.#write(genesisState(genesis))
  }

  account(address: Address): Account {
    return decodeAccount(this.#state.get(accountKey(address)))
  }

  get validators(): ValidatorList {
    return this.#state.get(validatorsKey) as unknown as ValidatorList
  }

  /** The next transaction of a person, with the least fee unless another is given. */
  transaction(
    from: Address,
    operations: readonly Operation[],
    given: { nonce?: number; fee?: number; validUntil?: number } = {},
  ): DecodedTransaction {
    const value = {
      network,
      from,
      nonce: given.nonce ?? this.account(from).nonce,
      validUntil: given.validUntil ?? Math.floor(this.time / 1_000) + 600,
      fee: units(given.fee ?? 0),
      operations: [...operations],
      signatures: [{ key: from, signature: '0'.repeat(128) }],
    }
    const decoded = decodeTransaction(value as unknown as Json)
    if (given.fee !== undefined) return decoded
    return decodeTransaction({
      ...value,
      fee: units(minimumFee(decoded.sizeBytes, this.parameters)),
    } as unknown as Json)
  }

  /** Executes a block some time after the last one. */
  block(
    transactions: readonly DecodedTransaction[],
    afterMs = 1_000,
    evidence: readonly Verified<Evidence>[] = [],
  ): Execution {
    this.time += afterMs
    this.height += 1
    const contents = { evidence, transactions }
    const execution = executeBlock(this.#state, contents, {
      network,
      parameters: this.parameters,
      time: unixMs(this.time),
      height: height(this.height),
      proposer: this.proposer,
    })
    this.#write(execution.changes)
    return execution
  }

  get openUpdates(): readonly UpdateVote[] {
    return decodeUpdateVotes(this.#state.get(updateVotesKey))
  }

  get burned(): bigint {
    return decodeBurned(this.#state.get(burnedKey))
  }

  /** Everything that there is or was, counted from the accounts. */
  countSupply(): bigint {
    let sum = this.burned
    for (const [key, value] of this.#state)
      if (key.startsWith('account/')) sum += holdingsOf(decodeAccount(value))
    return sum
  }

  /** Number of entries in the state. */
  get size(): number {
    return this.#state.size
  }

  #write(changes: StateValues): void {
    for (const [key, value] of changes) {
      if (value === undefined) this.#state.delete(key)
      else this.#state.set(key, value)
    }
  }
}
