/** Cards in a file, one a line, those first that are to be dialled first. */
import { canonicalize, parseJson } from '../../codec/json.ts'
import { type Card, cardSchema } from '../../objects/card.ts'

export const formatCards = (cards: readonly Card[]): string =>
  cards.map((card) => `${canonicalize(card)}\n`).join('')

/** What isn't one is passed over. */
export const parseCards = (text = ''): readonly Card[] =>
  text.split('\n').flatMap((line) => {
    const parsed = cardSchema.safeParse(line === '' ? undefined : parseJson(line))
    return parsed.success ? [parsed.data] : []
  })
