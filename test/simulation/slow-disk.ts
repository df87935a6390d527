/** A faulty disk that takes its time: what was written is not durable before virtual time has passed. */
import type { SignRecordStore } from '../../src/ports/sign-record-store.ts'
import type { ObjectDriver } from '../../src/storage/driver.ts'
import type { FaultyDisk } from '../faults/faulty-driver.ts'

export interface SlowDisk {
  readonly driver: ObjectDriver
  readonly records: SignRecordStore
}

/** @param pause - how long a write takes now; the machine may die in the meantime */
export const slowDisk = (disk: FaultyDisk, hasBatches: boolean, pause: () => Promise<void>): SlowDisk => {
  const records = disk.signRecords()
  return {
    driver: hasBatches ? slowBatches(disk.batchDriver(), pause) : slowSyncs(disk.driver(), pause),
    records: {
      read: () => records.read(),
      write: async (record) => {
        await pause()
        await records.write(record)
      },
    },
  }
}

const slowBatches = (driver: ObjectDriver, pause: () => Promise<void>): ObjectDriver => ({
  ...driver,
  writeBatch: async (puts, removes) => {
    await pause()
    await driver.writeBatch!(puts, removes)
  },
})

const slowSyncs = (driver: ObjectDriver, pause: () => Promise<void>): ObjectDriver => ({
  ...driver,
  sync: async () => {
    await pause()
    await driver.sync!()
  },
})
