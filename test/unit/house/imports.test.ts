import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { describe, expect, it } from 'vitest'

const top = join(import.meta.dirname, '../../..')

/** Rooms by floor; a file imports from its own room and from lower floors only. */
const floors: readonly (readonly string[])[] = [
  ['src/units', 'src/errors', 'src/codec', 'src/crypto'],
  ['src/objects', 'src/messages', 'src/didcomm'],
  [
    'src/ledger',
    'src/mempool',
    'src/consensus',
    'src/gossip',
    'src/sync',
    'src/discovery',
    'src/connections',
    'src/light',
  ],
  ['src/ports'],
  ['src/node'],
  ['src/storage', 'src/runtime', 'routes', 'src/client', 'src/cli', 'src/explorer'],
  ['src/exports'],
]
/** Rooms of one floor that may import others of it. */
const sameFloor: Readonly<Record<string, readonly string[]>> = {
  'src/codec': ['src/units', 'src/errors'],
  'src/crypto': ['src/units', 'src/errors', 'src/codec'],
  'src/messages': ['src/objects'],
  'src/runtime': ['src/storage', 'routes'],
  'src/cli': ['src/client', 'src/runtime', 'src/storage', 'routes'],
  'src/explorer': ['src/runtime'],
}
/** Nothing here knows the runtime that it runs on. */
const core = [
  'src/units',
  'src/errors',
  'src/codec',
  'src/crypto',
  'src/objects',
  'src/messages',
  'src/didcomm',
  'src/ledger',
  'src/mempool',
  'src/consensus',
  'src/gossip',
  'src/sync',
  'src/discovery',
  'src/connections',
  'src/light',
  'src/ports',
  'src/node',
  'src/client',
  'routes',
]
/** No clock, no randomness, nothing that waits. */
const pure = [
  'src/ledger',
  'src/mempool',
  'src/consensus',
  'src/gossip',
  'src/sync',
  'src/discovery',
  'src/connections',
  'src/light',
  'src/objects',
  'src/messages',
  'src/didcomm',
  'src/codec',
]

const filesBelow = (folder: string): string[] =>
  readdirSync(join(top, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.[jt]s$/.test(name))
    .map((name) => join(folder, name).split(sep).join('/'))

const files = [...filesBelow('src'), ...filesBelow('routes')]
const rooms = floors.flat()
const roomOf = (file: string): string =>
  rooms.find((room) => file === `${room}.ts` || file.startsWith(`${room}/`))!
const floorOf = (room: string): number => floors.findIndex((floor) => floor.includes(room))

interface Import {
  readonly from: string
  readonly to: string
  readonly typeOnly: boolean
}

const importsOf = (file: string): Import[] => {
  const source = readFileSync(join(top, file), 'utf8')
  const statements = source.matchAll(
    /^(?:import|export)\s+(type\s+)?(?:[^'"]*?\sfrom\s+)?'([^']+)'|import\('([^']+)'\)/gm,
  )
  return [...statements].map(([, type, fixed, dynamic]) => ({
    from: file,
    to: fixed ?? dynamic!,
    typeOnly: type !== undefined,
  }))
}

const resolved = ({ from, to }: Import): string =>
  relative(top, join(top, dirname(from), to))
    .split(sep)
    .join('/')

const all = files.flatMap(importsOf)
const local = all.filter(({ to }) => to.startsWith('.')).map((found) => ({ ...found, to: resolved(found) }))

describe('the house', () => {
  it('finds the imports that it judges', () => {
    expect(files.length).toBeGreaterThan(50)
    expect(local.length).toBeGreaterThan(files.length)
    expect(local.filter(({ to }) => !files.includes(to))).toEqual([])
  })

  it('has a floor for every file', () => {
    expect(files.filter((file) => roomOf(file) === undefined)).toEqual([])
  })

  it('imports downwards only', () => {
    const upwards = local.filter(({ from, to }) => {
      const [here, there] = [roomOf(from), roomOf(to)]
      if (here === there || sameFloor[here]?.includes(there)) return false
      return floorOf(there) >= floorOf(here)
    })
    expect(upwards).toEqual([])
  })

  it('has no import cycles', () => {
    const next = new Map(
      files.map((file) => [
        file,
        local.filter(({ from, typeOnly }) => from === file && !typeOnly).map(({ to }) => to),
      ]),
    )
    const done = new Set<string>()
    const walk = (file: string, path: readonly string[]): readonly string[] | undefined => {
      if (path.includes(file)) return [...path.slice(path.indexOf(file)), file]
      if (done.has(file)) return undefined
      for (const to of next.get(file) ?? []) {
        const cycle = walk(to, [...path, file])
        if (cycle) return cycle
      }
      done.add(file)
      return undefined
    }
    expect(files.map((file) => walk(file, [])).filter(Boolean)).toEqual([])
  })

  it('keeps the runtime out of the core', () => {
    const foreign = all.filter(
      ({ from, to }) =>
        core.includes(roomOf(from)) && /^(node:|undici$|classic-level$|ws$|@hono\/node)/.test(to),
    )
    expect(foreign).toEqual([])
  })

  it('keeps clock, randomness, locale and waiting out of the pure rooms', () => {
    const hidden =
      /Date\.now|new Date\(|Math\.random|setTimeout|setInterval|localeCompare|toLocale|Intl\.|performance\.|\basync\b|\bawait\b|getRandomValues/
    const found = files
      .filter((file) => pure.includes(roomOf(file)))
      .flatMap((file) =>
        readFileSync(join(top, file), 'utf8')
          .split('\n')
          .filter((line) => hidden.test(line) && !/^\s*(\/?\*|\/\/)/.test(line))
          .map((line) => `${file}: ${line.trim()}`),
      )
    expect(found).toEqual([])
  })
})
