/** A passphrase, from the first line of a file. */
import { TautlineError } from '../errors.ts'
import { readNamedFile } from './read-named-file.ts'

const leastChars = 8
const mostChars = 1_024

/** @throws TautlineError `bad-configuration` when it is too short to keep anybody out */
export const readPassphraseFile = async (path: string): Promise<string> => {
  const passphrase = (await readNamedFile(path)).toString('utf8').split(/\r?\n/, 1)[0]!
  if (passphrase.length >= leastChars && passphrase.length <= mostChars) return passphrase
  throw new TautlineError(
    'bad-configuration',
    `${path} holds no passphrase: expected ${leastChars} to ${mostChars} characters in its first line`,
    { path },
  )
}
