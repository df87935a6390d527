/** What an idle node costs on V8. */
import { setFlagsFromString } from 'node:v8'

/**
 * Has V8 collect garbage once when the process comes to rest, and not up to three times.
 *
 * The first time returns nearly all memory; the others cost an idle node more than all else that it does: 0.1 to
 * 0.3 s of CPU in the first two minutes, of the 0.1 s a minute that it may use.
 */
export const collectOnceAtRest = (): void => setFlagsFromString(flag)

/** Node 20 has V8 11, in which it was a switch; a V8 prints an error about a flag that it doesn't know. */
const flag =
  Number.parseInt(process.versions.v8, 10) < 12 ? '--memory-reducer-single-gc' : '--memory-reducer-gc-count=1'
