import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { decodeUtf8 } from '../../src/codec/bytes.ts'
import { canonicalize, parseCanonical, parseJson } from '../../src/codec/json.ts'

const folder = join(import.meta.dirname, '../../../shared/vectors/jcs')
const names = ['arrays', 'french', 'structures', 'unicode', 'values', 'weird']
const read = (name: string): string => decodeUtf8(readFileSync(join(folder, name)))

test('RFC 8785 pairs are canonicalised byte for byte', (context) => {
  context.skip(
    !existsSync(folder),
    `${folder} is not here: the vectors of others are not copied into the project`,
  )
  expect(readdirSync(folder).sort()).toEqual(
    names.flatMap((name) => [`${name}.input.json`, `${name}.output.json`]),
  )
  for (const name of names) {
    const output = read(`${name}.output.json`)
    expect(canonicalize(parseJson(read(`${name}.input.json`)))).toBe(output)
    expect(canonicalize(parseCanonical(output))).toBe(output)
  }
})
