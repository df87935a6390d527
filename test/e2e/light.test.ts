/** `tautline light` as a process: it follows a real node, answers to programs on this machine, and writes nothing. */
import { readdir } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { createClient } from '../../src/client/client.ts'
import type { Address, Amount } from '../../src/units.ts'
import { program } from './build.ts'
import { eventually, spawnProcess, startNode, tautline, temporaryFolder } from './node-process.ts'

/** RFC 8032 §7.1, test 1. */
const receiver = 'taut16adfsqvzky9t042tlmfujeq88g8wzuhnm2nzxfd0qgdx3ac82ydqy3t3cr' as Address

it('follows a node, answers with what it has verified, and leaves nothing on the disk', async () => {
  const node = await startNode({ data: await temporaryFolder() })
  const pay = () =>
    node.client.spend(
      { operations: [{ type: 'transfer', to: receiver, amount: '5' as Amount }] },
      { wait: true },
    )
  await pay()
  const cwd = await temporaryFolder()
  const join = `${node.url}#${node.banner.network}`
  const args = ['light', '--join', join, '--witness', node.url, '--port', '0', '--every', '1', '--json']
  const light = spawnProcess(process.execPath, [program, ...args], { cwd })
  const { url, block } = await eventually(async () => {
    const [line, ...rest] = light.stdout().split('\n')
    return rest.length > 0 ? (JSON.parse(line!) as { url: string; block: object }) : undefined
  }, 'it does not come up')
  expect(block).toMatchObject({ height: 1, isPinned: true, complaints: [] })

  const { id } = await pay()
  const reads = createClient({ url })
  expect(await reads.account(receiver)).toMatchObject({ balance: '10', block: { height: 2 } })
  expect(await reads.transaction(id)).toMatchObject({ status: 'committed', height: 2, block: { height: 2 } })
  await pay()
  await eventually(
    async () => light.stderr().includes('"a new block"') || undefined,
    `it has not seen the new block: ${light.stderr()}`,
  )

  await node.kill('SIGKILL')
  const lost = await fetch(`${url}/v1/accounts/${receiver}`)
  expect([lost.status, await lost.json()]).toEqual([
    502,
    expect.objectContaining({ type: '/problems/unverified', reason: 'unreachable' }),
  ])
  expect(await light.kill('SIGTERM')).toMatchObject({ code: 0 })
  expect(await readdir(cwd)).toEqual([])
  expect(await tautline(['light', 'account', receiver, '--join', join], { cwd })).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringMatching(/^tautline: .*no node answers at/),
  })
})
