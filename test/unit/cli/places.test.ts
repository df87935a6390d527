import { describe, expect, it } from 'vitest'
import { placesAt, placesHere } from '../../../src/cli/places.ts'

describe('where nodes listen', () => {
  it('on this machine, on ports that follow one another', () => {
    expect(placesHere(2, 9_000)).toEqual([
      { url: 'http://127.0.0.1:9000', host: '127.0.0.1', port: 9_000 },
      { url: 'http://127.0.0.1:9001', host: '127.0.0.1', port: 9_001 },
    ])
  })

  it.each([
    ['https: behind a proxy of its own machine', 'https://a.example', '127.0.0.1', 8_787],
    ['http: for everybody, on the port that is dialled', 'http://10.0.0.1:9000', '0.0.0.0', 9_000],
    ['http without a port', 'http://a.example', '0.0.0.0', 80],
    ['http on this machine', 'http://localhost:9000', '127.0.0.1', 9_000],
  ])('%s', (_, url, host, port) => {
    expect(placesAt([url])).toEqual([{ url, host, port }])
  })

  it('on ports that were given, whatever is dialled', () => {
    const urls = ['http://127.0.0.1:7001', 'http://127.0.0.1:7002']
    expect(placesAt(urls, 9_000).map(({ port }) => port)).toEqual([9_000, 9_001])
  })

  it.each([
    [2, 65_535],
    [1, 0],
  ])('%i ports from %i on: there are none', (count, basePort) => {
    expect(() => placesHere(count, basePort)).toThrow(/choose a --base-port/)
  })
})
