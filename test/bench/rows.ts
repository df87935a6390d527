/** What the tables show: each row a figure with its unit, and what is asked of it. */

/** Parts of the run that can be chosen. */
export const parts = [
  'limit',
  'ndjson',
  'single',
  'latency',
  'start',
  'memory',
  'idle',
  'disk',
  'verify',
  'sync',
  'network',
  'network-latency',
  'envelopes',
  'lines',
  'proofs',
  'light',
  'bundle',
  'runtimes',
] as const
export type Part = (typeof parts)[number]

/** The columns of the dimension `runtime`, by their numbers. */
export const runtimeNames = ['Node 20', 'Node 24', 'Node 26', 'Deno', 'Bun', 'workerd'] as const

/** What the columns of a row differ in: accounts of the state, validators of the network, or bytes of a message. */
export const dimensions = ['accounts', 'validators', 'bytes', 'runtime'] as const
export type Dimension = (typeof dimensions)[number]

export interface Row {
  readonly part: Part
  readonly name: string
  readonly unit: string
  /** Accounts, if nothing else is said. */
  readonly by?: Dimension
  /** Bounds of every figure of the row. */
  readonly atLeast?: number
  readonly atMost?: number
  /** Where it is asked, if not at all sizes. */
  readonly askedAt?: number
  /** Of the figure at the largest size, as a multiple of that at the smallest. */
  readonly growthAtLeast?: number
}

export const rows = {
  oneCore: { part: 'limit', name: 'Ed25519 verifications by node:crypto, one core', unit: '/s' },
  allCores: { part: 'limit', name: 'Ed25519 verifications by node:crypto, all cores', unit: '/s' },
  ownAllCores: { part: 'limit', name: '… by the library that the node uses', unit: '/s' },
  ndjsonRate: { part: 'ndjson', name: 'committed, submitted as NDJSON', unit: '/s', growthAtLeast: 0.5 },
  ndjsonShare: {
    part: 'ndjson',
    name: '… of what node:crypto on all cores could verify',
    unit: '%',
    atLeast: 40,
  },
  ndjsonCpu: { part: 'ndjson', name: '… CPU of the node, a transaction', unit: 'µs' },
  ndjsonMainThread: { part: 'ndjson', name: '… of that on its main thread', unit: 'µs' },
  singleRate: { part: 'single', name: 'committed, submitted singly', unit: '/s', growthAtLeast: 0.5 },
  singleShare: {
    part: 'single',
    name: '… of what node:crypto on all cores could verify',
    unit: '%',
    atLeast: 25,
  },
  singleCpu: { part: 'single', name: '… CPU of the node, a transaction', unit: 'µs' },
  singleMainThread: { part: 'single', name: '… of that on its main thread', unit: 'µs' },
  latencyMedian: { part: 'latency', name: '?wait=committed, median', unit: 'ms' },
  latencyP95: { part: 'latency', name: '?wait=committed, 95th percentile', unit: 'ms' },
  barePost: { part: 'latency', name: 'bare POST, median', unit: 'ms' },
  twoWrites: { part: 'latency', name: 'two durable writes, median', unit: 'ms' },
  latencyShare: { part: 'latency', name: '?wait=committed of both together', unit: '×', atMost: 1.5 },
  start: { part: 'start', name: 'cold start to first answer', unit: 'ms' },
  idleAnonymous: { part: 'memory', name: 'RssAnon, idle', unit: 'MB' },
  idleResident: { part: 'memory', name: 'VmRSS, idle', unit: 'MB' },
  loadedAnonymous: { part: 'memory', name: 'RssAnon, after load', unit: 'MB', atMost: 400 },
  loadedResident: { part: 'memory', name: 'VmRSS, after load', unit: 'MB' },
  idleCpu: { part: 'idle', name: 'CPU of an idle minute', unit: 's', atMost: 0.1 },
  idleBlocks: { part: 'idle', name: 'blocks of an idle minute', unit: '', atMost: 0 },
  disk: { part: 'disk', name: 'disk, a transaction', unit: 'B' },
  verify: { part: 'verify', name: 'replayed by `verify`', unit: '/s' },
  syncRate: { part: 'sync', name: 'taken in by a fresh node that joins', unit: '/s' },
  syncShare: {
    part: 'sync',
    name: '… of what node:crypto on all cores could verify',
    unit: '%',
    atLeast: 40,
  },
  networkRate: {
    part: 'network',
    by: 'validators',
    name: 'final on all, submitted singly and spread over them',
    unit: '/s',
  },
  networkShare: {
    part: 'network',
    by: 'validators',
    name: '… of what each could verify with its share of all cores',
    unit: '%',
    atLeast: 35,
  },
  networkCpu: { part: 'network', by: 'validators', name: '… CPU of a node, a transaction', unit: 'µs' },
  networkMainThread: { part: 'network', by: 'validators', name: '… of that on its main thread', unit: 'µs' },
  networkBlock: { part: 'network', by: 'validators', name: '… transactions of a block', unit: '' },
  networkMessages: {
    part: 'network',
    by: 'validators',
    name: '… messages between nodes, a transaction',
    unit: '',
  },
  networkBytes: {
    part: 'network',
    by: 'validators',
    name: '… bytes between nodes, a transaction',
    unit: 'B',
  },
  networkLatencyMedian: {
    part: 'network-latency',
    by: 'validators',
    name: '?wait=committed without load, median',
    unit: 'ms',
    atMost: 25,
    askedAt: 4,
  },
  networkLatencyP95: {
    part: 'network-latency',
    by: 'validators',
    name: '?wait=committed without load, 95th percentile',
    unit: 'ms',
  },
  keyAgreements: {
    part: 'envelopes',
    by: 'bytes',
    name: 'X25519 key agreements by noble, one core',
    unit: '/s',
  },
  sealed: { part: 'envelopes', by: 'bytes', name: 'messages sealed, one core', unit: '/s' },
  sealedShare: { part: 'envelopes', by: 'bytes', name: '… of those key agreements', unit: '%', atLeast: 10 },
  opened: { part: 'envelopes', by: 'bytes', name: 'messages opened, one core', unit: '/s' },
  openedShare: { part: 'envelopes', by: 'bytes', name: '… of those key agreements', unit: '%', atLeast: 10 },
  lineRate: {
    part: 'lines',
    by: 'bytes',
    name: 'messages said and acknowledged over one connection',
    unit: '/s',
  },
  lineShare: {
    part: 'lines',
    by: 'bytes',
    name: '… of what sealing and opening alone let through, one core',
    unit: '%',
  },
  outboxRate: {
    part: 'lines',
    by: 'bytes',
    name: 'messages of a full outbox, once the other end is back',
    unit: '/s',
  },
  outboxShare: {
    part: 'lines',
    by: 'bytes',
    name: '… of what sealing and opening alone let through, one core',
    unit: '%',
  },
  accountProof: { part: 'proofs', name: 'proof of an account, as it travels', unit: 'B' },
  transactionProof: { part: 'proofs', name: 'proof of a transaction, as it travels', unit: 'B' },
  proofChecks: {
    part: 'proofs',
    name: 'proofs of accounts checked against a verified header, one core',
    unit: '/s',
    growthAtLeast: 0.5,
  },
  lightHeaders: {
    part: 'light',
    by: 'validators',
    name: 'headers verified by a light client, one after the other',
    unit: '/s',
  },
  lightShare: {
    part: 'light',
    by: 'validators',
    name: '… signatures of them, of what node:crypto on one core could verify',
    unit: '%',
    atLeast: 30,
    askedAt: 4,
  },
  browserBundle: {
    part: 'bundle',
    name: 'a node as one module for browsers, gzipped',
    unit: 'kB',
    atMost: 120,
  },
  workerBundle: {
    part: 'bundle',
    name: 'a node as one Worker, gzipped',
    unit: 'kB',
    atMost: 260,
  },
  runtimeStart: { part: 'runtimes', by: 'runtime', name: 'cold start of an empty folder', unit: 'ms' },
  runtimeRate: { part: 'runtimes', by: 'runtime', name: 'committed, 64 at a time by its wallet', unit: '/s' },
  runtimeRateShare: { part: 'runtimes', by: 'runtime', name: '… of that on Node 20', unit: '×' },
  runtimeMedian: {
    part: 'runtimes',
    by: 'runtime',
    name: '?wait=committed by its wallet, median',
    unit: 'ms',
  },
  runtimeMedianShare: { part: 'runtimes', by: 'runtime', name: '… of that on Node 20', unit: '×' },
  runtimeP95: {
    part: 'runtimes',
    by: 'runtime',
    name: '?wait=committed by its wallet, 95th percentile',
    unit: 'ms',
  },
  runtimeResident: { part: 'runtimes', by: 'runtime', name: 'VmRSS, after that', unit: 'MB' },
} as const satisfies Record<string, Row>
export type RowName = keyof typeof rows
export const rowNames = Object.keys(rows) as RowName[]

/** One row at one size. */
export interface Figure {
  readonly row: RowName
  /** In the row's dimension. */
  readonly size: number
  /** Each time that it was measured. */
  readonly samples: readonly number[]
}

/** The middle one, or the mean of the two in the middle. */
export const median = (numbers: readonly number[]): number => {
  const sorted = numbers.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** The least number that this share of all doesn't exceed. */
export const percentile = (numbers: readonly number[], share: number): number =>
  numbers.toSorted((a, b) => a - b)[Math.ceil(numbers.length * share) - 1]!
