/** What test files import from `vitest`, where vitest itself can't be: made of the parts that it is made of. */
import {
  ASYMMETRIC_MATCHERS_OBJECT,
  chai,
  customMatchers,
  getState,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
  setState,
} from '@vitest/expect'
import { getCurrentTest } from '@vitest/runner'
import { fn, spyOn } from '@vitest/spy'

export {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  it,
  onTestFinished,
  test,
} from '@vitest/runner'

chai.use(JestExtend)
chai.use(JestChaiExpect)
chai.use(JestAsymmetricMatchers)

type Expect = typeof import('vitest').expect

const ask = ((value: unknown, message?: string) => {
  setState({ assertionCalls: getState(expect).assertionCalls + 1 }, expect)
  const assertion = chai.expect(value, message) as unknown as { withTest(test: unknown): unknown }
  return assertion.withTest(getCurrentTest())
}) as unknown as Expect

export const expect: Expect = Object.assign(
  ask,
  chai.expect,
  (globalThis as unknown as Record<symbol, object>)[ASYMMETRIC_MATCHERS_OBJECT],
)
setState(
  {
    assertionCalls: 0,
    isExpectingAssertions: false,
    isExpectingAssertionsError: null,
    expectedAssertionsNumber: null,
    expectedAssertionsNumberErrorGen: null,
    currentTestName: '',
  },
  expect,
)
const chaiExpect = chai.expect as unknown as { extend(expect: Expect, matchers: object): void }
chaiExpect.extend(expect, customMatchers)
;(globalThis as unknown as Record<symbol, unknown>)[Symbol.for('expect-global')] = expect

interface Waiting {
  readonly timeout?: number
  readonly interval?: number
}

/** Calls until it doesn't throw. @throws what it threw last */
const waitFor = async <Value>(
  attempt: () => Value | Promise<Value>,
  options: number | Waiting = {},
): Promise<Value> => {
  const { timeout = 1_000, interval = 50 } = typeof options === 'number' ? { timeout: options } : options
  const lateMs = Date.now() + timeout
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (Date.now() > lateMs) throw error
    }
    await new Promise((resolve) => setTimeout(resolve, interval))
  }
}

export const vi = { fn, spyOn, waitFor }
