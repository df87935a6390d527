import { describe, expect, it } from 'vitest'
import { maxProofLength, verifyProof } from '../../../src/client/verify-proof.ts'
import { makeLeaf, pageText } from '../../../src/ledger/state/page.ts'
import { hashHeader } from '../../../src/objects/block.ts'
import { networkIdOf } from '../../../src/objects/genesis.ts'
import { hashValidators } from '../../../src/objects/validators.ts'
import type { Certificate } from '../../../src/objects/vote.ts'
import type { NetworkId } from '../../../src/units.ts'
import { answerWith } from './block-of-one.ts'
import {
  type Answer,
  accountAnswer,
  anchor,
  atFirst,
  beyondHop,
  certify,
  changeAt,
  type Finality,
  firstSet,
  header,
  keys,
  laterHeader,
  network,
  quorum,
  textOf,
  transactionAnswer,
  transactions,
} from './small-chain.ts'

const check = (answer: Answer, of: NetworkId = network) => verifyProof(textOf(answer), { network: of })
const checkFinality = (finality: Finality) => check(accountAnswer(finality))

const refusal = async (verdict: ReturnType<typeof verifyProof>): Promise<string> => {
  const given = await verdict
  return given.ok ? `accepted: ${given.proves}` : given.reason
}

describe('proofs that hold', () => {
  it('a committed transaction', async () => {
    const verdict = await check(transactionAnswer(atFirst, 0))
    expect(verdict).toMatchObject({ ok: true, kind: 'transaction', height: 4 })
    expect(verdict).toHaveProperty(
      'proves',
      expect.stringContaining(`transaction ${transactions[0]!.id} of ${keys.alice.address}`),
    )
  })

  it('a transaction that failed is proven to have failed', async () => {
    expect(await check(transactionAnswer(atFirst, 1))).toHaveProperty(
      'proves',
      expect.stringContaining('failed'),
    )
  })

  it('an account, with stake on its way back', async () => {
    expect(await check(accountAnswer())).toHaveProperty(
      'proves',
      expect.stringContaining('balance 750, nonce 2, stake 10 and 5 unbonding'),
    )
  })

  it('an account never seen', async () => {
    const verdict = await check(accountAnswer(atFirst, keys.dave.address))
    expect(verdict).toHaveProperty('proves', expect.stringContaining('balance 0, nonce 0, stake 0'))
  })

  it('an account of the genesis, without any block', async () => {
    expect(await checkFinality({ hops: [] })).toMatchObject({
      ok: true,
      height: 0,
      proves: expect.stringContaining('at the genesis'),
    })
  })

  it('behind a change of the validators', async () => {
    expect(await check(transactionAnswer(beyondHop))).toMatchObject({ ok: true, height: 9 })
  })

  it('a header that changes the validators itself is no hop of its own', async () => {
    const { header, certificate } = changeAt(7)
    expect(await checkFinality({ hops: [], header, certificate })).toMatchObject({ ok: true })
  })

  it('there and back again: the first set votes once more', async () => {
    const back = laterHeader(8, { nextValidatorsHash: hashValidators(firstSet) })
    const hops = [
      changeAt(7),
      { header: back, certificate: certify(back, [keys.carol]), validators: [...firstSet] },
    ]
    const last = header(9)
    expect(await checkFinality({ hops, header: last, certificate: certify(last, quorum) })).toMatchObject({
      ok: true,
    })
  })

  it('one newline at the end', async () => {
    expect(await verifyProof(`${textOf(accountAnswer())}\n`, { network })).toMatchObject({ ok: true })
  })
})

describe('with a header that was verified elsewhere', () => {
  const of = hashHeader(beyondHop.header!)

  it('the proof is of it, and nothing has to lead there', async () => {
    const bare = { ...beyondHop, hops: [] }
    for (const answer of [accountAnswer(bare), transactionAnswer(bare)]) {
      expect(await verifyProof(textOf(answer), { network })).toMatchObject({ ok: false })
      expect(await verifyProof(textOf(answer), { network, block: of })).toMatchObject({ ok: true, height: 9 })
    }
  })

  it('of another header it is refused, however well that is signed', async () => {
    for (const answer of [accountAnswer(), transactionAnswer(), accountAnswer({ hops: [] })])
      expect(await refusal(verifyProof(textOf(answer), { network, block: of }))).toMatch(
        /the proof is of block .*, and block .* is verified/,
      )
  })

  it('of the genesis, by the network id', async () => {
    const text = textOf(accountAnswer({ hops: [] }))
    expect(await verifyProof(text, { network, block: network })).toMatchObject({ ok: true, height: 0 })
  })

  it('a false account is refused all the same', async () => {
    const answer = { ...accountAnswer(beyondHop), balance: '751' }
    expect(await refusal(verifyProof(textOf(answer), { network, block: of }))).toMatch(/not as stated/)
  })
})

describe('any character changed', () => {
  const account = textOf(accountAnswer())
  // The neighbour of a character mostly stays within its class, so that the form survives and the content must speak.
  const neighbour = (character: string): string => String.fromCharCode(character.charCodeAt(0) ^ 1)

  it('every single one of an account', async () => {
    expect(await acceptedWhen(account, neighbour)).toEqual([])
  })

  // A refusal takes up to five signatures, so not every one is tried; a stride of seven meets every member.
  it.each([
    ['a transaction', textOf(transactionAnswer())],
    ['a transaction behind a hop', textOf(transactionAnswer(beyondHop))],
    ['an account never seen', textOf(accountAnswer(atFirst, keys.dave.address))],
    ['an account of the genesis', textOf(accountAnswer({ hops: [] }))],
  ])('every seventh of %s', async (_, text) => {
    expect(await acceptedWhen(text, neighbour, 7)).toEqual([])
  })

  it.each([
    ['left out', () => ''],
    ['doubled', (character: string) => character.repeat(2)],
    ['a zero', () => '0'],
  ])('every third of an account: %s', async (_, change) => {
    expect(await acceptedWhen(account, change, 3)).toEqual([])
  })

  /** Where in the text a change of the character goes unnoticed. */
  const acceptedWhen = async (
    text: string,
    change: (character: string) => string,
    stride = 1,
  ): Promise<number[]> => {
    const accepted: number[] = []
    for (let at = 0; at < text.length; at += stride) {
      const changed = text.slice(0, at) + change(text.charAt(at)) + text.slice(at + 1)
      if (changed !== text && (await verifyProof(changed, { network })).ok) accepted.push(at)
    }
    return accepted
  }
})

describe('spelling', () => {
  const text = textOf(accountAnswer())
  it.each([
    ['two newlines at the end', `${text}\n\n`],
    ['a newline of Windows', `${text}\r\n`],
    ['a space before', ` ${text}`],
    ['a byte order mark', `\ufeff${text}`],
    ['a number with a fraction', text.replace('"height":4', '"height":4.0')],
    ['an escape that is not needed', text.replace('"test"', '"t\\u0065st"')],
    ['a member twice', text.replace('{"address"', '{"address":"x","address"')],
    ['no JSON', 'hello'],
    ['nothing', ''],
    ['a list', '[]'],
    ['too deep', '['.repeat(10_000)],
  ])('%s is refused', async (_, changed) => {
    expect(await verifyProof(changed, { network })).toMatchObject({ ok: false })
  })
})

it('a text that is longer than any proof is not even read', async () => {
  expect(await refusal(verifyProof('['.repeat(maxProofLength + 1), { network }))).toMatch(/longer than any/)
})

describe('an answer that says more, or other than its proof', () => {
  const other = transactionAnswer(atFirst, 0)
  it.each<[string, Answer, RegExp]>([
    [
      'a reason',
      { ...transactionAnswer(), reason: { code: 'x', detail: 'y', operation: 0 } },
      /`reason` is not proven/,
    ],
    ['no proof', { ...transactionAnswer(), proof: undefined } as unknown as Answer, /`proof` is missing/],
    ['an unknown member', { ...accountAnswer(), owner: 'me' }, /owner/],
    ['an unknown member of the proof', withProof(accountAnswer(), { note: 'x' }), /note/],
    [
      'an account proof for a transaction',
      { ...transactionAnswer(), proof: accountAnswer().proof },
      /form of a proof/,
    ],
    ['the id of another', { ...transactionAnswer(), id: other.id }, /id says/],
    ['another status', { ...transactionAnswer(), status: 'committed' }, /status says committed/],
    ['another index', { ...transactionAnswer(), index: 2 }, /index says 2/],
    ['another height', { ...transactionAnswer(), height: 5 }, /height says 5/],
    ['another transaction', { ...transactionAnswer(), transaction: other.transaction }, /not the one/],
    ['another balance', { ...accountAnswer(), balance: '751' }, /not as stated/],
    ['another nonce', { ...accountAnswer(), nonce: 3 }, /not as stated/],
    ['another stake', { ...accountAnswer(), stake: '11' }, /not as stated/],
    ['other unbonding stake', { ...accountAnswer(), unbonding: [] }, /not as stated/],
    ['another height of an account', { ...accountAnswer(), height: 5 }, /height says 5/],
    ['another address', { ...accountAnswer(), address: keys.bob.address }, /address says/],
    [
      'something for an account never seen',
      { ...accountAnswer(atFirst, keys.dave.address), balance: '1' },
      /not as stated/,
    ],
  ])('%s', async (_, answer, reason) => {
    expect(await refusal(check(answer))).toMatch(reason)
  })
})

function withProof(answer: Answer, members: object): Answer {
  return { ...answer, proof: { ...answer.proof, ...members } }
}

describe('a transaction that is not in the block', () => {
  it('with another outcome', async () => {
    const answer = withProof({ ...transactionAnswer(), status: 'committed' }, { status: 'committed' })
    expect(await refusal(check(answer))).toMatch(/path does not lead/)
  })

  it('at another place', async () => {
    const answer = withProof({ ...transactionAnswer(), index: 0 }, { index: 0 })
    expect(await refusal(check(answer))).toMatch(/path does not lead/)
  })

  it('with a longer path', async () => {
    const { path } = transactionAnswer().proof as { path: readonly string[] }
    expect(await refusal(check(withProof(transactionAnswer(), { path: [...path!, path![0]] })))).toMatch(
      /path does not lead/,
    )
  })

  it('without a header', async () => {
    const answer = withProof(transactionAnswer(), { header: undefined, certificate: undefined })
    expect(await refusal(check(answer))).toMatch(/header is missing/)
  })
})

describe('pages that do not prove the account', () => {
  const pages = accountAnswer().proof.pages as readonly string[]
  const otherPage = pageText(makeLeaf([]))
  it.each([
    ['another page', [otherPage]],
    ['one page too many', [...pages, otherPage]],
    ['the same page twice', [...pages, ...pages]],
  ])('%s', async (_, given) => {
    expect(await check(withProof(accountAnswer(), { pages: given }))).toMatchObject({ ok: false })
    const neverSeen = accountAnswer(atFirst, keys.dave.address)
    expect(await check(withProof(neverSeen, { pages: given }))).toMatchObject({ ok: false })
  })
})

describe('finality', () => {
  const certificate = atFirst.certificate!
  const certified = (members: Partial<Certificate>): Finality => ({
    ...atFirst,
    certificate: { ...certificate, ...members },
  })
  const [one, two, three] = certificate.precommits as [Precommit, Precommit, Precommit]
  type Precommit = Certificate['precommits'][number]
  const mallory = certify(atFirst.header!, [...quorum.slice(0, 2), keys.dave]).precommits

  it('another network', async () => {
    expect(await refusal(check(accountAnswer(), 'a'.repeat(64) as NetworkId))).toMatch(/not of aaaa/)
  })

  it('another genesis under the same name', async () => {
    const genesis = { ...anchor, time: anchor.time + 1 }
    expect(await refusal(check(withProof(accountAnswer(), { genesis })))).toMatch(/is of network/)
    expect(
      await refusal(check(withProof(accountAnswer(), { genesis }), networkIdOf(genesis as typeof anchor))),
    ).toMatch(/of network/)
  })

  it.each<[string, Finality, RegExp]>([
    ['without a certificate', { hops: [], header: atFirst.header! }, /certificate of the header is missing/],
    ['a certificate without a header', { hops: [], certificate: { ...certificate } }, /header is missing/],
    ['hops without a header', { hops: [changeAt(7)] }, /header is missing/],
    ['a certificate of another height', certified({ height: header(5).height }), /for block .* at height 5/],
    ['a certificate of another block', certified({ block: beyondHop.certificate!.block }), /it is for block/],
    [
      'a certificate of another round',
      certified({ round: 1 as Certificate['round'] }),
      /signature of .* is not one/,
    ],
    ['two of four', certified({ precommits: [one, two] }), /2 of 4 staked units/],
    ['one counted twice', certified({ precommits: [one, one, two] }), /not sorted/],
    ['not sorted', certified({ precommits: [two, one, three] }), /not sorted/],
    [
      'a signature of another',
      certified({ precommits: [one, two, { ...three, signature: one.signature }] }),
      /signature of .* is not one/,
    ],
    [
      'a forged signature beyond the quorum',
      certified({
        precommits: sorted([one, two, three, { validator: keys.dave.address, signature: one.signature }]),
      }),
      /signature of .* is not one/,
    ],
  ])('%s', async (_, finality, reason) => {
    const answer = accountAnswer(finality)
    expect(await refusal(check(answer))).toMatch(reason)
  })

  function sorted(precommits: readonly Precommit[]): Precommit[] {
    return [...precommits].sort((a, b) => (a.validator < b.validator ? -1 : 1))
  }

  it('any three of the four will do', async () => {
    expect(await checkFinality(certified({ precommits: mallory }))).toMatchObject({ ok: true })
  })

  it('signed by somebody who is no validator', async () => {
    const later = laterHeader(9)
    const finality = { ...beyondHop, certificate: certify(later, [keys.carol, keys.alice]) }
    expect(await refusal(checkFinality(finality))).toMatch(/height 9: .* is not a validator/)
  })

  it('two of two by number, but not by stake', async () => {
    const finality = { ...beyondHop, certificate: certify(laterHeader(9), [keys.dave]) }
    expect(await refusal(checkFinality(finality))).toMatch(/1 of 6 staked units/)
  })

  it('a header of another network, signed by the same validators', async () => {
    const foreign = header(4, { network: 'b'.repeat(64) as NetworkId })
    expect(
      await refusal(checkFinality({ hops: [], header: foreign, certificate: certify(foreign, quorum) })),
    ).toMatch(/header of height 4 is of network bbb/)
  })
})

describe('hops', () => {
  const withHops = (...hops: Finality['hops']): Finality => ({ ...beyondHop, hops })
  const hop = changeAt(7)

  it.each<[string, Finality, RegExp]>([
    ['one is missing', withHops(), /voted on by other validators/],
    ['one is doubled', withHops(hop, hop), /above 7/],
    [
      'other validators than the header names',
      withHops({ ...hop, validators: [...firstSet] }),
      /not those that the header names/,
    ],
    ['without a quorum', withHops(changeAt(7, {}, quorum.slice(0, 2))), /2 of 4 staked units/],
    [
      'certified by the new validators instead of the old',
      withHops({ ...hop, certificate: certify(hop.header, [keys.carol, keys.dave]) }),
      /2 of 4 staked units/,
    ],
    ['nothing changes there', withHops(sameSetAt(6), hop), /do not change/],
    ['the header lies below the last hop', withHops(changeAt(10)), /above the last hop/],
    [
      'the header is the last hop',
      { hops: [hop], header: hop.header, certificate: hop.certificate },
      /above the last hop/,
    ],
  ])('%s', async (_, finality, reason) => {
    expect(await refusal(checkFinality(finality))).toMatch(reason)
  })

  function sameSetAt(at: number) {
    const same = header(at)
    return { header: same, certificate: certify(same, quorum), validators: [...firstSet] }
  }
})

describe('a block that all validators signed, though it breaks the rules', () => {
  it('with a transaction that somebody else has signed', async () => {
    expect(await refusal(check(answerWith({}, keys.bob)))).toMatch(/signature is not its sender's/)
  })

  it('with a transaction of another network', async () => {
    const foreign = answerWith({ network: 'b'.repeat(64) as NetworkId })
    expect(await refusal(check(foreign))).toMatch(/transaction is of network bbb/)
  })

  it('the same with a good one is a proof', async () => {
    expect(await check(answerWith({}))).toMatchObject({ ok: true })
  })
})
