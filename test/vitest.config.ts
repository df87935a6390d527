import { defineConfig } from 'vitest/config'

const fast = ['unit', 'property', 'contract', 'interop', 'api']
const slow = ['crash', 'e2e']
/** Slow too, and they measure what a neighbour would spoil. */
const alone = ['bench', 'flat-memory', 'idle'].map((name) => `e2e/${name}.test.ts`)
/** Run once more inside each runtime, by `runtimes/suites.test.ts`. */
const inside = [
  'api/**',
  // But for servers, whose clients are the same everywhere.
  'contract/{object-store,sign-record-store}*',
  'interop/{ed25519,jcs}-vectors',
  'interop/didcomm/frozen',
  'runtimes/inside/*',
  'unit/ledger/state-vectors',
  'unit/objects/frozen-encodings',
  'unit/runtime/*',
  'unit/storage/*',
]

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'fast',
          include: fast.map((room) => `${room}/**/*.test.ts`),
          testTimeout: 60_000,
          hookTimeout: 120_000,
          root: import.meta.dirname,
        },
      },
      {
        test: {
          name: 'simulation',
          include: ['simulation/**/*.test.ts'],
          testTimeout: 900_000,
          fileParallelism: false,
          root: import.meta.dirname,
        },
      },
      {
        test: {
          name: 'slow',
          include: slow.map((room) => `${room}/**/*.test.ts`),
          exclude: alone,
          testTimeout: 600_000,
          hookTimeout: 120_000, // a browser may be opened before each test
          // Real processes that wait for each other most of the time.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
          root: import.meta.dirname,
        },
      },
      {
        test: {
          name: 'alone',
          include: alone,
          testTimeout: 600_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
          root: import.meta.dirname,
        },
      },
      {
        test: {
          name: 'inside',
          include: inside.map((files) => `${files}.test.ts`),
          testTimeout: 120_000,
          hookTimeout: 120_000,
          root: import.meta.dirname,
        },
      },
      {
        test: {
          name: 'runtimes',
          include: ['runtimes/*.test.ts'],
          testTimeout: 600_000,
          fileParallelism: false,
          root: import.meta.dirname,
        },
      },
    ],
  },
})
