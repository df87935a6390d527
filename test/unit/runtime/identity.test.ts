import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import type { SignState } from '../../../src/consensus/sign-state.ts'
import { readSignRecord, writeSignRecord } from '../../../src/node/sign-record.ts'
import { openDataFolder } from '../../../src/runtime/node/data-folder.ts'
import { openFolderIdentity } from '../../../src/runtime/node/identity.ts'
import { height, type NetworkId, round } from '../../../src/units.ts'
import { silentLog } from '../../faults/whole-node.ts'

const signed: SignState = {
  network: 'ab'.repeat(32) as NetworkId,
  height: height(3),
  round: round(0),
  step: 'prevote',
  said: [],
}

it('a folder that has lost its key, but not the record of what it signed, gets no new key in its place', async () => {
  const path = await mkdtemp(join(tmpdir(), 'tautline-identity-'))
  onTestFinished(() => rm(path, { recursive: true }))
  const folder = await openDataFolder(path, silentLog)
  onTestFinished(() => folder.close())
  const identity = await openFolderIdentity(folder)
  await writeSignRecord(identity.records, { signed, blocks: [] })
  await identity.close()
  await rm(join(path, 'node.key'))
  await expect(openFolderIdentity(folder)).rejects.toMatchObject({
    code: 'damaged-folder',
    message: expect.stringMatching(/node\.key is missing.*restore the key/),
  })
  expect(await folder.readFile('node.key')).toBeUndefined()
})

it('a folder whose key was never used may begin again', async () => {
  const path = await mkdtemp(join(tmpdir(), 'tautline-identity-'))
  onTestFinished(() => rm(path, { recursive: true }))
  const folder = await openDataFolder(path, silentLog)
  onTestFinished(() => folder.close())
  await (await openFolderIdentity(folder)).close()
  await rm(join(path, 'node.key'))
  const identity = await openFolderIdentity(folder)
  onTestFinished(() => identity.close())
  expect(await readSignRecord(identity.records)).toEqual({ blocks: [] })
})
