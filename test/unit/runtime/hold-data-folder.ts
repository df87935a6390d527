/** A process that holds a data folder until it is killed: `node --import tsx hold-data-folder.ts PATH`. */
import { openDataFolder } from '../../../src/runtime/node/data-folder.ts'

await openDataFolder(process.argv[2]!)
process.stdout.write('held\n')
setInterval(() => undefined, 60_000)
