/**
 * Skipping: from a trusted header to a later one over as few in between as can be.
 *
 * Where the step is too far, since too many of the validators have changed, the header in the middle is tried first.
 *
 * @see arXiv:2010.07031 §4, `VerifyToTarget`
 */
import type { LightBlock } from '../objects/light-block.ts'
import type { Verified } from '../objects/verified.ts'
import { height as asHeight, type Height } from '../units.ts'
import { ask } from './ask.ts'
import { type Look, type Refusal, refuse, type Source, type Steps, type Trusted } from './protocol.ts'
import { judgeStep, trustedOf } from './step.ts'

export interface Skipped {
  readonly kind: 'skipped'
  /** All headers that were stepped on, in their order; the last one is the target's. */
  readonly trusted: readonly Trusted[]
}

/** @param target - above the trusted one */
export function* skip(
  look: Look,
  source: Source,
  from: Trusted,
  target: Verified<LightBlock>,
): Steps<Skipped | Refusal> {
  const waiting = [target]
  const trusted: Trusted[] = []
  let last = from
  for (let block = waiting.at(-1); block !== undefined; block = waiting.at(-1)) {
    const judgement = judgeStep(last, block, look)
    if (judgement.kind === 'refused') return judgement
    if (judgement.kind === 'accept') {
      last = trustedOf(block)
      trusted.push(last)
      waiting.pop()
      continue
    }
    const between = yield* askBetween(look, source, last.height, block.header.height)
    if (between.kind === 'refused') return between
    waiting.push(between.block)
  }
  return { kind: 'skipped', trusted }
}

/** The header in the middle, or near it: of pruned blocks only those are left after which others vote. */
function* askBetween(
  look: Look,
  source: Source,
  low: Height,
  high: Height,
): Steps<{ readonly kind: 'block'; readonly block: Verified<LightBlock> } | Refusal> {
  let middle = middleOf(low, high)
  for (;;) {
    const answer = yield* ask(look, { source, at: middle, origin: false })
    switch (answer.kind) {
      case 'refused':
        return answer
      case 'block':
        return answer
      case 'pruned': {
        if (answer.next < high) {
          const next = yield* ask(look, { source, at: answer.next, origin: false })
          if (next.kind === 'block') return next
        }
        if (middle === low + 1)
          return refuse(
            'pruned',
            `it keeps no header that leads from block ${low} to block ${high}: ask another node`,
          )
        middle = middleOf(low, middle)
        break
      }
      default:
        return refuse('contradicted', `it shows block ${high}, and has no block ${middle}`)
    }
  }
}

export const middleOf = (low: Height, high: Height): Height => asHeight(low + Math.floor((high - low) / 2))
