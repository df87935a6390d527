import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openDataFolder } from '../../../src/runtime/node/data-folder.ts'
import { operatorToken } from '../../../src/runtime/node/operator-token.ts'

test.each([
  ['missing', undefined],
  ['empty', ''],
  ['of line feeds only', '\n\n'],
])('a token file that is %s gets a token, which stays', async (_, content) => {
  const path = await mkdtemp(join(tmpdir(), 'tautline-token-'))
  onTestFinished(() => rm(path, { recursive: true }))
  const file = join(path, 'operator.token')
  if (content !== undefined) await writeFile(file, content)
  const folder = await openDataFolder(path)
  const token = await operatorToken(folder)
  expect(token).toMatch(/^[\w-]{43}$/)
  expect(await readFile(file, 'utf8')).toBe(`${token}\n`)
  expect(await operatorToken(folder)).toBe(token)
  await folder.close()
})
