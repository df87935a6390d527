/**
 * Where the keys lie that a node seals its connections with: a place of its own, apart from what is sealed, so that
 * forgetting a key makes everything unreadable that was ever written under it.
 */
export interface ConnectionKeys {
  /** @returns undefined when there is none under this id */
  read(id: string): Promise<Uint8Array | undefined>
  /** Resolves once they are durable, and what was there before is gone. */
  write(id: string, keys: Uint8Array): Promise<void>
  /** Does nothing when there are none. */
  erase(id: string): Promise<void>
}
