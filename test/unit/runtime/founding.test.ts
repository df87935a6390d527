import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { networkOf } from '../../../src/ledger/genesis.ts'
import { readFolderConfig } from '../../../src/runtime/node/folder-config.ts'
import { foundForMembers, foundInFolders } from '../../../src/runtime/node/founding.ts'
import { readGenesisFile, readMembersBeside } from '../../../src/runtime/node/genesis-file.ts'
import { createNodeSigner } from '../../../src/runtime/node/keys.ts'
import { readSecretKey } from '../../../src/runtime/secret-key.ts'
import { genesisTime } from '../../faults/whole-node.ts'

let out: string
beforeEach(async () => {
  out = join(await mkdtemp(join(tmpdir(), 'tautline-founding-')), 'network')
})
afterEach(() => rm(join(out, '..'), { recursive: true, force: true }))

const places = ['http://127.0.0.1:8101', 'http://127.0.0.1:8102', 'http://127.0.0.1:8103'].map((url, at) => ({
  url,
  host: '127.0.0.1',
  port: 8_101 + at,
}))
const members = [7, 8].map((byte) => ({
  address: createNodeSigner(new Uint8Array(32).fill(byte)).address,
  url: `https://node${byte}.example`,
}))
const friends = () => ({ out, name: 'friends', time: genesisTime })

describe('a network in folders', () => {
  it('has one genesis, a key of its own for each, and where the others are', async () => {
    const { genesis, nodes } = await foundInFolders({ ...friends(), places })
    expect(nodes.map(({ folder, url }) => [folder, url])).toEqual(
      places.map(({ url }, at) => [join(out, `node${at + 1}`), url]),
    )
    expect(new Set(genesis.validators.map(({ address }) => address))).toEqual(
      new Set(nodes.map(({ address }) => address)),
    )
    for (const [at, { folder, address }] of nodes.entries()) {
      expect(networkOf(await readGenesisFile(join(folder, 'genesis.json')))).toBe(networkOf(genesis))
      const key = readSecretKey(await readFile(join(folder, 'node.key'), 'utf8'), folder)
      expect(createNodeSigner(key).address).toBe(address)
      expect((await stat(join(folder, 'node.key'))).mode & 0o777).toBe(0o600)
      expect(await readdir(join(folder, 'signer'))).not.toEqual([])
      const { url, ...place } = places[at]!
      const peers = places.filter((other) => other.url !== url).map((other) => other.url)
      expect(await readFolderConfig(folder)).toEqual({ ...place, urls: [url], peers })
    }
  })

  it('is refused where something lies already, and leaves that alone', async () => {
    await foundInFolders({ ...friends(), places })
    const before = await readFile(join(out, 'node1', 'node.key'), 'utf8')
    await expect(foundInFolders({ ...friends(), places })).rejects.toThrow(
      /is not empty \(node1, node2, node3/,
    )
    expect(await readFile(join(out, 'node1', 'node.key'), 'utf8')).toBe(before)
  })

  it('with more validators than vote leaves nothing behind', async () => {
    const many = Array.from({ length: 65 }, () => places[0]!)
    await expect(foundInFolders({ ...friends(), places: many })).rejects.toThrow(/not 65/)
    expect(await readdir(out)).toEqual([])
  })
})

describe('a network of members who keep their keys', () => {
  it('is two files without a secret: the genesis, and who is where', async () => {
    const genesis = await foundForMembers({ ...friends(), members })
    expect((await readdir(out)).sort()).toEqual(['genesis.json', 'members.json'])
    expect(await readGenesisFile(join(out, 'genesis.json'))).toEqual(genesis)
    expect(await readMembersBeside(join(out, 'genesis.json'))).toEqual(members)
    await expect(foundForMembers({ ...friends(), members })).rejects.toThrow(/is not empty/)
  })

  it('the files say what is wrong with them', async () => {
    await foundForMembers({ ...friends(), members })
    const path = join(out, 'genesis.json')
    await writeFile(path, '{"name":"x"}')
    await expect(readGenesisFile(path)).rejects.toThrow(/genesis\.json is not as .* writes it \(time: /)
    await writeFile(join(out, 'members.json'), '[{]')
    await expect(readMembersBeside(path)).rejects.toThrow(/members\.json .*JSON/)
    await rm(join(out, 'members.json'))
    expect(await readMembersBeside(path)).toEqual([])
  })
})

describe('config.json', () => {
  it.each([
    ['{', /config\.json can't be used \(it is not JSON\)/],
    ['{"prot":1}', /prot/],
    ['{"port":70000}', /port: /],
    ['{"peers":["node.example"]}', /peers\.0: expected a URL/],
  ])('%s is refused, with what is wrong', async (text, why) => {
    const { nodes } = await foundInFolders({ ...friends(), places })
    await writeFile(join(nodes[0]!.folder, 'config.json'), text)
    await expect(readFolderConfig(nodes[0]!.folder)).rejects.toThrow(why)
  })

  it('is nothing where there is none', async () => {
    expect(await readFolderConfig(join(out, 'nowhere'))).toEqual({})
  })
})
