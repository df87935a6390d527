/** In place of Node's transport: that of the node in a Durable Object. */
import { createWebTransport, type WebTransportOptions } from '../../../src/runtime/web/transport.ts'

export const createTransport = (options: WebTransportOptions = {}) => ({
  ...createWebTransport(options),
  close: async (): Promise<void> => undefined,
})
export const createNodeTransport = createTransport
