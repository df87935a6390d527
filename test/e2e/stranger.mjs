// A stranger's program, written from README.md alone: Node's own crypto, fetch, and a bech32m library.
// node stranger.mjs <node's URL> <operator token>: makes a key, has it funded, and pays half of that back.
import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { bech32m } from '@scure/base'

const [url, token] = process.argv.slice(2)
const { publicKey, privateKey } = generateKeyPairSync('ed25519')
const keyBytes = Buffer.from(publicKey.export({ format: 'jwk' }).x, 'base64url')
const address = bech32m.encode('taut', bech32m.toWords(keyBytes))

const post = async (path, body, headers = {}) => {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
  return { httpStatus: response.status, ...(await response.json()) }
}
const get = async (path) => (await fetch(url + path)).json()

const { network, node } = await get('/v1/status')
const funding = await post(
  '/v1/wallet/transactions?wait=committed',
  { operations: [{ type: 'transfer', to: address, amount: '1000' }] },
  { authorization: `Bearer ${token}` },
)

const { nonce } = await get(`/v1/accounts/${address}`)
const unsigned = {
  fee: '1',
  from: address,
  memo: 'grüße, 世界 "\\\u0007',
  network,
  nonce,
  operations: [{ amount: '500', to: node.address, type: 'transfer' }],
  validUntil: Math.floor(Date.now() / 1000) + 600,
}
const message = Buffer.from(`tautline/transaction/1\n${JSON.stringify(unsigned)}`)
const transaction = {
  signatures: [{ signature: sign(null, message, privateKey).toString('hex'), key: address }],
  ...unsigned,
}
const payment = await post('/v1/transactions?wait=committed', transaction)

console.log(
  JSON.stringify({
    address,
    id: createHash('sha256').update(message).digest('hex'),
    funding,
    payment,
    account: await get(`/v1/accounts/${address}`),
  }),
)
