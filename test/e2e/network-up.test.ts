import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createClient } from '../../src/client/client.ts'
import { program } from './build.ts'
import { freePorts, isFree } from './network-process.ts'
import { eventually, type Running, spawnProcess, tautline, temporaryFolder } from './node-process.ts'

interface Introduction {
  readonly network: string
  readonly nodes: readonly { readonly name: string; readonly url: string; readonly token: string }[]
}

const up = (cwd: string, flags: readonly string[]): Running =>
  spawnProcess(process.execPath, [program, 'network', 'up', '--json', ...flags], { cwd })

const introductionOf = ({ stdout, stderr }: Running): Promise<Introduction> =>
  eventually(
    async () => (stdout().endsWith('\n') ? (JSON.parse(stdout()) as Introduction) : undefined),
    `no network: ${stderr()}`,
  )

const allFree = (first: number, count: number): Promise<true> =>
  eventually(async () => {
    const free = await Promise.all(Array.from({ length: count }, (_, at) => isFree(first + at)))
    return free.every(Boolean) || undefined
  }, `somebody listens on ${count} ports from ${first} on`)

const listen = (port: number): Promise<Server> =>
  new Promise((resolve) => {
    const server = createServer().listen(port, '127.0.0.1', () => resolve(server))
  })

describe('network up', () => {
  it('runs all validators until Ctrl-C, their logs told apart, and goes on the next time', async () => {
    const cwd = await temporaryFolder()
    const port = await freePorts(3)
    const first = up(cwd, ['--validators', '3', '--base-port', String(port)])
    const { network, nodes } = await introductionOf(first)
    expect(nodes.map(({ name, url, token }) => [name, url, token])).toEqual(
      [0, 1, 2].map((at) => [
        `node${at + 1}`,
        `http://127.0.0.1:${port + at}`,
        join('network', `node${at + 1}`, 'operator.token'),
      ]),
    )
    for (const { url } of nodes)
      expect(await createClient({ url }).status()).toMatchObject({ network, validators: 3 })
    expect(await first.kill('SIGINT')).toEqual({ code: 0, signal: null })
    await allFree(port, 3)
    const lines = first.stderr().trim().split('\n')
    expect(lines.filter((line) => !/^node[123] \| /.test(line))).toEqual([])
    for (const { name } of nodes)
      expect(first.stderr()).toMatch(new RegExp(`^${name} \\| .*everything is on the disk`, 'm'))

    const second = up(cwd, [])
    expect(await introductionOf(second)).toMatchObject({ network, nodes })
    await second.kill('SIGTERM')
    await allFree(port, 3)
    expect(await tautline(['network', 'up', '--validators', '4'], { cwd })).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/holds a network of 3/),
    })
  })

  it('leaves no node behind when it is killed itself', async () => {
    const port = await freePorts(2)
    const network = up(await temporaryFolder(), ['--validators', '2', '--base-port', String(port)])
    await introductionOf(network)
    await network.kill('SIGKILL')
    await allFree(port, 2)
  })

  it('ends all when one can not be started, and says which', async () => {
    const port = await freePorts(3)
    const taken = await listen(port + 2)
    const args = ['network', 'up', '--validators', '3', '--base-port', String(port)]
    const { code, stderr } = await tautline(args, { cwd: await temporaryFolder() })
    expect(stderr).toMatch(new RegExp(`^node3 \\| tautline: port ${port + 2} on 127.0.0.1 is in use`, 'm'))
    expect(stderr).toMatch(/^tautline: node3 could not be started: it has ended \(exit code 2\)/m)
    expect(code).toBe(2)
    taken.close()
    await allFree(port, 3)
  })
})
