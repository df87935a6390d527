/**
 * Ways to break the real code on purpose, each of them a mistake that somebody could make.
 *
 * Simulations must find every one of them (`mutants.ts`). Each text occurs once in its file, which a test checks.
 */
import type { Change } from './bundle.ts'

export interface Mutation extends Change {
  readonly name: string
}

const consensus = 'src/consensus/consensus.ts'
const tally = 'src/consensus/vote-tally.ts'
const validators = 'src/objects/validators.ts'
const timely = 'src/consensus/timely.ts'
const decider = 'src/node/decider.ts'
const certificate = 'src/node/check-certificate.ts'
const store = 'src/storage/unstorage-store.ts'
const chain = 'src/node/chain.ts'
const execution = 'src/ledger/execute-block.ts'
const sink = 'src/node/block-sink.ts'
const network = 'src/node/network.ts'
const door = 'src/node/door.ts'
const working = 'src/ledger/working-state.ts'
const slashing = 'src/ledger/slashing.ts'

export const mutations: readonly Mutation[] = [
  {
    name: 'no lock',
    file: consensus,
    find: 'const isFree = this.#locked === undefined || this.#locked.block === block',
    replace: 'const isFree = true',
  },
  {
    name: 'lock ignored by re-proposals',
    file: consensus,
    find: 'return this.#locked === undefined || this.#locked.round <= polkaRound || this.#locked.block === block',
    replace: 'return polkaRound >= 0 || block !== undefined',
  },
  {
    name: 're-proposal without its polka',
    file: consensus,
    find: 'polkaRound === undefined || !this.#log.round(polkaRound).prevotes.hasQuorumFor(block)',
    replace: 'polkaRound === undefined',
  },
  {
    name: 'lock not persisted',
    file: consensus,
    find: '...(this.#locked && { locked: this.#locked }),\n      ...(this.#valid && { valid: { ...this',
    replace: '...(this.#valid && { valid: { ...this',
  },
  {
    name: 'lock not restored',
    file: consensus,
    find: 'this.#locked = state.locked\n',
    replace: '\n',
  },
  {
    name: 'valid value not persisted',
    file: consensus,
    find: '...(this.#valid && { valid: { ...this.#valid, polka: [...this.#polka()] } }),',
    replace: '',
  },
  {
    name: 'own messages not persisted',
    file: consensus,
    find: 'said: [...this.#said],',
    replace: 'said: [],',
  },
  {
    name: 'own messages not restored',
    file: consensus,
    find: 'this.#said = state.said\n',
    replace: '\n',
  },
  {
    name: 'step not restored',
    file: consensus,
    find: 'this.#step = state.step\n',
    replace: '\n',
  },
  {
    name: 'round not restored',
    file: consensus,
    find: 'this.#round = state.round\n',
    replace: '\n',
  },
  {
    name: 'polka as good as a decision',
    file: consensus,
    find: 'for (const [round, { precommits }] of this.#log.rounds()) {\n      const block = precommits.quorumBlock()',
    replace:
      'for (const [round, { precommits, prevotes }] of this.#log.rounds()) {\n      const block = prevotes.quorumBlock()',
  },
  {
    name: 'precommit without a polka',
    file: consensus,
    find: 'const block = this.#here().prevotes.quorumBlock()\n',
    replace: 'const block = this.#here().proposals[0]?.message.block\n',
  },
  {
    name: 'no skip of rounds',
    file: consensus,
    find: 'this.#decideOnPrecommits() || this.#skipRounds()',
    replace: 'this.#decideOnPrecommits()',
  },
  {
    name: 'late polka not learned',
    file: consensus,
    find: 'return this.#learnPolka()',
    replace: 'return false',
  },
  {
    name: 'no timeout of precommits',
    file: consensus,
    find: '      this.#awaitPrevotes() ||\n      this.#awaitPrecommits()',
    replace: '      this.#awaitPrevotes()',
  },
  {
    name: 'no timeout of the proposal',
    file: consensus,
    find: '      this.#awaitProposal() ||\n',
    replace: '',
  },
  {
    name: 'skipped check of a block',
    file: consensus,
    find: 'fresh.valid && fresh.timely && isFree',
    replace: 'fresh.timely && isFree',
  },
  {
    name: 'skipped time check',
    file: consensus,
    find: 'fresh.valid && fresh.timely && isFree',
    replace: 'fresh.valid && isFree',
  },
  {
    name: 'widened future bound',
    file: timely,
    find: 'time <= heardAt + parameters.clockPrecisionMs &&',
    replace: 'time <= heardAt + 100_000_000 * parameters.clockPrecisionMs &&',
  },
  {
    name: 'no past bound',
    file: timely,
    find: 'time >= heardAt - parameters.clockPrecisionMs - messageDelayMs(round, parameters)',
    replace: 'messageDelayMs(round, parameters) >= 0',
  },
  {
    name: 'quorum off by one',
    file: validators,
    find: 'stake * 3n > total * 2n',
    replace: 'stake * 3n >= total * 2n',
  },
  {
    name: 'simple majority',
    file: validators,
    find: 'stake * 3n > total * 2n',
    replace: 'stake * 2n > total',
  },
  {
    name: 'votes counted again and again',
    file: tally,
    find: 'if (votes.some(({ block }) => block === vote.block)) return\n',
    replace: '',
  },
  {
    name: 'no sign record',
    file: decider,
    find: 'await writeSignRecord(this.#parts.records, this.#recordOf(state))\n',
    replace: 'if (state.round < 0) await writeSignRecord(this.#parts.records, this.#recordOf(state))\n',
  },
  {
    name: 'sign record written too late',
    file: decider,
    find: '    await writeSignRecord(this.#parts.records, this.#recordOf(state))\n    this.#unrecorded = undefined\n    this.#sayAll()\n',
    replace:
      '    this.#sayAll()\n    await writeSignRecord(this.#parts.records, this.#recordOf(state))\n    this.#unrecorded = undefined\n',
  },
  {
    name: 'block not persisted',
    file: decider,
    find: 'return { signed, blocks }',
    replace: 'return { signed, blocks: blocks.slice(blocks.length) }',
  },
  {
    name: 'sign record not restored',
    file: decider,
    find: '...(maySign && signed?.height === height && { restored: signed }),',
    replace: '',
  },
  {
    name: 'roots of a block not compared',
    file: sink,
    find: 'if (candidate.block.hash === hash) return candidate',
    replace: "if (hash !== '') return { ...candidate, block: { ...candidate.block, hash } }",
  },
  {
    name: 'blocks of any time and proposer',
    file: sink,
    find: 'if (broken) throw blockMismatch(header, broken)',
    replace: '',
  },
  {
    name: 'unchecked signatures of votes',
    file: network,
    find: 'if (!(await this.#parts.verifier.verify(validator, messageSigningText(message), signature))) return false\n',
    replace: '',
  },
  {
    name: 'unchecked signatures of transactions',
    file: door,
    find: 'if (await verifier.verify(key, signedTextOf(decoded), signature)) return undefined',
    replace: 'if (signedTextOf(decoded) && signature && verifier && key) return undefined',
  },
  {
    name: 'signed and not durable, and repeated all the same',
    file: decider,
    find: '.filter((message) => !this.#unsaid.includes(message))',
    replace: '',
  },
  {
    name: 'wrong validator set',
    file: chain,
    find: 'validators: changesSet ? validatorSet(execution.validators) : validators,',
    replace: 'validators,',
  },
  {
    name: 'head published before it is durable',
    file: chain,
    find: '    const results = await Promise.allSettled([',
    replace: '    onPublished?.()\n    const results = await Promise.allSettled([',
  },
  {
    name: 'certificate without a quorum',
    file: certificate,
    find: 'if (!isQuorum(stake, expected.validators.total)) {',
    replace: 'if (stake < 0n && isQuorum(stake, expected.validators.total)) {',
  },
  {
    name: 'unchecked signatures of a certificate',
    file: certificate,
    find: 'const forged = verdicts.indexOf(false)',
    replace: 'const forged = verdicts.indexOf(false, verdicts.length)',
  },
  {
    name: 'precommits of a certificate counted twice',
    file: certificate,
    find: 'precommits[at - 1]!.validator < validator,',
    replace: 'precommits[at - 1]!.validator <= validator,',
  },
  {
    name: 'certificate of another block',
    file: certificate,
    find: 'if (height !== expected.height || block !== expected.block)',
    replace: 'if (height !== expected.height)',
  },
  {
    name: 'objects not synced before the head',
    file: store,
    find: '      await this.#driver.sync?.()\n      await this.#storage.setItemRaw(headKey, slot)',
    replace: '      await this.#storage.setItemRaw(headKey, slot)',
  },
  {
    name: 'head always in one slot',
    file: store,
    find: 'const headKey = headKeys[slotIndex(counter)]',
    replace: 'const headKey = headKeys[slotIndex(2 * counter)]',
  },
  {
    name: 'fees paid to nobody',
    file: execution,
    find: 'balance: proposer.balance + fees',
    replace: 'balance: proposer.balance + fees - fees',
  },
  {
    name: 'unbonded stake released twice',
    file: execution,
    find: 'balance: account.balance + oldest.amount, unbonding: later',
    replace: 'balance: account.balance + oldest.amount + oldest.amount, unbonding: later',
  },
  {
    name: 'stake unbonded at once, and later again',
    file: working,
    find: 'this.setAccount(address, { ...account, unbonding: [',
    replace: 'this.setAccount(address, { ...account, balance: account.balance + amount, unbonding: [',
  },
  {
    name: 'slashed stake is not burned',
    file: slashing,
    find: 'state.burn(holdingsOf(account) - holdingsOf({ ...account, stake, unbonding }))',
    replace: '',
  },
  {
    name: 'slashed again and again',
    file: slashing,
    find: '!expelled && (stake > 0n',
    replace: '(stake > 0n',
  },
]
