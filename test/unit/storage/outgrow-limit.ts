/**
 * A process that commits until a limit on file sizes stops it, lifts the limit, and tries on:
 * `bash -c "trap '' XFSZ; ulimit -S -f 1100; node --import tsx outgrow-limit.ts SPEC FOLDER"`. Prints JSON.
 */
import { execFileSync } from 'node:child_process'
import { TautlineError } from '../../../src/errors.ts'
import { openStore } from '../../../src/storage/open-store.ts'

const store = await openStore(process.argv[2]!, process.argv[3]!)
let acknowledged = 0
const codes: string[] = []
const messages: string[] = []

const commitNext = async (): Promise<boolean> => {
  const next = acknowledged + 1
  try {
    const block = new Uint8Array(300_000).map((_, at) => (at * next * 31) >> 3)
    await store.commit(
      { puts: [[`block:${next}`, block]], removes: [] },
      new TextEncoder().encode(String(next)),
    )
    acknowledged = next
    return true
  } catch (error) {
    codes.push(error instanceof TautlineError ? error.code : String(error))
    messages.push(String(error))
    return false
  }
}

while (await commitNext());
execFileSync('prlimit', ['--pid', String(process.pid), '--fsize=unlimited:'])
for (let attempt = 0; attempt < 3; attempt++) await commitNext()
process.stdout.write(JSON.stringify({ acknowledged, codes, messages }))
process.exit(0) // as abruptly as a crash
