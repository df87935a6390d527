/**
 * The OpenAPI 3.1 description of the doors, from the same routes and schemas that they are made of.
 *
 * `openapi.yaml` is generated from it; a test fails when that file is stale.
 */
import { OpenAPIHono } from '@hono/zod-openapi'
import { accountRoute, historyRoute } from './accounts.ts'
import { blockRoute, segmentRoute } from './blocks.ts'
import { connectionRoutes } from './connections.ts'
import { consensusRoute } from './consensus.ts'
import { didcommRoute } from './didcomm.ts'
import { docsRoute } from './docs.ts'
import { eventsRoute } from './events.ts'
import { genesisRoute } from './genesis.ts'
import { headerRoute } from './headers.ts'
import { healthRoute } from './health.ts'
import { describeMembers } from './member-notes.ts'
import { metricsRoute } from './metrics.ts'
import { openapiRoute } from './openapi.ts'
import { operatorScheme } from './operator.ts'
import { peerMessagesRoute, peerRoute } from './peer.ts'
import { peerPageRoute } from './peer-page.ts'
import { addPeerRoute, peersRoute, removePeerRoute } from './peers.ts'
import { pushSegmentRoute } from './segments.ts'
import { snapshotPagesRoute, snapshotRoute, snapshotsRoute } from './snapshots.ts'
import { statusRoute } from './status.ts'
import { submitRoute, transactionRoute } from './transactions.ts'
import { validatorsRoute } from './validators.ts'
import { spendRoute } from './wallet.ts'

/** In the order in which a newcomer needs them. */
const routes = [
  statusRoute,
  genesisRoute,
  validatorsRoute,
  consensusRoute,
  submitRoute,
  transactionRoute,
  accountRoute,
  historyRoute,
  segmentRoute,
  blockRoute,
  headerRoute,
  eventsRoute,
  snapshotsRoute,
  snapshotRoute,
  snapshotPagesRoute,
  spendRoute,
  ...connectionRoutes,
  didcommRoute,
  peersRoute,
  addPeerRoute,
  removePeerRoute,
  peerRoute,
  peerMessagesRoute,
  pushSegmentRoute,
  healthRoute,
  metricsRoute,
  openapiRoute,
  docsRoute,
  peerPageRoute,
]

const info = {
  title: 'Tautline',
  version: '1', // of the API, as in /v1; /v1/status tells the program's
  summary: 'A peer-to-peer ledger node.',
  description: `The same API on every node of a network. Reads and signed transactions need no credentials, and any web page may send them: a transaction is its own authority.

Amounts are strings of base units; heights, indices and nonces are numbers. Errors are RFC 9457 problems, whose \`type\` ends with a code that programs can rely on. Blocks and the genesis never change and may be cached forever; everything else is true when it is read.`,
  license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
}

const tags = [
  { name: 'Network', description: 'Who takes part, and where this node stands.' },
  { name: 'Ledger', description: 'Transactions, accounts, blocks, and events.' },
  { name: 'Wallet', description: "The node's own account: for its operator only." },
  {
    name: 'Connections',
    description: 'Private lines to other nodes, held at both ends: for the operator only, but for the wire.',
  },
  { name: 'Peers', description: 'Other nodes: who they are, and where they come in.' },
  { name: 'Snapshots', description: 'The state as of some block, page by page, for those who join.' },
  { name: 'Operations', description: 'For those who run a node or build on it.' },
]

/** @returns the document as plain JSON */
export const describeApi = (): object => {
  const app = new OpenAPIHono()
  for (const route of routes) app.openAPIRegistry.registerPath(route)
  app.openAPIRegistry.registerComponent('securitySchemes', operatorScheme, {
    type: 'http',
    scheme: 'bearer',
    description: 'The token in `operator.token` in the data folder.',
  })
  const document = app.getOpenAPI31Document({ openapi: '3.1.0', info, tags, servers: [{ url: '/' }] })
  return describeMembers(document)
}
