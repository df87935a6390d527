/** A process that runs the seeds of ends that it is sent. */
import { drawScenario } from './scenario.ts'
import { simulateEnds } from './world.ts'

process.on('disconnect', () => process.exit())

process.on('message', (seeds: readonly number[]) => {
  const keepsTrace = process.argv.includes('--trace')
  for (const seed of seeds) {
    const { trace, ...outcome } = simulateEnds(drawScenario(seed), keepsTrace)
    process.send!({ ...outcome, trace: keepsTrace ? trace : '' })
  }
})
