/** `tautline blame`: who contradicted itself or forgot its lock, by messages that were collected. */
import { Command } from 'commander'
import { type Blame, blame, type Charge, type Finding } from '../../consensus/blame.ts'
import { TautlineError } from '../../errors.ts'
import { holdsHonest } from '../../objects/validators.ts'
import type { Verified } from '../../objects/verified.ts'
import type { ConsensusMessage } from '../../objects/vote.ts'
import { createNodeVerifier } from '../../runtime/node/keys.ts'
import type { Height, NetworkId } from '../../units.ts'
import { type Collected, readCollected } from '../collected.ts'
import { flag, jsonFlag, parseNetworkId } from '../flags.ts'
import { createQuietLog } from '../log.ts'
import { table } from '../table.ts'
import type { Terminal } from '../terminal.ts'

interface Flags {
  readonly network: NetworkId
  readonly json?: boolean
}

export const blameCommand = (terminal: Terminal): Command =>
  new Command('blame')
    .description('Who is to blame for a fork? Names validators by the signed messages that were collected.')
    .argument(
      '<file...>',
      "JSON lines: proposals, votes and certificates, and nodes' answers for blocks and validators",
    )
    .addOption(
      flag('--network <id>', 'the network that the messages are of, 64 hex digits')
        .argParser(parseNetworkId)
        .makeOptionMandatory(),
    )
    .addOption(jsonFlag())
    .addHelpText(
      'after',
      `
The files must tell who votes on each height that they have messages of: add what a node answers to
GET /v1/validators?height=HEIGHT. Of each side of a fork, add GET /v1/blocks/HEIGHT.
An equivocation or an amnesia is proven by the two messages that --json prints. What is unexplained is
a question: whoever is honest can show the prevotes that it relied on; add them, and look again.`,
    )
    .action(async (files: readonly string[], { network, json }: Flags) => {
      const log = createQuietLog(terminal)
      const collected = await readCollected(files, network, await createNodeVerifier(log))
      if (collected.leftOut > 0)
        log.warn(`${collected.leftOut} messages are left out: of another network, or not truly signed`)
      const heights = lookInto(collected, network)
      terminal.out(
        json ? JSON.stringify({ heights: heights.map(toJson) }) : heights.map(describe).join('\n\n'),
      )
    })

interface Looked {
  readonly height: Height
  readonly found: Blame
}

/** Every height that there are messages of, in their order. */
const lookInto = ({ messages, validators }: Collected, network: NetworkId): readonly Looked[] => {
  const byHeight = new Map<Height, Verified<ConsensusMessage>[]>()
  for (const message of messages) {
    const before = byHeight.get(message.height)
    if (before) before.push(message)
    else byHeight.set(message.height, [message])
  }
  if (byHeight.size === 0)
    throw new TautlineError('malformed-request', `no message in these files is of network ${network}`)
  const sorted = [...byHeight].sort(([one], [other]) => one - other)
  return sorted.map(([height, said]) => {
    const set = validators.get(height)
    if (set) return { height, found: blame({ network, height, validators: set }, said) }
    throw new TautlineError(
      'malformed-request',
      `who votes on block ${height} isn't told by any of the files: add the answer of GET /v1/validators?height=${height}`,
    )
  })
}

const toJson = ({ height, found }: Looked) => ({
  height,
  decided: found.decided,
  findings: found.findings.map(({ validator, stake, charge }) => ({
    validator,
    stake: stake.toString(),
    ...charge,
  })),
  provenStake: found.provenStake.toString(),
  namedStake: found.namedStake.toString(),
  totalStake: found.totalStake.toString(),
})

const describe = (looked: Looked): string =>
  [
    headline(looked),
    ...(looked.found.findings.length > 0 ? [findingTable(looked.found)] : []),
    sum(looked.found),
  ].join('\n')

const headline = ({ height, found: { decided } }: Looked): string => {
  const blocks = decided.map(({ block, round }) => `${short(block)} in round ${round}`)
  if (blocks.length === 0) return `Height ${height}: these messages decide nothing.`
  const isFork = blocks.length > 1
  return `Height ${height}: ${isFork ? `a fork: ${blocks.length} blocks` : 'one block'} decided, ${blocks.join(' and ')}.`
}

const findingTable = ({ findings }: Blame): string => {
  const width = Math.max(...findings.map(({ stake }) => stake.toString().length))
  return table(findings.map((finding) => [finding.validator, describeFinding(finding, width)] as const))
}

const describeFinding = ({ stake, charge }: Finding, width: number): string =>
  `${stake.toString().padStart(width)}  ${charge.kind}: ${describeCharge(charge)}`

const describeCharge = (charge: Charge): string => {
  const [first, second] = charge.messages
  switch (charge.kind) {
    case 'equivocation':
      return `${describeMessage(first)} and ${describeMessage(second!)}`
    case 'amnesia':
      return `${describeMessage(first)}, then ${describeMessage(second!)}`
    case 'unexplained':
      return `${describeMessage(first)}, and no two thirds are known to have prevoted ${short(charge.polka.block)} in round ${charge.polka.round}`
  }
}

/** `prevote of 5f70bf18 in round 2, on the polka of round 1` */
const describeMessage = (message: ConsensusMessage): string => {
  const value = message.block === undefined ? 'nil' : short(message.block)
  const polkaRound = message.kind === 'precommit' ? undefined : message.polkaRound
  const cited = polkaRound === undefined ? '' : `, on the polka of round ${polkaRound}`
  return `${message.kind} of ${value} in round ${message.round}${cited}`
}

const short = (hash: string): string => hash.slice(0, 8)

const sum = ({ decided, provenStake, namedStake, totalStake }: Blame): string => {
  if (namedStake === 0n) return 'Nobody is named.'
  const proven = `Proven against ${provenStake} of ${totalStake} staked units`
  if (decided.length < 2) return `${proven}.`
  if (holdsHonest(provenStake, totalStake)) return `${proven}, more than the third that a fork takes.`
  return `${proven}, less than the third that a fork takes; ${namedStake - provenStake} have yet to explain what they relied on.`
}
