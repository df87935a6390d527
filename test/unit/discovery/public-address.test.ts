import { describe, expect, it } from 'vitest'
import { networkGroupOf } from '../../../src/discovery/network-group.ts'
import { isPublicAddress, parseAddress, refuseSuppliedUrl } from '../../../src/discovery/public-address.ts'

describe('a URL that a peer supplies', () => {
  it.each([
    'http://127.0.0.1:8787',
    'http://0177.0.0.1',
    'http://2130706433',
    'http://127.1',
    'http://①②⑦.0.0.1',
    'http://0x7f000001',
    'http://0.0.0.0',
    'http://10.1.2.3',
    'http://172.16.0.1',
    'http://172.31.255.255',
    'http://192.168.1.1',
    'http://169.254.169.254/latest/meta-data',
    'http://100.64.0.1',
    'http://198.19.0.1',
    'http://224.0.0.1',
    'http://255.255.255.255',
    'http://[::]',
    'http://[::1]:8787',
    'http://[::ffff:127.0.0.1]',
    'http://[::ffff:8.8.8.8]',
    'http://[64:ff9b::7f00:1]',
    'http://[2002:7f00:1::]',
    'http://[2001:0:7f00:1::]',
    'http://[fe80::1]',
    'http://[fc00::1]',
    'http://[fd12:3456::1]',
    'http://[ff02::1]',
    'http://[2001:db8::1]',
    'http://localhost',
    'http://node.localhost',
    'http://printer.local',
    'http://metadata.google.internal',
    'http://router.lan.',
    'http://intranet',
  ])('%s is not dialled', (url) => {
    expect(refuseSuppliedUrl(url)).toMatch(/is not on the public internet/)
  })

  it.each([
    'https://node.example',
    'http://8.8.8.8:8787',
    'http://172.32.0.1',
    'http://100.128.0.1',
    'http://[2606:4700::1111]',
    'https://local.example',
  ])('%s is, as far as its text can tell', (url) => {
    expect(refuseSuppliedUrl(url)).toBeUndefined()
  })
})

it('addresses are read as they are written anywhere', () => {
  expect(parseAddress('[::ffff:1.2.3.4]')).toEqual([0, 0, 0, 0, 0, 0xffff, 0x0102, 0x0304])
  expect(parseAddress('1:2:3:4:5:6:7:8')).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
  expect(parseAddress('fe80::1%eth0')).toEqual([0xfe80, 0, 0, 0, 0, 0, 0, 1])
  for (const broken of ['1:2:3', '::1::', '1::2::3', '12345::', '256.1.1.1', 'x::1']) {
    expect(parseAddress(broken)).toBeUndefined()
    expect(isPublicAddress(broken)).toBe(false)
  }
})

it('a network group is a part of the internet that one party easily has whole', () => {
  expect(networkGroupOf('http://8.8.1.1:80')).toBe(networkGroupOf('http://8.8.200.7:9000'))
  expect(networkGroupOf('http://8.8.1.1')).not.toBe(networkGroupOf('http://8.9.1.1'))
  expect(networkGroupOf('http://[2606:4700:1::1]')).toBe(networkGroupOf('http://[2606:4700:2::1]'))
  expect(networkGroupOf('https://a.b.node.example')).toBe('node.example')
  expect(networkGroupOf('https://x.co.uk')).toBe('x.co.uk')
  expect(networkGroupOf('https://y.x.co.uk')).toBe('x.co.uk')
  expect(networkGroupOf('http://127.0.0.1:1')).not.toBe(networkGroupOf('http://127.0.0.1:2'))
})
