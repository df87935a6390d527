/** `npm run -s simulate -- --seed 7 [--kind long | --kind ends] [--trace]`: one seed, to look at. */
import { parseArgs } from 'node:util'
import { accelerateHash } from '../../src/crypto/hash.ts'
import { nativeHash } from '../../src/runtime/node/keys.ts'
import { showEnds } from './ends/show.ts'
import { hashKeys } from './keys.ts'
import { drawScenario, type Kind, kinds } from './scenario.ts'
import { simulate } from './world.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '0' },
    kind: { type: 'string', default: 'short' },
    trace: { type: 'boolean', default: false },
  },
})
const kind = kinds.find((known) => known === values.kind)
if (!kind && values.kind !== 'ends')
  throw new Error(`--kind ${values.kind}: expected ${kinds.join(', ')} or ends`)

const showNetwork = (known: Kind) => {
  accelerateHash(nativeHash)
  return simulate(drawScenario(known, Number(values.seed)), hashKeys, values.trace)
}

const { trace, ...outcome } = await (kind ? showNetwork(kind) : showEnds(Number(values.seed)))
if (values.trace) process.stdout.write(trace)
process.stdout.write(`${JSON.stringify(outcome, null, 2)}\n`)
process.exitCode = outcome.faults.length > 0 ? 1 : 0
