/**
 * Genesis: what a network starts from.
 *
 * The network id is the hash of `{name, time, parameters, stateRoot, validators}`; the accounts travel
 * beside it and must give that state root (see `ledger/genesis.ts`, which computes it).
 */
import * as z from 'zod'
import { hashObject } from '../crypto/hash.ts'
import type { NetworkId } from '../units.ts'
import { addressField, amountField, hashField, textField, unixMsField } from './fields.ts'
import { parametersSchema } from './parameters.ts'
import { isSortedByAddress, validatorSchema } from './validators.ts'

/** Most accounts of a genesis: more are created by transactions. */
export const maxGenesisAccounts = 65_536

const genesisBase = {
  name: textField(64).refine((text) => text.length > 0, 'expected a name'),
  time: unixMsField,
  parameters: parametersSchema,
  validators: z
    .array(validatorSchema)
    .min(1)
    .refine(isSortedByAddress, 'expected validators sorted by address, each once'),
}

export const genesisSchema = z.strictObject({
  ...genesisBase,
  accounts: z
    .array(z.strictObject({ address: addressField, balance: amountField }))
    .max(maxGenesisAccounts)
    .refine(isSortedByAddress, 'expected accounts sorted by address, each once'),
})
export type Genesis = z.output<typeof genesisSchema>

/** What the network id is the hash of: enough to check certificates with, whatever the number of accounts. */
export const genesisAnchorSchema = z.strictObject({ ...genesisBase, stateRoot: hashField })
export type GenesisAnchor = z.output<typeof genesisAnchorSchema>

export const networkIdOf = (anchor: GenesisAnchor): NetworkId => hashObject('genesis', anchor) as NetworkId
