// A peer that shares no code with ours: the foreign agent, behind an HTTP server of its own.
// node agent-process.mjs: reads commands, one JSON object a line, from standard input, and writes what it did and what
// came in, one JSON object a line, to standard output.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'
import { ForeignAgent, newMessage, resolveByCredo, shortForm } from './foreign-agent.mjs'

const encrypted = 'application/didcomm-encrypted+json'
const now = () => Math.floor(Date.now() / 1_000)
let issued = 0
/** Of a `from_prior`: later than in the one before, since a peer refuses what isn't. */
const issueTime = () => {
  issued = Math.max(now(), issued + 1)
  return issued
}
const agent = new ForeignAgent()
const say = (event) => process.stdout.write(`${JSON.stringify(event)}\n`)

/** The one connection that it holds. */
const line = { ours: undefined, theirs: undefined, endpoint: undefined, invitation: undefined }

const endpointOf = (document) => document.service[0].serviceEndpoint.uri

const know = async (did) => {
  agent.learn(did)
  line.theirs = did
  const document = await resolveByCredo(did)
  line.endpoint = endpointOf(document)
}

const post = async (text) => {
  const response = await fetch(line.endpoint, {
    method: 'POST',
    headers: { 'content-type': encrypted },
    body: text,
  })
  return { status: response.status, body: await response.text() }
}

const send = async (type, body, headers = {}) => {
  const { ours, theirs } = line
  const message = newMessage(type, body, { from: ours, to: [theirs], created_time: now(), ...headers })
  return { id: message.id, ...(await post(await agent.seal(message, theirs))) }
}

/** A rotation is believed when the DID that it takes the place of has signed it. */
const follow = async ({ from, from_prior }) => {
  if (!from_prior || !line.theirs || shortForm(from) === shortForm(line.theirs)) return undefined
  const { payload } = await agent.verifyJwt(from_prior)
  if (shortForm(payload.iss) !== shortForm(line.theirs) || payload.sub !== from)
    throw new Error(`a foreign from_prior: ${from_prior}`)
  await know(from)
  return { iss: payload.iss, sub: payload.sub, iat: payload.iat }
}

const receive = async (text) => {
  const ending = await agent.openEnding(text).catch(() => undefined)
  if (ending) return { kind: 'end', message: ending.message, payload: ending.payload }
  const { skid } = JSON.parse(Buffer.from(JSON.parse(text).protected, 'base64url'))
  if (skid?.includes(':z')) agent.learn(skid.split('#')[0])
  const { message, metadata } = await agent.open(text)
  const rotation = await follow(message)
  return { kind: 'message', message, authenticated: metadata.authenticated, bytes: text.length, rotation }
}

const server = createServer(async (request, response) => {
  let text = ''
  for await (const chunk of request) text += chunk
  try {
    if (request.headers['content-type'] !== encrypted) throw new Error(request.headers['content-type'])
    say(await receive(text))
    response.writeHead(202).end()
  } catch (error) {
    say({ kind: 'failed', error: String(error?.stack ?? error) })
    response.writeHead(400).end()
  }
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const address = `http://127.0.0.1:${server.address().port}/didcomm`

const commands = {
  /** Answers an invitation from a fresh DID. */
  accept: async ({ url, method = 4, type = 'https://didcomm.org/trust-ping/2.0/ping' }) => {
    line.invitation = JSON.parse(Buffer.from(new URL(url).searchParams.get('_oob'), 'base64url'))
    await know(line.invitation.from)
    line.ours = agent.makeDid(address, method)
    return send(type, { response_requested: true }, { pthid: line.invitation.id })
  },
  send: ({ type, body, headers }) => send(type, body, headers),
  /** A new DID takes the place of the one that it has. */
  rotate: async ({ type, body }) => {
    const prior = line.ours
    line.ours = agent.makeDid(address)
    return send(type, body, { from_prior: await agent.fromPrior(prior, line.ours, issueTime()) })
  },
  end: async () => post(await agent.sealEnding(line.ours, line.theirs, issueTime())),
  state: async () => ({ ...line, address }),
  sign: async ({ typ, statement }) => agent.sign(line.ours, typ, statement),
  verify: async ({ jws }) => agent.verify(jws),
}

for await (const command of createInterface({ input: process.stdin })) {
  const { id, call, ...parameters } = JSON.parse(command)
  try {
    say({ kind: 'done', id, result: await commands[call](parameters) })
  } catch (error) {
    say({ kind: 'done', id, error: String(error?.stack ?? error) })
  }
}
