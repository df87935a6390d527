/**
 * What a light client does with headers: checking all signatures of one, and whether it may be trusted, one after the
 * other; beside it, what one core verifies of the same signatures in the same moment.
 */
import { performance } from 'node:perf_hooks'
import { checkLightBlock } from '../../src/client/check-header.ts'
import { decodeAddress } from '../../src/codec/address.ts'
import { decodeHex, encodeUtf8 } from '../../src/codec/bytes.ts'
import { judgeStep, trustedGenesis } from '../../src/light/step.ts'
import type { LightBlock } from '../../src/objects/light-block.ts'
import { certificateSigningText } from '../../src/objects/vote.ts'
import type { Verifier } from '../../src/ports/keys.ts'
import { createNodeVerifier } from '../../src/runtime/node/keys.ts'
import { anchorOf, LongChain, setOf } from '../unit/light/long-chain.ts'
import type { Report } from './fill.ts'
import { type Claim, importClaims, verifyFor } from './native-verification.ts'
import type { Options } from './options.ts'
import type { Figure, Part } from './rows.ts'

export const isOfLight = (part: Part): boolean => part === 'light'

/** Headers that take turns, so that nothing is known of one from just before. */
const headers = 50

export const lightFigures = async (
  { parts, repetitions, limitMs, validators }: Options,
  report: Report,
): Promise<readonly Figure[]> => {
  if (!parts.has('light')) return []
  report('verifying headers')
  const verifier = await createNodeVerifier({ debug() {}, info() {}, warn: report, error: report })
  const works = validators.map((size) => ({ size, ...prepare(size) }))
  for (const { check } of works) await check(verifier, limitMs / 4) // compiled
  const figures: Figure[] = []
  for (let repetition = 0; repetition < repetitions; repetition++) {
    for (const { size, check, claims } of works) {
      const verified = verifyFor(claims, 'yardstick', limitMs) / (limitMs / 1_000)
      const rate = await check(verifier, limitMs)
      figures.push(
        { row: 'lightHeaders', size, samples: [rate] },
        { row: 'lightShare', size, samples: [((rate * size) / verified) * 100] },
      )
    }
  }
  return figures
}

const prepare = (validators: number) => {
  const genesis = anchorOf(setOf(...Array.from({ length: validators }, (_, at) => at)))
  const chain = new LongChain({ genesis, length: headers })
  const blocks = Array.from({ length: headers }, (_, at) => chain.lightBlockAt(at + 1))
  const from = trustedGenesis(genesis)
  const look = { parameters: genesis.parameters, nowMs: chain.endMs, left: 0 }
  const check = async (verifier: Verifier, durationMs: number): Promise<number> => {
    const startedMs = performance.now()
    let count = 0
    for (; performance.now() - startedMs < durationMs; count++) {
      const checked = await checkLightBlock(verifier, chain.network, blocks[count % headers]!)
      if (typeof checked === 'string' || judgeStep(from, checked, look).kind !== 'accept')
        throw new Error(`a good header was refused: ${JSON.stringify(checked)}`)
    }
    return (count / (performance.now() - startedMs)) * 1_000
  }
  return { check, claims: importClaims(blocks.flatMap(claimsOf)) as readonly Claim[] }
}

const claimsOf = ({ header, certificate }: LightBlock) =>
  certificate.precommits.map(({ validator, signature }) => ({
    publicKey: decodeAddress(validator)!,
    message: encodeUtf8(certificateSigningText(header.network, certificate)),
    signature: decodeHex(signature),
  }))
