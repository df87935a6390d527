/** The secret that the members of a private network share for its reads, from a file. */
import { TautlineError } from '../errors.ts'
import { readNamedFile } from './read-named-file.ts'

/** As it travels in a header, and long enough that nobody guesses it. */
const tokenPattern = /^[\x21-\x7e]{16,256}$/

/** @throws TautlineError `bad-configuration` when the file holds something else */
export const readTokenFile = async (path: string): Promise<string> => {
  const token = (await readNamedFile(path)).toString('utf8').trim()
  if (tokenPattern.test(token)) return token
  throw new TautlineError(
    'bad-configuration',
    `${path} holds no read token: expected 16 to 256 printable characters without spaces, as \`openssl rand -hex 32\` makes them`,
    { path },
  )
}
