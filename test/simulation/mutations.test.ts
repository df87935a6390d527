import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { endsMutations } from './ends/mutations.ts'
import { mutations as networkMutations } from './mutations.ts'

const mutations = [...networkMutations, ...endsMutations]

const top = join(import.meta.dirname, '../..')

it('every mutation finds the one place that it changes', () => {
  const lost = mutations.filter(
    ({ file, find }) => readFileSync(join(top, file), 'utf8').split(find).length !== 2,
  )
  expect(lost.map(({ name }) => name)).toEqual([])
})

it('mutations have names of their own, and change something', () => {
  expect(new Set(mutations.map(({ name }) => name)).size).toBe(mutations.length)
  expect(mutations.filter(({ find, replace }) => find === replace)).toEqual([])
})
