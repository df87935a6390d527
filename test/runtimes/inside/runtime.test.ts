/** Run with the suites that are run inside each runtime: that it is the one which was asked for, and not Node on their PATH. */
import { expect, it } from 'vitest'

it('these tests run on the runtime that was asked for', () => {
  const [name, version] = process.env.TAUTLINE_TEST_RUNTIME!.split('@')
  const shown = process.versions.deno ? 'deno' : process.versions.bun ? 'bun' : 'node'
  expect([shown, process.versions[shown]]).toEqual([name, version])
})
