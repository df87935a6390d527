/** `tautline key`: makes and shows keys. A secret is never printed. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Command } from 'commander'
import { decodeAddress } from '../../codec/address.ts'
import { encodeHex } from '../../codec/bytes.ts'
import { TautlineError } from '../../errors.ts'
import { openDataFolder } from '../../runtime/node/data-folder.ts'
import { openFolderIdentity } from '../../runtime/node/identity.ts'
import { createNodeSigner } from '../../runtime/node/keys.ts'
import { generateSecretKey } from '../../runtime/secret-key.ts'
import type { Address } from '../../units.ts'
import { dataFlag, flag, jsonFlag, parsePath } from '../flags.ts'
import { type KeyFlags, loadSigner } from '../signer.ts'
import { table } from '../table.ts'
import type { Terminal } from '../terminal.ts'

interface Flags extends KeyFlags {
  readonly json?: boolean
}

export const keyCommand = (terminal: Terminal): Command =>
  new Command('key')
    .description('Make and show keys: `key new`, `key show`.')
    .addCommand(newCommand(terminal))
    .addCommand(showCommand(terminal))

const newCommand = (terminal: Terminal): Command =>
  new Command('new')
    .description("Make a key: a node's own in its data folder, or with --key-file one to sign with.")
    .addOption(dataFlag())
    .addOption(flag('--key-file <file>', 'make the key in this new file instead').argParser(parsePath))
    .addOption(jsonFlag())
    .action(async ({ data, keyFile, json }: Flags) => {
      const made = keyFile === undefined ? await makeNodeKey(data) : await makeKeyFile(keyFile)
      terminal.out(
        json
          ? JSON.stringify(made)
          : table([
              ['address', made.address],
              ['key file', made.file],
            ]),
      )
    })

const showCommand = (terminal: Terminal): Command =>
  new Command('show')
    .description('Show the address and the public key of a key.')
    .addOption(dataFlag())
    .addOption(
      flag('--key-file <file>', "show the key in this file instead of the data folder's").argParser(
        parsePath,
      ),
    )
    .addOption(jsonFlag())
    .action(async (flags: Flags) => {
      const { address } = await loadSigner(flags)
      const publicKey = encodeHex(decodeAddress(address)!)
      terminal.out(
        flags.json
          ? JSON.stringify({ address, publicKey })
          : table([
              ['address', address],
              ['public key', publicKey],
            ]),
      )
    })

interface MadeKey {
  readonly address: Address
  readonly file: string
}

/** Together with its sign record, under the folder's lock; one that is there is never replaced. */
const makeNodeKey = async (data: string): Promise<MadeKey> => {
  const folder = await openDataFolder(data)
  try {
    const file = join(data, 'node.key')
    if ((await folder.readFile('node.key')) !== undefined) {
      throw new TautlineError(
        'bad-configuration',
        `${file} holds a key already, and no key is ever replaced: choose another --data, or --key-file`,
      )
    }
    const identity = await openFolderIdentity(folder)
    await identity.close()
    return { address: identity.signer.address, file }
  } finally {
    await folder.close()
  }
}

const makeKeyFile = async (file: string): Promise<MadeKey> => {
  const secretKey = generateSecretKey()
  await writeFile(file, `${encodeHex(secretKey)}\n`, { mode: 0o600, flag: 'wx', flush: true })
  return { address: createNodeSigner(secretKey).address, file }
}
