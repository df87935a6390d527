import { expect, test } from 'vitest'
import { version as packageVersion } from '../../../src/runtime/node/package.ts'
import { version } from '../../../src/runtime/version.ts'

test('the version that is compiled in is the package’s', () => {
  expect(version).toBe(packageVersion)
})
