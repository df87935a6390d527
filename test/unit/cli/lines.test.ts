import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { maxLineBytes, readLines } from '../../../src/cli/lines.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tautline-lines-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const linesOf = async (content: string | Uint8Array): Promise<{ lines: string[]; read: number }> => {
  const path = join(folder, 'file')
  await writeFile(path, content)
  const lines: string[] = []
  let read = 0
  for await (const line of readLines(path, (bytes) => (read = bytes))) lines.push(line)
  return { lines, read }
}

describe('lines of a file', () => {
  it.each<[string, string, string[]]>([
    ['with a line feed at the end', 'a\nb\n', ['a', 'b']],
    ['without one', 'a\nb', ['a', 'b']],
    ['empty lines between', 'a\n\nb', ['a', '', 'b']],
    ['an empty file', '', []],
    ['other line breaks of Unicode stay within a line', 'a\u2028b\u0085c\rd\n', ['a\u2028b\u0085c\rd']],
  ])('%s', async (_, content, lines) => {
    expect((await linesOf(content)).lines).toEqual(lines)
  })

  it('longer than what is read at once, with characters that lie across the border', async () => {
    const long = '€'.repeat(100_000)
    const { lines, read } = await linesOf(`x\n${long}\n${long}y\n`)
    expect(lines).toEqual(['x', long, `${long}y`])
    expect(read).toBe(600_005)
  })

  it('bytes that are no UTF-8 are refused', async () => {
    await expect(linesOf(new Uint8Array([0x61, 0x0a, 0xff, 0x0a]))).rejects.toMatchObject({
      code: 'malformed-json',
    })
  })

  it('a line without an end is given up', async () => {
    await expect(linesOf(new Uint8Array(maxLineBytes + 65_536))).rejects.toThrow(/line of more than/)
  })
})
