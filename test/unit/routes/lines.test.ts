import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Line, maxBatchLines, readLines } from '../../../routes/lines.ts'

const encode = (text: string) => new TextEncoder().encode(text)
const decode = (bytes: Uint8Array | undefined) => bytes && new TextDecoder().decode(bytes)

async function* cut(text: string, at: readonly number[]): AsyncGenerator<Uint8Array> {
  const bytes = encode(text)
  let from = 0
  for (const to of [...at, bytes.length]) {
    yield bytes.subarray(from, Math.min(Math.max(from, to), bytes.length))
    from = Math.min(Math.max(from, to), bytes.length)
  }
}

const collect = async (chunks: AsyncIterable<Uint8Array>, limitBytes = 1_000): Promise<readonly Line[][]> => {
  const batches: Line[][] = []
  for await (const batch of readLines(chunks, limitBytes)) batches.push([...batch])
  return batches
}

describe('lines of a stream', () => {
  it('are the same wherever the stream is cut into pieces', async () => {
    const line = fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\n', ''))
    await fc.assert(
      fc.asyncProperty(fc.array(line), fc.boolean(), fc.array(fc.nat(200)), async (lines, ends, cuts) => {
        const text = lines.join('\n') + (ends && lines.length > 0 ? '\n' : '')
        const expected = text.split('\n')
        if (expected.at(-1) === '') expected.pop()
        const found = (
          await collect(
            cut(
              text,
              cuts.sort((a, b) => a - b),
            ),
          )
        ).flat()
        expect(found.map(({ bytes }) => decode(bytes))).toEqual(expected.map((one) => decode(encode(one))))
        expect(found.map(({ number }) => number)).toEqual(expected.map((_, at) => at + 1))
      }),
    )
  })

  it('come at once, without waiting for the piece after', async () => {
    async function* endless() {
      yield encode('one\ntwo\nthr')
      await new Promise(() => {})
    }
    const { value } = await readLines(endless(), 100).next()
    expect((value as readonly Line[]).map(({ bytes }) => decode(bytes))).toEqual(['one', 'two'])
  })

  it('come in batches of a bounded size', async () => {
    const batches = await collect(cut('x\n'.repeat(maxBatchLines * 2 + 1), []))
    expect(batches.map(({ length }) => length)).toEqual([maxBatchLines, maxBatchLines, 1])
  })

  it('are counted and skipped when they are too long, in one piece or in many', async () => {
    for (const cuts of [[], [2, 4, 6, 8]]) {
      const lines = (await collect(cut('ok\ntoo long\nok\n', cuts), 3)).flat()
      expect(lines.map(({ bytes }) => decode(bytes))).toEqual(['ok', undefined, 'ok'])
    }
  })
})
