/** Something that many can wait for, again and again: it rings, and all who waited go on. */
export class Bell {
  readonly #waiting = new Set<() => void>()

  /** Resolves at the next ring, or when the signal aborts. */
  rings(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const go = (): void => {
        this.#waiting.delete(go)
        signal?.removeEventListener('abort', go)
        resolve()
      }
      if (signal?.aborted) return resolve()
      signal?.addEventListener('abort', go)
      this.#waiting.add(go)
    })
  }

  ring(): void {
    for (const go of [...this.#waiting]) go()
  }
}
