import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createClient } from '../../src/client/client.ts'
import { foundNetwork, startInFolder } from './network-process.ts'
import { eventually, startNode, tautline, temporaryFolder } from './node-process.ts'

const token = 'a-secret-that-all-members-share'

it('a private network: only its members are linked, and only who shows the read token reads', async () => {
  const { nodes, network } = await foundNetwork(2)
  const folder = await temporaryFolder()
  const file = join(folder, 'read.token')
  await writeFile(file, `${token}\n`)
  const allowed = nodes.map(({ address }) => address).join(',')
  const flags = ['--allow-peers', allowed, '--read-token', file]
  const [first] = await Promise.all(nodes.map(({ folder: data }) => startInFolder(data, flags)))
  const { url } = first!
  await eventually(async () => (await first!.client.status()).peers === 1 || undefined, 'they are not linked')

  const member = createClient({ url, token })
  expect(await member.status()).toMatchObject({ network, validators: 2 })
  expect((await tautline(['peers', '--data', nodes[0]!.folder])).stdout).toContain(nodes[1]!.address)
  expect((await tautline(['status', '--node', url, '--read-token', file])).stdout).toContain(network)
  for (const args of [['status'], ['peers'], ['doctor'], ['account', nodes[0]!.address]]) {
    expect(await tautline([...args, '--node', url])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/^tautline: this network is private/),
    })
  }

  const joinString = `${url}#${network}`
  const uninvited = ['start', '--data', join(folder, 'stranger'), '--port', '0', '--join', joinString]
  expect(await tautline(uninvited)).toMatchObject({ code: 2, stderr: expect.stringMatching(/answers 401/) })
  const known = ['--join', joinString, '--read-token', file]
  const guest = await startNode({ data: join(folder, 'guest'), flags: known })
  const asGuest = createClient({ url: guest.url, token })
  await eventually(
    async () => (await asGuest.peers()).dialled.find(({ failure }) => failure !== undefined),
    'the guest is not told that it is not allowed',
  )
  expect((await member.peers()).peers.map(({ id }) => id)).toEqual([nodes[1]!.address])
})
