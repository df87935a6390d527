/** README.md is what a newcomer types: its blocks are run as they stand, in order, in one shell. */
import { mkdir, readFile, symlink } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { checkout } from './build.ts'
import { eventually, run, spawnProcess, temporaryFolder } from './node-process.ts'

const readmePort = 8787

let readme: string
beforeAll(async () => {
  readme = await readFile(join(checkout, 'README.md'), 'utf8')
})

const section = (title: string): string => {
  const [, text] = readme.split(`\n## ${title}\n`)
  return text!.split('\n## ')[0]!
}

const shellBlocks = (text: string): readonly string[] =>
  [...text.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block]) => block!)

/** A folder that looks like this checkout, and in which files may be made. */
const lookalike = async (): Promise<string> => {
  const folder = join(await temporaryFolder(), 'tautline')
  await mkdir(folder)
  for (const name of ['package.json', 'dist', 'node_modules'])
    await symlink(join(checkout, name), join(folder, name))
  return folder
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
    server.on('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })

const endOf = (block: number): string => `<<< end of block ${block} >>>`

/** Runs blocks in one shell, as a user who pastes them; what each printed. */
const paste = async (blocks: readonly string[], cwd: string): Promise<readonly string[]> => {
  const script = blocks.map((block, at) => `${block}\necho '${endOf(at)}'\n`).join('')
  const { stdout, stderr } = await run('bash', [], { cwd, input: script })
  const outputs = stdout.split(/<<< end of block \d+ >>>\n/)
  expect(outputs, stderr).toHaveLength(blocks.length + 1)
  return outputs.slice(0, -1)
}

const objectsIn = (output: string): readonly Record<string, unknown>[] =>
  [...output.matchAll(/^\{.*?\}(?=\{|$)/gm)].map(([text]) => JSON.parse(text) as Record<string, unknown>)

it('the two commands to start and to test are those that .ci/run and this test use', async () => {
  expect(shellBlocks(section('Start'))).toEqual(['npm ci && npm start\n', 'npm ci && npm test\n'])
  expect(await readFile(join(checkout, '.ci/run'), 'utf8')).toContain('npm ci && npm test')
})

it('the tour with curl, from the first transfer to a checked proof', async () => {
  const cwd = await lookalike()
  // Only where somebody else has the port, the tour takes another one.
  const isOurs = await isFree(readmePort)
  const env = isOurs ? {} : { TAUTLINE_PORT: '0' }
  const node = spawnProcess('npm', ['start'], { cwd, env })
  const url = await eventually(async () => /^URL +(\S+)$/m.exec(node.stdout())?.[1], 'the node did not start')
  const blocks = shellBlocks(section('A tour with curl')).map((block) =>
    block.replaceAll(`http://127.0.0.1:${readmePort}`, url),
  )
  expect(url === `http://127.0.0.1:${readmePort}`).toBe(isOurs)

  const outputs = await paste(blocks, cwd)
  const [status, nobody, payment, back, proof, eventsAndHistory] = outputs
  expect(outputs).toHaveLength(6)
  expect(objectsIn(status!)).toMatchObject([
    { network: expect.stringMatching(/^[0-9a-f]{64}$/), head: { height: 0 } },
  ])
  expect(objectsIn(nobody!)).toMatchObject([{ balance: '0', nonce: 0, stake: '0' }])
  expect(objectsIn(payment!)).toMatchObject([{ status: 'committed', height: 1, index: 0 }])
  expect(objectsIn(back!)).toMatchObject([{ status: 'committed', height: 2, index: 0 }])
  expect(proof).toMatch(/^The proof holds: .*749/m)

  const ids = [payment, back].map((answer) => objectsIn(answer!)[0]!.id as string)
  const [events, history] = eventsAndHistory!.split(/\n\n(?=\{)/)
  expect([...events!.matchAll(/^id: (.*)\nevent: (.*)$/gm)].map(([, id, type]) => [id, type])).toEqual([
    ['1', 'block'],
    ['1.0', 'transaction'],
    ['2', 'block'],
    ['2.0', 'transaction'],
  ])
  for (const id of ids) expect(events).toContain(`"id":"${id}"`)
  expect(objectsIn(history!)).toMatchObject([{ transactions: [{ id: ids[1] }, { id: ids[0] }] }])
  await node.kill('SIGTERM')
})
