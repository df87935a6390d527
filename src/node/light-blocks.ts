/** Headers for those who follow the network by them (see `objects/light-block.ts`). */
import { TautlineError } from '../errors.ts'
import type { HeaderView, LightBlock } from '../objects/light-block.ts'
import { height as asHeight, type Height } from '../units.ts'
import type { Chain } from './chain.ts'
import { pruned } from './ledger-store.ts'
import { proveFinality } from './proofs.ts'

/**
 * @param at - 0 is the genesis
 * @param proof - add what leads there from the network id
 * @returns undefined when there is no such block yet
 * @throws TautlineError `pruned`, with the height of the `next` one that there is
 */
export const readHeader = async (
  chain: Chain,
  at: Height | 'latest',
  { proof }: { proof: boolean },
): Promise<HeaderView | undefined> => {
  const height = at === 'latest' ? chain.head.height : at
  if (height > chain.head.height) return undefined
  if (height === 0) return { genesis: chain.anchor }
  const block = await readLightBlock(chain, height)
  if (!proof) return block
  const { genesis, hops } = await proveFinality(chain, height)
  return { ...block, origin: { genesis, hops } }
}

const readLightBlock = async ({ reader, head, kept }: Chain, height: Height): Promise<LightBlock> => {
  const next = await nextKept({ reader, head, kept }, height)
  if (next !== height) throw prunedUntil(next, pruned(height, kept.oldest))
  const header = await reader.header(height)
  return {
    header,
    certificate: await reader.certificate(height),
    validators: [...(await reader.validators(header.validatorsHash))],
    ...(header.nextValidatorsHash !== header.validatorsHash && {
      nextValidators: [...(await reader.validators(header.nextValidatorsHash))],
    }),
  }
}

/** Height of the first header from here on that is kept: where the validators change, all are. */
const nextKept = async (
  { reader, head, kept }: Pick<Chain, 'reader' | 'head' | 'kept'>,
  height: Height,
): Promise<Height> => {
  if (height >= kept.oldest) return height
  const first = Math.min(kept.oldest, head.height)
  let [low, high] = [0, head.hops]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((await reader.hopHeight(middle)) >= height) high = middle
    else low = middle + 1
  }
  return asHeight(low === head.hops ? first : Math.min(first, await reader.hopHeight(low)))
}

const prunedUntil = (next: Height, { code, message, details }: TautlineError): TautlineError =>
  new TautlineError(code, `${message}, or ask for the next header that is here, ${next}`, {
    ...details,
    next,
  })
