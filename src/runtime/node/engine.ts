/**
 * Where a runtime that runs Node's programs differs from Node so much that another adapter takes the place of
 * Node's. It is told apart here and nowhere else.
 *
 * Deno and Bun serve the doors by their own `node:http`, which passes all tests of Node's doors; so they share
 * them, with the data folder, the threads that verify and the command line.
 */
import { createWebTransport } from '../web/transport.ts'
import { createNodeTransport, type NodeTransport, type TransportOptions } from './transport.ts'

/** On Bun, `undici` is Bun's own and obeys no agent, so no limit would hold. */
export const createTransport = (options: TransportOptions = {}): NodeTransport =>
  process.versions.bun
    ? { ...createWebTransport(options), close: async () => undefined }
    : createNodeTransport(options)
