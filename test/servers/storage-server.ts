/**
 * Real storage servers for tests, each on a free port with its data in a folder of its own. They end with the test
 * process, also when that is killed: a shell between the two waits for its input to be closed.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chown, mkdtemp, readdir, rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const readyMs = 60_000

export interface StorageServer {
  /** As `--storage` takes it, without a name of a ledger. */
  readonly url: string
  /** Ends it as a power failure would end it for its clients; its data stay. */
  kill(): Promise<void>
  /** On the same port, with the same data. */
  restart(): Promise<void>
  /** Ends it, and removes its data. */
  close(): Promise<void>
}

/** @param settings - beside those that make it safe */
export const startRedis = (settings: readonly string[] = []): Promise<StorageServer> =>
  startServer({
    scheme: 'redis',
    ending: 'KILL',
    commandOf: async (folder, port) => [
      'redis-server',
      ...['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--daemonize', 'no'],
      ...['--appendonly', 'yes', '--appendfsync', 'always', ...settings],
    ],
    isReady: answers,
  })

export const startPostgres = (settings: readonly string[] = []): Promise<StorageServer> =>
  startServer({
    scheme: 'postgres',
    user: 'tautline@',
    path: '/postgres',
    ending: 'QUIT', // at once, without tidying up; killed, its processes would end one by one
    commandOf: async (folder, port) => {
      const bin = await postgresBin()
      const data = join(folder, 'data')
      const asUser = await otherUser(folder)
      const [command, ...args] = [...asUser, join(bin, 'initdb')]
      if (!(await readdir(folder)).includes('data'))
        await run(command!, [...args, '-D', data, '-U', 'tautline', '-A', 'trust', '--no-sync', '-E', 'UTF8'])
      const options = settings.flatMap((setting) => ['-c', setting])
      return [
        ...asUser,
        join(bin, 'postgres'),
        ...['-D', data, '-p', `${port}`, '-h', '127.0.0.1', '-k', folder, ...options],
      ]
    },
    isReady: async (port) => {
      const args = ['-h', '127.0.0.1', '-p', `${port}`]
      return run(join(await postgresBin(), 'pg_isready'), args).then(
        () => true,
        () => false,
      )
    },
  })

/** PostgreSQL doesn't run as root: then it runs as the user that its Debian package has made. */
const otherUser = async (folder: string): Promise<readonly string[]> => {
  if (process.getuid?.() !== 0) return []
  const id = async (flag: string): Promise<number> => Number((await run('id', [flag, 'postgres'])).stdout)
  const [uid, gid] = [await id('-u'), await id('-g')]
  await chown(folder, uid, gid)
  return ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups']
}

/** Debian puts the programs of each version into a folder of its own, outside of the PATH. */
const postgresBin = async (): Promise<string> => {
  const versions = await readdir('/usr/lib/postgresql').catch((): string[] => [])
  const newest = versions.sort((one, other) => Number(other) - Number(one))[0]
  if (newest === undefined)
    throw new Error('PostgreSQL is missing: install the Debian package postgresql, as .ci/run does')
  return `/usr/lib/postgresql/${newest}/bin`
}

interface Program {
  readonly scheme: string
  readonly user?: string
  readonly path?: string
  /** The signal by which it ends at once. */
  readonly ending: 'KILL' | 'QUIT'
  readonly commandOf: (folder: string, port: number) => Promise<readonly string[]>
  readonly isReady: (port: number) => Promise<boolean>
}

const startServer = async ({
  scheme,
  user = '',
  path = '',
  ending,
  commandOf,
  isReady,
}: Program): Promise<StorageServer> => {
  const folder = await mkdtemp(join(tmpdir(), `tautline-${scheme}-`))
  const port = await freePort()
  let child: ChildProcess
  const start = async (): Promise<void> => {
    const command = await commandOf(folder, port)
    // Reads until we close the pipe, or are gone; then everything in its group ends.
    child = spawn('bash', ['-c', `"$@" & read -r; kill -${ending} $!; wait`, 'server', ...command], {
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    await untilReady(() => isReady(port), child)
  }
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null) return
    const exited = once(child, 'exit')
    child.stdin!.end()
    await exited
    await untilGone(port)
  }
  await start()
  return {
    url: `${scheme}://${user}127.0.0.1:${port}${path}`,
    kill,
    restart: start,
    close: async () => {
      await kill()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })

const untilReady = async (isReady: () => Promise<boolean>, child: ChildProcess): Promise<void> => {
  const deadline = Date.now() + readyMs
  while (!(await isReady())) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error('the storage server did not start')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

const untilGone = async (port: number): Promise<void> => {
  while (await answers(port)) await new Promise((resolve) => setTimeout(resolve, 20))
}
