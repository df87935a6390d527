/**
 * `tautline`, modified to lie: for each vote for a block it signs one for nil too, and says both to everybody.
 * Both leave as soon as the sign record knows of the one that this node's own machine wanted to say.
 */
import { Network } from '../../dist/src/node/network.js'
import { Node } from '../../dist/src/node/node.js'
import { messageSigningText } from '../../dist/src/objects/vote.js'

let signer
const start = Node.start
Node.start = (parts) => {
  signer = parts.signer
  return start.call(Node, parts)
}

const say = Network.prototype.said
Network.prototype.said = function (message) {
  say.call(this, message)
  if (message.kind === 'proposal' || message.block === undefined) return
  const { block: _, polkaRound: __, signature: ___, ...nil } = message
  void Promise.resolve(signer.sign(messageSigningText(nil))).then((signature) =>
    say.call(this, { ...nil, signature }),
  )
}

await import('../../dist/src/cli/main.js')
