/** An account for people, as rows of a table. */
import type { AccountView } from '../node/service.ts'

export const accountRows = ({
  address,
  balance,
  nonce,
  stake,
  unbonding,
  expelled,
}: Omit<AccountView, 'height' | 'proof'>): readonly (readonly [string, string])[] => [
  ['address', address],
  ['balance', balance],
  ['nonce', String(nonce)],
  ['stake', stake],
  ...unbonding.map(
    ({ amount, time }) => ['unbonding', `${amount} until ${new Date(time).toISOString()}`] as const,
  ),
  ...(expelled ? [['expelled', 'contradicted itself as a validator'] as const] : []),
]
