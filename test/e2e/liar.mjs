/** `tautline`, modified to lie about its blocks: whoever catches up from it is given what LIE says. */
import { Node } from '../../dist/src/node/node.js'
import { certificateSigningText } from '../../dist/src/objects/vote.js'

/** Of the block that the lie is about. */
const at = 2

let signer
const start = Node.start
Node.start = (parts) => {
  signer = parts.signer
  return start.call(Node, parts)
}

const withCertificate = async (segment, forge) => {
  const certificates = [...segment.certificates]
  certificates[at] = { ...certificates[at], ...(await forge(certificates[at])) }
  return { ...segment, certificates, certificate: certificates.at(-1) }
}

const withBlock = (segment, change) => ({
  ...segment,
  blocks: segment.blocks.map((block, index) => (index === at ? change(block) : block)),
})

const withAmount = ({ header, evidence, transactions: [first, ...others] }) => {
  const operations = first.operations.map((operation) => ({ ...operation, amount: '1000000' }))
  return { header, evidence, transactions: [{ ...first, operations }, ...others] }
}

const lies = {
  'another network': (segment, network) =>
    JSON.parse(JSON.stringify(segment).replaceAll(network, 'ab'.repeat(32))),
  'an amount': (segment) => withBlock(segment, withAmount),
  'another block': (segment) =>
    withBlock(segment, (block) => ({ ...block, header: { ...block.header, time: block.header.time + 1 } })),
  'votes of a stranger': (segment, network) =>
    withCertificate(segment, async (certificate) => {
      const signature = await signer.sign(certificateSigningText(network, certificate))
      return { precommits: [{ validator: signer.address, signature }] }
    }),
  'too few votes': (segment) =>
    withCertificate(segment, ({ precommits }) => ({ precommits: precommits.slice(0, 1) })),
  'votes of another round': (segment) => withCertificate(segment, ({ round }) => ({ round: round + 1 })),
}

const tell = lies[process.env.LIE]
const segment = Node.prototype.segment
Node.prototype.segment = async function (from, ...rest) {
  const honest = await segment.call(this, from, ...rest)
  if (from !== 1) return honest
  const told = await tell(JSON.parse(honest.text), this.network)
  return { ...honest, text: JSON.stringify(told) }
}

await import('../../dist/src/cli/main.js')
