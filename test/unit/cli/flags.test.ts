import { InvalidArgumentError } from 'commander'
import { describe, expect, it } from 'vitest'
import {
  collectUrls,
  flag,
  parseAddress,
  parseAmount,
  parseHttpUrl,
  parseNetworkId,
  parsePath,
  parsePort,
  parseWhole,
} from '../../../src/cli/flags.ts'
import { keys, network } from '../client/small-chain.ts'

describe('a flag has a variable', () => {
  it.each([
    ['--data <folder>', 'TAUTLINE_DATA'],
    ['--valid-until <seconds>', 'TAUTLINE_VALID_UNTIL'],
    ['--json', 'TAUTLINE_JSON'],
  ])('%s is %s', (flags, variable) => {
    expect(flag(flags, '').envVar).toBe(variable)
  })
})

describe('values that are taken', () => {
  it.each<[string, (text: string) => unknown, string, unknown]>([
    ['an address', parseAddress, keys.alice.address, keys.alice.address],
    [
      'an amount',
      parseAmount,
      '340282366920938463463374607431768211455',
      '340282366920938463463374607431768211455',
    ],
    ['a network id', parseNetworkId, network, network],
    ['a number', parseWhole, '9007199254740991', 9_007_199_254_740_991],
    ['any free port', parsePort, '0', 0],
    ['the last port', parsePort, '65535', 65_535],
    ['a URL with a path', parseHttpUrl, 'https://example.org/node', 'https://example.org/node'],
  ])('%s', (_, parse, text, value) => {
    expect(parse(text)).toBe(value)
  })

  it('URLs of several flags, and several of one variable', () => {
    const first = collectUrls('http://a.example, http://b.example http://c.example', undefined)
    expect(collectUrls('http://d.example', first)).toEqual([
      'http://a.example',
      'http://b.example',
      'http://c.example',
      'http://d.example',
    ])
  })
})

describe('values that are refused, with what was expected', () => {
  it.each<[(text: string) => unknown, string, RegExp]>([
    [parseAddress, keys.alice.address.replace(/.$/, 'x'), /typing errors/],
    [parseAmount, '1.5', /decimal string/],
    [parseAmount, '-1', /decimal string/],
    [parseAmount, '340282366920938463463374607431768211456', /below 2\^128/],
    [parseNetworkId, 'ABC', /64 lowercase hex/],
    [parseWhole, '9007199254740992', /whole number/],
    [parseWhole, '01', /whole number/],
    [parsePath, '', /path/],
    [parsePort, '65536', /port/],
    [parsePort, 'http', /port/],
    [parseHttpUrl, 'localhost:8787', /http:\/\/127/],
    [parseHttpUrl, 'ftp://example.org', /http:\/\/127/],
    [parseHttpUrl, 'http://example.org/#x', /http:\/\/127/],
    [(text) => collectUrls(text, undefined), 'http://a.example,b.example', /http:\/\/127/],
  ])('%o %s', (parse, text, expected) => {
    expect(() => parse(text)).toThrow(InvalidArgumentError)
    expect(() => parse(text)).toThrow(expected)
  })
})
