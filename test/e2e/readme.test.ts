/** README.md is what a newcomer types: its blocks are run as they stand, in order, in one shell. */
import { cp, mkdir, readFile, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { checkout } from './build.ts'
import { freePorts, isFree } from './network-process.ts'
import { eventually, type Running, run, spawnProcess, temporaryFolder } from './node-process.ts'

const readmePort = 8787

let readme: string
beforeAll(async () => {
  readme = await readFile(join(checkout, 'README.md'), 'utf8')
})

const section = (title: string): string => {
  const [, text] = readme.split(`\n## ${title}\n`)
  return text!.split('\n## ')[0]!
}

/** Also those that stand in lists. */
const shellBlocks = (text: string): readonly string[] =>
  [...text.matchAll(/^( *)```sh\n([\s\S]*?)^ *```/gm)].map(([, indent, block]) =>
    block!.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  )

/** A folder that looks like this checkout, and in which files may be made. */
const lookalike = async (): Promise<string> => {
  const folder = join(await temporaryFolder(), 'tautline')
  await mkdir(folder)
  for (const name of ['package.json', 'dist', 'node_modules'])
    await symlink(join(checkout, name), join(folder, name))
  return folder
}

const endOf = (block: number): string => `<<< end of block ${block} >>>`

/** Runs blocks in one shell, as a user who pastes them; what each printed. */
const paste = async (
  blocks: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): Promise<readonly string[]> => {
  const script = blocks.map((block, at) => `${block}\necho '${endOf(at)}'\n`).join('')
  const { stdout, stderr } = await run('bash', [], { cwd, env, input: script })
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

const urlOf = (node: Running): Promise<string> =>
  eventually(async () => /^URL +(\S+)$/m.exec(node.stdout())?.[1], `the node did not start: ${node.stderr()}`)

it('without a node: what an account holds, verified', async () => {
  const cwd = await lookalike()
  const node = spawnProcess('npm', ['start'], { cwd, env: { TAUTLINE_PORT: '0' } })
  await urlOf(node)
  const [account] = await paste(shellBlocks(section('Without a node')), cwd)
  expect(account).toMatch(/^balance +1000000000000$/m)
  expect(account).toMatch(/^verified by +the genesis: there is no block yet$/m)
  await node.kill('SIGTERM')
})

it('a line between two, by the command line and by curl', async () => {
  const cwd = await lookalike()
  const first = await freePorts(2)
  const blocks = shellBlocks(section('A line between two')).map((block) =>
    block.replaceAll(/\b910([12])\b/g, (_, at) => String(first + Number(at) - 1)),
  )
  const [, accepted, heard, answered, ended] = await paste(blocks, cwd)
  expect(blocks).toHaveLength(5)
  const code = /each other: ([\d ]+)$/m.exec(accepted!)![1]!
  expect(accepted).toMatch(new RegExp(`active +Bob .*${code}`))
  expect(heard).toMatch(/^[0-9a-f]{8} {2}Good morning, Bob$/m)
  expect(answered).toMatch(/"text":"Good morning, Ada"/)
  expect(ended).toMatch(/ended \(them\) +Ada/)
})

it('four validators on this machine, in one command', async () => {
  const [up, ...rest] = shellBlocks(section('Four validators on this machine'))
  const cwd = await lookalike()
  const ports = [0, 1, 2, 3].map((at) => readmePort + at)
  const isOurs = (await Promise.all(ports.map(isFree))).every(Boolean)
  const first = isOurs ? readmePort : await freePorts(4)
  const env = isOurs ? {} : { TAUTLINE_BASE_PORT: String(first) }
  const network = spawnProcess('bash', ['-c', up!], { cwd, env })
  await eventually(async () => network.stdout().includes('Ctrl-C ends all') || undefined, network.stderr())
  const blocks = rest.map((block) =>
    block.replaceAll(/:(87\d\d)\b/g, (_, port) => `:${first + Number(port) - readmePort}`),
  )
  const [paidAndStatus, doctor] = await paste(blocks, cwd)
  expect(blocks).toHaveLength(2)
  expect(paidAndStatus).toMatch(/"status":"committed","height":1,/)
  expect(paidAndStatus!.match(/^validator .*25\.0 %/gm)).toHaveLength(4)
  expect(doctor).toMatch(/^Nothing waits to be decided/)
  await network.kill('SIGINT')
})

it('four organisations by URL, and a newcomer: nobody gives a key away', async () => {
  const [makeKey, create, start, look, newcomer] = shellBlocks(section('Four organisations, by URL'))
  const port = await freePorts(4)
  const members = await Promise.all(
    ['A', 'B', 'C', 'D'].map(async (name, at) => {
      const cwd = await lookalike()
      const [made] = await paste([makeKey!], cwd)
      const address = /taut1\w+/.exec(made!)![0]
      return { name, address, cwd, port: port + at, site: `https://${name.toLowerCase()}.example` }
    }),
  )
  const addresses = Object.fromEntries(members.map(({ name, address }) => [name, address]))
  const here = members.reduce(
    (text, { site, port }) => text.replace(site, `http://127.0.0.1:${port}`),
    create!,
  )
  const [founded] = await paste([here], members[0]!.cwd, addresses)
  expect(founded).toMatch(/^Network ours, [0-9a-f]{64}, with 4 validators/)
  for (const { cwd } of members.slice(1))
    await cp(join(members[0]!.cwd, 'ours'), join(cwd, 'ours'), { recursive: true })

  const nodes = members.map(({ cwd, port }) =>
    spawnProcess('bash', ['-c', start!], { cwd, env: { TAUTLINE_PORT: String(port) } }),
  )
  await Promise.all(nodes.map(urlOf))
  const linkedWithAll = await eventually(async () => {
    const [seen] = await paste([look!], members[3]!.cwd)
    return /^peers +3 connected/m.test(seen!) ? seen : undefined
  }, 'they are not linked')
  expect(linkedWithAll!.match(/^validator .*25\.0 %/gm)).toHaveLength(4)
  expect(linkedWithAll).toMatch(/^linked with/m)

  const joinString = /^join +(\S+)$/m.exec(linkedWithAll!)![1]!
  const [joining, bonding] = newcomer!.trim().split('\n')
  const cwd = await lookalike()
  const env = { TAUTLINE_PORT: '0', JOIN: joinString }
  const joined = spawnProcess('bash', ['-c', joining!], { cwd, env })
  await urlOf(joined)
  const address = /^address +(\S+)$/m.exec(joined.stdout())![1]!
  await paste([`npm run -s tautline -- send ${address} 2000000`], members[0]!.cwd)
  const bonded = await eventually(async () => {
    const [answer] = await paste([bonding!], cwd)
    return answer === '' ? undefined : answer
  }, 'the newcomer does not come as far as its balance')
  expect(bonded).toMatch(/^1000000 bonded in block 2: from block 3 on this key votes/)
  await Promise.all([...nodes, joined].map((node) => node.kill('SIGINT')))
})
