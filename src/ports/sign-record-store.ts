/**
 * Where a validator keeps what it has signed, so that after a crash it can repeat itself but never
 * contradict itself. Always in strongly consistent, synced storage, whatever the ledger lies on.
 */
export interface SignRecordStore {
  /** The newest record that was written whole; undefined when none was ever made. */
  read(): Promise<Uint8Array | undefined>
  /** Resolves once the record is on the disk and was read back. The one before stays until then. */
  write(record: Uint8Array): Promise<void>
}
