import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { checkout } from './build.ts'
import { run, spawnProcess, temporaryFolder, untilAnswering } from './node-process.ts'
import { packInto } from './pack.ts'

/** What a program does that has the envelopes from here and the rest of its own. */
const useLibrary = `
  import { createIdentity, makeBasicMessage, openEnvelope, readBasicMessage, readEnvelope, resolveDid, sealMessage }
    from 'tautline/didcomm'
  const bytes = (count) => crypto.getRandomValues(new Uint8Array(count))
  const [alice, bob] = [createIdentity(bytes(64)), createIdentity(bytes(64))]
  const message = makeBasicMessage({ id: '1', from: alice.did, to: [bob.did] }, 'lunch?')
  const envelope = sealMessage(message, alice, { recipient: resolveDid(bob.did), entropy: bytes(112) })
  const from = { kind: 'peer', peer: resolveDid(alice.did) }
  const opened = openEnvelope(readEnvelope(envelope), { identity: bob, now: 0, from })
  console.log(readBasicMessage(opened.message))
`

it('the packed tarball, installed elsewhere without development packages, is a whole node', async () => {
  const folder = await temporaryFolder()
  const { path, files } = await packInto(folder)
  expect(files.filter((name) => !/^(dist\/|openapi\.yaml$|README\.md$|package\.json$)/.test(name))).toEqual(
    [],
  )

  const home = join(folder, 'home')
  await mkdir(home)
  await writeFile(join(home, 'package.json'), '{ "private": true }\n')
  const install = ['install', '--prefer-offline', '--no-audit', '--no-fund', path]
  expect(await run('npm', install, { cwd: home })).toMatchObject({ code: 0 })
  const installed = await readdir(join(home, 'node_modules'))
  expect(installed).toContain('classic-level')
  for (const development of ['typescript', 'vitest', 'swagger-ui-dist', '@biomejs']) {
    expect(installed).not.toContain(development)
  }

  const library = await run(process.execPath, ['--input-type=module', '-e', useLibrary], { cwd: home })
  expect(library).toMatchObject({ code: 0, stdout: 'lunch?\n' })

  const version = await run('npx', ['--no-install', 'tautline', '--version'], { cwd: home })
  expect(version.stdout.trim()).toBe(
    JSON.parse(await readFile(join(checkout, 'package.json'), 'utf8')).version,
  )
  const node = await untilAnswering(
    spawnProcess('npx', ['--no-install', 'tautline', 'start', '--json', '--port', '0'], { cwd: home }),
  )
  expect(node.banner.isNew).toBe(true)
  for (const [path, type] of [
    ['/docs', 'text/html'],
    ['/openapi.yaml', 'yaml'],
    ['/metrics', 'text/plain'],
  ] as const) {
    const response = await fetch(`${node.url}${path}`)
    expect([path, response.status, response.headers.get('content-type')]).toEqual([
      path,
      200,
      expect.stringContaining(type),
    ])
  }
  const page = await (await fetch(`${node.url}/docs`)).text()
  const assets = [...page.matchAll(/(?:src|href)="([^"#]+)"/g)].map(
    ([, path]) => new URL(path!, `${node.url}/docs`),
  )
  expect(assets.length).toBeGreaterThan(1)
  for (const asset of assets) expect([asset.href, (await fetch(asset)).status]).toEqual([asset.href, 200])
})
