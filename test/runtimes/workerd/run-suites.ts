/**
 * Runs test files inside workerd, in a Durable Object, and says what became of each test.
 *
 * What depends on Node is replaced by what a node in a Durable Object has (`bundle-suites.ts`); what is about Node's
 * own adapters, or can't be asked of workerd, is named here with the reason.
 */
import { readdir } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { readSlowly } from '../../api/slow-reader.ts'
import { checkout } from '../../e2e/build.ts'
import { freePorts } from '../../e2e/network-process.ts'
import { eventually, temporaryFolder } from '../../e2e/node-process.ts'
import { spawnWorkerd } from '../../e2e/workerd-process.ts'
import { bundleSuites } from './bundle-suites.ts'
import { bundledFiles } from './bundled-files.ts'
import type { Verdict } from './verdict.ts'

/** Beside those of the API. Of the others that run inside the other runtimes, the contracts of stores are kept by `e2e/durable-object-storage.test.ts`, and the rest is about adapters that aren't here. */
const suites = [
  'interop/didcomm/frozen',
  'interop/ed25519-vectors',
  'interop/jcs-vectors',
  'unit/ledger/state-vectors',
  'unit/objects/frozen-encodings',
]

/** On a port of this machine, where workerd brings a server of its own in front of every Worker; and it holds no connections. */
const ofNodeAlone = ['connections', 'forged-envelopes', 'http-server', 'turns']

/** Tests that can't pass there, below the names of their files. One that passes after all is to be taken off this list. */
export const testsLeftOut: Readonly<Record<string, readonly string[]>> = {
  // What is no HTTP is answered by workerd, before there is a Worker.
  'api/bad-input.test.ts': ['whatever is sent over a socket is answered soberly, and the node lives on'],
  // The command line is a program of Node, Deno and Bun.
  'api/light.test.ts': [
    'on the command line an account and a transaction, for people and for programs',
    'on the command line a block that is trusted and isn’t there is refused with exit code 1',
    'on the command line a fork is written to a file, which a third party checks',
  ],
}

/** Nodes that one test has at a time, with room for those that were just closed. */
const doorsOfTests = 24

/** @returns what became of the tests of each file, the files by their names below `test/` */
export const runSuites = async (): Promise<ReadonlyMap<string, readonly Verdict[]>> => {
  const first = await freePorts(1 + doorsOfTests)
  const doors = Array.from({ length: doorsOfTests }, (_, at) => first + 1 + at)
  const reader = await openSlowReader()
  try {
    const files = await suiteFiles()
    const text = await bundleSuites({ files: files.map(inTests), doors, outside: reader.url })
    const { url, stderr } = await spawnWorkerd({
      data: await temporaryFolder(),
      port: first,
      entry: { text },
      doors,
      files: await bundledFiles(),
    })
    await eventually(
      () =>
        fetch(url).then(
          (answer) => answer.body?.cancel().then(() => true) ?? true,
          () => undefined,
        ),
      `workerd does not answer: ${stderr()}`,
    )
    const verdicts = new Map<string, readonly Verdict[]>()
    for (const file of files) {
      const answer = await fetch(url, { method: 'POST', body: inTests(file) })
      if (!answer.ok) throw new Error(`${file}: ${answer.status} ${await answer.text()}\n${stderr()}`)
      verdicts.set(file, (await answer.json()) as readonly Verdict[])
    }
    return verdicts
  } finally {
    reader.close()
  }
}

const inTests = (file: string): string => `test/${file}`

const suiteFiles = async (): Promise<readonly string[]> => {
  const ending = '.test.ts'
  const ofApi = (await readdir(join(checkout, 'test/api')))
    .filter((file) => file.endsWith(ending))
    .map((file) => file.slice(0, -ending.length))
    .filter((name) => !ofNodeAlone.includes(name))
  return [...ofApi.map((name) => `api/${name}`), ...suites].map((name) => `${name}${ending}`)
}

const openSlowReader = async (): Promise<{ readonly url: string; close(): void }> => {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const asked = JSON.parse(Buffer.concat(chunks).toString()) as Parameters<typeof readSlowly>
    const read = await readSlowly(...asked).catch((error: Error) => ({ error: error.message }))
    response.end(JSON.stringify(read))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => void server.close(),
  }
}
