/**
 * Edge cases of Ed25519 with the verdict of the network's rule, for the self-test at boot.
 *
 * Frozen, so that a boot needs no point arithmetic (noble's table of the base point takes 32 MB);
 * `test/unit/crypto/edge-vectors.test.ts` derives them again from the curve's definition. Messages are text,
 * so that the whole way of a verification can be tested, from address and hex on.
 */
import { decodeHex, encodeUtf8 } from '../codec/bytes.ts'

export interface EdgeVector {
  /** What is special about it. */
  readonly name: string
  /** Hex, like the signature; of the wrong length in some. */
  readonly publicKey: string
  readonly message: string
  readonly signature: string
  readonly valid: boolean
}

/** A verification by the whole rule, prechecks and all. */
type Verify = (
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
) => boolean | Promise<boolean>

/**
 * Compares a verification with the rule, exceptions being rejections.
 *
 * @returns the names of the vectors on which it differs: none, or it must not be used
 */
export const selfTest = async (verify: Verify): Promise<readonly string[]> => {
  const differs = await Promise.all(
    edgeVectors.map(async (vector) => (await verdict(verify, vector)) !== vector.valid),
  )
  return edgeVectors.filter((_, at) => differs[at]).map(({ name }) => name)
}

const verdict = async (verify: Verify, { publicKey, message, signature }: EdgeVector): Promise<boolean> => {
  try {
    return await verify(decodeHex(publicKey), encodeUtf8(message), decodeHex(signature))
  } catch {
    return false
  }
}

export const edgeVectors: readonly EdgeVector[] = [
  {
    name: 'plain',
    publicKey: '19e78ec9ab6f2bf97745d2371891afc110a0ab8bf1c97f7ddade29eab1b1bd94',
    message: 'plain',
    signature:
      'e12f2c4ee424cabda3bffb0791ce0486bd8ef830e55a83fc885bafbe7152e0e31e2b9e612aeb77848a47b5fb1f526732c7f24a47d34848aa920e05837c8e8b07',
    valid: true,
  },
  {
    name: 'empty message',
    publicKey: '19e78ec9ab6f2bf97745d2371891afc110a0ab8bf1c97f7ddade29eab1b1bd94',
    message: '',
    signature:
      'e12f2c4ee424cabda3bffb0791ce0486bd8ef830e55a83fc885bafbe7152e0e3e6d9ccaa78389b16a62f44db95cb4cba43366cb41ca8832ca50c1008b8ee490f',
    valid: true,
  },
  {
    name: 'message of many blocks and of all lengths of UTF-8',
    publicKey: '19e78ec9ab6f2bf97745d2371891afc110a0ab8bf1c97f7ddade29eab1b1bd94',
    message: 'aä€😀'.repeat(40),
    signature:
      'e12f2c4ee424cabda3bffb0791ce0486bd8ef830e55a83fc885bafbe7152e0e3adfdc440e3d217939dc50de17da2ca400f28b7b8364df036249f343110350f01',
    valid: true,
  },
  {
    name: 'another message',
    publicKey: '19e78ec9ab6f2bf97745d2371891afc110a0ab8bf1c97f7ddade29eab1b1bd94',
    message: 'plain.',
    signature:
      'e12f2c4ee424cabda3bffb0791ce0486bd8ef830e55a83fc885bafbe7152e0e31e2b9e612aeb77848a47b5fb1f526732c7f24a47d34848aa920e05837c8e8b07',
    valid: false,
  },
  {
    name: 'signature of 63 bytes',
    publicKey: '19e78ec9ab6f2bf97745d2371891afc110a0ab8bf1c97f7ddade29eab1b1bd94',
    message: 'plain',
    signature:
      'e12f2c4ee424cabda3bffb0791ce0486bd8ef830e55a83fc885bafbe7152e0e31e2b9e612aeb77848a47b5fb1f526732c7f24a47d34848aa920e05837c8e8b',
    valid: false,
  },
  {
    name: 'signature of 65 bytes',
    publicKey: '19e78ec9ab6f2bf97745d2371891afc110a0ab8bf1c97f7ddade29eab1b1bd94',
    message: 'plain',
    signature:
      'e12f2c4ee424cabda3bffb0791ce0486bd8ef830e55a83fc885bafbe7152e0e31e2b9e612aeb77848a47b5fb1f526732c7f24a47d34848aa920e05837c8e8b0700',
    valid: false,
  },
  {
    name: 'no signature',
    publicKey: '19e78ec9ab6f2bf97745d2371891afc110a0ab8bf1c97f7ddade29eab1b1bd94',
    message: 'plain',
    signature: '',
    valid: false,
  },
  {
    name: 'key of 31 bytes',
    publicKey: '19e78ec9ab6f2bf97745d2371891afc110a0ab8bf1c97f7ddade29eab1b1bd',
    message: 'plain',
    signature:
      'e12f2c4ee424cabda3bffb0791ce0486bd8ef830e55a83fc885bafbe7152e0e31e2b9e612aeb77848a47b5fb1f526732c7f24a47d34848aa920e05837c8e8b07',
    valid: false,
  },
  {
    name: 'key of 33 bytes',
    publicKey: '19e78ec9ab6f2bf97745d2371891afc110a0ab8bf1c97f7ddade29eab1b1bd9400',
    message: 'plain',
    signature:
      'e12f2c4ee424cabda3bffb0791ce0486bd8ef830e55a83fc885bafbe7152e0e31e2b9e612aeb77848a47b5fb1f526732c7f24a47d34848aa920e05837c8e8b07',
    valid: false,
  },
  {
    name: 'key with torsion of order 2, even challenge',
    publicKey: 'd41871365490d40688ba2dc8e76e503eef5f54740e3680822521d6154e4e426b',
    message: 'key with torsion of order 2, even challenge 0',
    signature:
      'e12f2c4ee424cabda3bffb0791ce0486bd8ef830e55a83fc885bafbe7152e0e3dc2f1d1669cc667e846fa4fefb5c5c7da5bf8ca18055aefad2dd110729713a08',
    valid: true,
  },
  {
    name: 'key with torsion of order 2, odd challenge',
    publicKey: 'd41871365490d40688ba2dc8e76e503eef5f54740e3680822521d6154e4e426b',
    message: 'key with torsion of order 2, odd challenge 6',
    signature:
      'e12f2c4ee424cabda3bffb0791ce0486bd8ef830e55a83fc885bafbe7152e0e3a74e451ad339a5e87bccf2d0f6c43c5924c0519ec01a76bf1682d1d39e3ff002',
    valid: false,
  },
  {
    name: 'key with torsion of order 4, challenge divides',
    publicKey: '06ac787e2163a368b94919aacf05edeea633481e58c25e36c3ec721efdb5fb17',
    message: 'key with torsion of order 4, challenge divides 3',
    signature:
      'e12f2c4ee424cabda3bffb0791ce0486bd8ef830e55a83fc885bafbe7152e0e38dad3c4a93be664a701c902fac6f1e2f04346c6fa91653f9eda9cfa112644708',
    valid: true,
  },
  {
    name: 'key with torsion of order 4, challenge is 2 mod 4',
    publicKey: '06ac787e2163a368b94919aacf05edeea633481e58c25e36c3ec721efdb5fb17',
    message: 'key with torsion of order 4, challenge is 2 mod 4 3',
    signature:
      'e12f2c4ee424cabda3bffb0791ce0486bd8ef830e55a83fc885bafbe7152e0e388ba3458f0d51a643fb0ad794ded95a8096110efa89fea5f0e64720a9f86d900',
    valid: false,
  },
  {
    name: 'key with torsion of order 8, divides only once reduced',
    publicKey: '0c5b0b891914e8c9d76e3070f875d122e23a9cdf135bb55ce6d06d98ce4b71d0',
    message: 'key with torsion of order 8, divides only once reduced 4',
    signature:
      'e12f2c4ee424cabda3bffb0791ce0486bd8ef830e55a83fc885bafbe7152e0e3b82f02e1b47a293db89a8542aad95f4a6dc621abaa3ac126882095aaa429ca05',
    valid: true,
  },
  {
    name: 'key with torsion of order 8, divides only unreduced',
    publicKey: '0c5b0b891914e8c9d76e3070f875d122e23a9cdf135bb55ce6d06d98ce4b71d0',
    message: 'key with torsion of order 8, divides only unreduced 3',
    signature:
      'e12f2c4ee424cabda3bffb0791ce0486bd8ef830e55a83fc885bafbe7152e0e37b975379cae69bad605b4008d1c7d947348d00e3d7327262046370681b23c308',
    valid: false,
  },
  {
    name: 'key with torsion of order 8, challenge is 4 mod 8',
    publicKey: '0c5b0b891914e8c9d76e3070f875d122e23a9cdf135bb55ce6d06d98ce4b71d0',
    message: 'key with torsion of order 8, challenge is 4 mod 8 30',
    signature:
      'e12f2c4ee424cabda3bffb0791ce0486bd8ef830e55a83fc885bafbe7152e0e3cd269a3ac78bad36d3fdaf17774938c14bd23286eea9501a04383b7c7ff97b0b',
    valid: false,
  },
  {
    name: 'R with torsion of order 2',
    publicKey: '19e78ec9ab6f2bf97745d2371891afc110a0ab8bf1c97f7ddade29eab1b1bd94',
    message: 'R with torsion of order 2 0',
    signature:
      '0cd0d3b11bdb35425c4004f86e31fb79427107cf1aa57c0377a450418ead1f1c7386b7e5caa20ef38289a62034b5b887bffa70aa5b88d9790fd4ea146128ac02',
    valid: false,
  },
  {
    name: 'R with torsion of order 4',
    publicKey: '19e78ec9ab6f2bf97745d2371891afc110a0ab8bf1c97f7ddade29eab1b1bd94',
    message: 'R with torsion of order 4 0',
    signature:
      '4de2c2e2ce61a6e03643fd2424091c8ad4551a8eb37b0551a587c46b745665a60306144ede062c749c7f0c8bd4a6fae4658f9fcbf238ddc4ef87208b004b140f',
    valid: false,
  },
  {
    name: 'R with torsion of order 8',
    publicKey: '19e78ec9ab6f2bf97745d2371891afc110a0ab8bf1c97f7ddade29eab1b1bd94',
    message: 'R with torsion of order 8 0',
    signature:
      '03186ff2cda14e477101b7fb761387bffb8e5af0178c3a965338ff3b725b036e258ee16e61719b5b8e0f90041e40e36ec3ff608491f26792ccb497e8b8d6890a',
    valid: false,
  },
  {
    name: 'key and R with torsion that cancels',
    publicKey: '0c5b0b891914e8c9d76e3070f875d122e23a9cdf135bb55ce6d06d98ce4b71d0',
    message: 'key and R with torsion that cancels 10',
    signature:
      'ba6f853a3c0fed90e60e94aa999845403ec86b8637faf4a46a0a09835cb33e3b489ab58a14a1a7604faf9d84d0345d69f6e5f16cf8ef004cf63de67bf8b31c01',
    valid: true,
  },
  {
    name: 'key and R with torsion that does not cancel',
    publicKey: '0c5b0b891914e8c9d76e3070f875d122e23a9cdf135bb55ce6d06d98ce4b71d0',
    message: 'key and R with torsion that does not cancel 3',
    signature:
      'ba6f853a3c0fed90e60e94aa999845403ec86b8637faf4a46a0a09835cb33e3b375035fd1409c7d6c7efbdab8262eb7982b7150bb65f8c0309bcc3ee20d96303',
    valid: false,
  },
  {
    name: 'key is the identity',
    publicKey: '0100000000000000000000000000000000000000000000000000000000000000',
    message: 'key is the identity',
    signature:
      'e12f2c4ee424cabda3bffb0791ce0486bd8ef830e55a83fc885bafbe7152e0e3ab5825b991b7b113c483046e5783ddf908c77a88fe74db8d25682711f559a803',
    valid: false,
  },
  {
    name: 'key is of order 8, challenge divides',
    publicKey: 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
    message: 'key is of order 8 17',
    signature:
      'e12f2c4ee424cabda3bffb0791ce0486bd8ef830e55a83fc885bafbe7152e0e3ab5825b991b7b113c483046e5783ddf908c77a88fe74db8d25682711f559a803',
    valid: false,
  },
  {
    name: 'R is the identity',
    publicKey: '19e78ec9ab6f2bf97745d2371891afc110a0ab8bf1c97f7ddade29eab1b1bd94',
    message: 'R is the identity',
    signature:
      '0100000000000000000000000000000000000000000000000000000000000000858fa676d1a2adf4c4ea10bd142ed80c3027c8cbfe54984f58de890bb06a6e04',
    valid: false,
  },
  {
    name: 'key is the identity with y = p + 1',
    publicKey: 'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    message: 'key is the identity with y = p + 1',
    signature:
      'e12f2c4ee424cabda3bffb0791ce0486bd8ef830e55a83fc885bafbe7152e0e3ab5825b991b7b113c483046e5783ddf908c77a88fe74db8d25682711f559a803',
    valid: false,
  },
  {
    name: 'R is the identity with y = p + 1',
    publicKey: '19e78ec9ab6f2bf97745d2371891afc110a0ab8bf1c97f7ddade29eab1b1bd94',
    message: 'R is the identity with y = p + 1',
    signature:
      'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f1af9fc19cc04423409f31bad25f0b8d19ae47d303095b91498a5ee84a0607000',
    valid: false,
  },
  {
    name: 'key is the identity with the sign bit set',
    publicKey: '0100000000000000000000000000000000000000000000000000000000000080',
    message: 'key is the identity with the sign bit set',
    signature:
      'e12f2c4ee424cabda3bffb0791ce0486bd8ef830e55a83fc885bafbe7152e0e3ab5825b991b7b113c483046e5783ddf908c77a88fe74db8d25682711f559a803',
    valid: false,
  },
  {
    name: 'key with y = p + 3 or above',
    publicKey: 'f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    message: 'key with y = p + 3 or above',
    signature:
      'e12f2c4ee424cabda3bffb0791ce0486bd8ef830e55a83fc885bafbe7152e0e3584cffcdda2692c325d1c18aacc119c6d536dd7e46de747932fc9f6d80b8b400',
    valid: false,
  },
  {
    name: 'key not on the curve',
    publicKey: '0200000000000000000000000000000000000000000000000000000000000000',
    message: 'key not on the curve',
    signature:
      'e12f2c4ee424cabda3bffb0791ce0486bd8ef830e55a83fc885bafbe7152e0e3f664d85d9af77c26501f18ec08b5a598976bf4e1233c60d6741f0cd71e5e8408',
    valid: false,
  },
  {
    name: 'R not on the curve',
    publicKey: '19e78ec9ab6f2bf97745d2371891afc110a0ab8bf1c97f7ddade29eab1b1bd94',
    message: 'R not on the curve',
    signature:
      '0200000000000000000000000000000000000000000000000000000000000000bb1646d1ab7a3d3015e22ea25570964723b6288e8c3cea1765cd926e8163790b',
    valid: false,
  },
  {
    name: 'S + L',
    publicKey: '19e78ec9ab6f2bf97745d2371891afc110a0ab8bf1c97f7ddade29eab1b1bd94',
    message: 'S + L',
    signature:
      'e12f2c4ee424cabda3bffb0791ce0486bd8ef830e55a83fc885bafbe7152e0e3da3cbee6865e9df5453d791e71131b846acca63dd6d7e5b052319b417495d81e',
    valid: false,
  },
  {
    name: 'S + 1',
    publicKey: '19e78ec9ab6f2bf97745d2371891afc110a0ab8bf1c97f7ddade29eab1b1bd94',
    message: 'S + 1',
    signature:
      'e12f2c4ee424cabda3bffb0791ce0486bd8ef830e55a83fc885bafbe7152e0e3346f1775ed5e4a339550d907e27e7ad86c65ba6944f8df5964ee79f8defb470d',
    valid: false,
  },
  {
    name: 'S is L − S',
    publicKey: '19e78ec9ab6f2bf97745d2371891afc110a0ab8bf1c97f7ddade29eab1b1bd94',
    message: 'S is L − S',
    signature:
      'e12f2c4ee424cabda3bffb0791ce0486bd8ef830e55a83fc885bafbe7152e0e3a04f03c2990c4bd44ea48d359312cabb775bfa885b28af70f3f43c60e5f75702',
    valid: false,
  },
  {
    name: 'R of the other sign',
    publicKey: '19e78ec9ab6f2bf97745d2371891afc110a0ab8bf1c97f7ddade29eab1b1bd94',
    message: 'R of the other sign',
    signature:
      'e12f2c4ee424cabda3bffb0791ce0486bd8ef830e55a83fc885bafbe7152e06385da5d08d222939640a63f0a19509a6a7b35b2b0e0fccf14cb53fd19cafd8706',
    valid: false,
  },
]
