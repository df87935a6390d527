/**
 * A worker that runs test files, one for each request, in a Durable Object; and in the same object, behind doors of
 * their own, the nodes that these tests start.
 *
 * The bundle gives it the files as modules, and what they borrow from Node as what the node in a Durable Object has.
 */
import { type File, type Suite, startTests, type Task, type VitestRunner } from '@vitest/runner'
import type { DurableObjectNamespace } from '../../../src/runtime/workerd/platform.ts'
import { answerAt } from './doors.ts'
import { importTestFile } from './test-files.ts'
import type { Verdict } from './verdict.ts'

/** What is given to a test that names no limit, as in `vitest.config.ts`. */
const timeoutMs = 120_000

const runner: VitestRunner = {
  config: {
    root: '/',
    setupFiles: [],
    name: undefined,
    passWithNoTests: false,
    testNamePattern: undefined,
    allowOnly: false,
    sequence: { seed: 0, hooks: 'stack', setupFiles: 'list' },
    chaiConfig: undefined,
    maxConcurrency: 1,
    testTimeout: timeoutMs,
    hookTimeout: timeoutMs,
    retry: 0,
    includeTaskLocation: false,
    tags: [],
    tagsFilter: undefined,
    strictTags: false,
  },
  pool: 'workerd',
  importFile: (path, source) => (source === 'collect' ? importTestFile(path) : undefined),
}

const run = async (path: string): Promise<readonly Verdict[]> => {
  const files = await startTests([path], runner)
  return files.flatMap((file) => verdictsOf(file, []))
}

const verdictsOf = (task: Task | File | Suite, above: readonly string[]): readonly Verdict[] => {
  const failures = task.result?.errors?.map(({ message, stack }) => `${message}\n${stack ?? ''}`) ?? []
  if (task.type === 'test') {
    const state = task.result?.state ?? task.mode
    return [{ name: [...above, task.name].join(' '), state, failures }]
  }
  const names = 'filepath' in task ? above : [...above, task.name]
  const own: readonly Verdict[] =
    failures.length > 0 ? [{ name: names.join(' ') || task.name, state: 'fail', failures }] : []
  return [...own, ...task.tasks.flatMap((inner) => verdictsOf(inner, names))]
}

/** Under the name that the configuration of workerd has. */
export class TautlineNode {
  async fetch(request: Request): Promise<Response> {
    const door = request.headers.get('x-tautline-door')
    if (door !== null) return answerAt(Number(door), request)
    return Response.json(await run(await request.text()))
  }
}

export default {
  fetch: (request: Request, env: { readonly TAUTLINE_NODE: DurableObjectNamespace }): Promise<Response> =>
    env.TAUTLINE_NODE.get(env.TAUTLINE_NODE.idFromName('tests')).fetch(request),
}
