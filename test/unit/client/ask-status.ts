/** A process that asks a node for its status, and says how that ended: `node --import tsx ask-status.ts URL`. */
import { createClient } from '../../../src/client/client.ts'
import type { RequestError } from '../../../src/client/request-error.ts'

const [url] = process.argv.slice(2)
const end = await createClient({ url: url!, timeoutMs: 2_000 })
  .status()
  .then(
    () => 'answered',
    ({ code }: RequestError) => code,
  )
process.stdout.write(`${end}\n`)
