/** Asking: one request within the bound, and an answer that is to that request. */
import { type Answer, type Look, type Request, refuse, type Steps } from './protocol.ts'

export function* ask(look: Look, request: Request): Steps<Answer> {
  if (look.left-- <= 0)
    return refuse(
      'too-many-requests',
      'it takes too many requests to find out: begin with a later block that you trust',
    )
  const answer = yield request
  return isTo(request, answer)
    ? answer
    : refuse('forged', `asked for ${nameOf(request)}, it gave something else`)
}

const isTo = ({ at, origin }: Request, answer: Answer): boolean => {
  switch (answer.kind) {
    case 'genesis':
      return at === 'latest' || at === 0
    case 'block':
      return (
        (at === 'latest' || answer.block.header.height === at) && (!origin || answer.origin !== undefined)
      )
    case 'pruned':
      return at !== 'latest' && answer.next > at
    default:
      return true
  }
}

const nameOf = ({ at }: Request): string => (at === 'latest' ? 'the newest header' : `header ${at}`)
