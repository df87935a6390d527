import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TautlineError } from '../../../src/errors.ts'
import { formatJoinString, type JoinString, parseJoinString } from '../../../src/objects/join-string.ts'
import { type BlockHash, height, type NetworkId } from '../../../src/units.ts'

const network = 'a3'.repeat(32) as NetworkId
const hash = '5f'.repeat(32) as BlockHash

describe('a join string', () => {
  it.each<[string, string, JoinString]>([
    ['URL and network', `https://node.example#${network}`, { url: 'https://node.example', network }],
    [
      'with a recent block',
      `http://127.0.0.1:8787#${network}@17:${hash}`,
      { url: 'http://127.0.0.1:8787', network, pin: { height: height(17), hash } },
    ],
    ['behind a prefix', `https://a.example/ledger#${network}`, { url: 'https://a.example/ledger', network }],
  ])('%s', (_, text, joined) => {
    expect(parseJoinString(text)).toEqual(joined)
    expect(formatJoinString(joined)).toBe(text)
  })

  it('as pasted, with white space around it and a slash that browsers add', () => {
    expect(parseJoinString(` https://node.example/#${network}\n`)).toEqual({
      url: 'https://node.example',
      network,
    })
  })

  it('of any height and hash comes back as it was written', () => {
    const hex = fc
      .uint8Array({ minLength: 32, maxLength: 32 })
      .map((bytes) => Buffer.from(bytes).toString('hex'))
    fc.assert(
      fc.property(hex, hex, fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), (id, block, at) => {
        const joined = {
          url: 'https://node.example',
          network: id as NetworkId,
          pin: { height: height(at), hash: block as BlockHash },
        }
        expect(parseJoinString(formatJoinString(joined))).toEqual(joined)
      }),
    )
  })

  it.each([
    ['a URL alone', 'https://node.example', /no # in it/],
    ['a network alone', network, /no # in it/],
    ['a network cut off', `https://node.example#${network.slice(1)}`, /"3a3.*" is no network id/],
    ['a network in capitals', `https://node.example#${network.toUpperCase()}`, /no network id/],
    ['no URL', `node.example#${network}`, /"node\.example" before # is no URL of a node/],
    ['a WebSocket', `wss://node.example#${network}`, /no URL of a node/],
    ['a URL with a user', `https://me:pw@node.example#${network}`, /no URL of a node/],
    ['a URL with a query', `https://node.example?a=b#${network}`, /no URL of a node/],
    ['a block without hash', `https://node.example#${network}@17`, /"17" behind @ is no block/],
    ['the genesis as a block', `https://node.example#${network}@0:${hash}`, /behind @ is no block/],
    ['a height beyond all numbers', `https://node.example#${network}@9999999999999999:${hash}`, /no block/],
    ['a hash cut off', `https://node.example#${network}@17:${hash.slice(1)}`, /behind @ is no block/],
    ['two blocks', `https://node.example#${network}@1:${hash}@2:${hash}`, /behind @ is no block/],
  ])('%s is refused, with what is wrong', (_, text, why) => {
    expect(() => parseJoinString(text)).toThrow(TautlineError)
    expect(() => parseJoinString(text)).toThrow(why)
  })
})
