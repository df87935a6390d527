/** The ObjectStore port, against every storage that we name. */
import { join } from 'node:path'
import memoryDriver from 'unstorage/drivers/memory'
import { fsDriver } from '../../src/storage/fs-driver.ts'
import { openLevelDriver } from '../../src/storage/level-driver.ts'
import { faultyDisk } from '../faults/faulty-driver.ts'
import { type Adapter, testObjectStore } from './object-store-suite.ts'

const adapters: readonly Adapter[] = [
  {
    name: 'level',
    durability: 'power-loss',
    setUp: (folder) => () => openLevelDriver(join(folder, 'level')),
  },
  { name: 'fs', durability: 'process-crash', setUp: (folder) => async () => fsDriver(join(folder, 'fs')) },
  {
    name: 'memory',
    durability: 'none',
    setUp: () => {
      const driver = { ...memoryDriver(), dispose: () => undefined } // disposing would forget the contents
      return async () => driver
    },
  },
  {
    name: 'faulty driver without faults',
    durability: 'none',
    setUp: () => {
      const disk = faultyDisk()
      return async () => disk.driver()
    },
  },
  {
    name: 'faulty driver with batches, without faults',
    durability: 'none',
    setUp: () => {
      const disk = faultyDisk()
      return async () => disk.batchDriver()
    },
  },
]

for (const adapter of adapters) testObjectStore(adapter)
