/** What this room uses of workerd. Its own types would stand beside those of Node and the DOM for all rooms. */
import type { SqlStorage } from '../../storage/sql-blobs.ts'

export interface DurableObjectState {
  readonly storage: SqlStorage & {
    /** Calls `alarm` at that time, or as soon as the object can run again. */
    setAlarm(atMs: number): Promise<void>
    deleteAlarm(): Promise<void>
  }
  /** Ends this life of the object, and everything that goes on in it. */
  abort(reason: string): void
}

export interface DurableObjectNamespace {
  idFromName(name: string): unknown
  get(id: unknown): { fetch(request: Request): Promise<Response> }
}

/** Static files that were deployed with the Worker, by the paths of URLs whose host doesn't matter. */
export interface AssetFetcher {
  fetch(url: string): Promise<Response>
}

/** One end of a pair of sockets. */
export type WorkerSocket = WebSocket & {
  /** From then on it is heard here. */
  accept(): void
}

export type WebSocketPairConstructor = new () => readonly [client: WorkerSocket, server: WorkerSocket] & {
  readonly 0: WorkerSocket
  readonly 1: WorkerSocket
}
