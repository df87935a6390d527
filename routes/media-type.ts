/** What a request's body says that it is. */
import { TautlineError } from '../src/errors.ts'

export const json = 'application/json'
export const ndjson = 'application/x-ndjson'

/**
 * The media type of a request's body, which must be one of those.
 *
 * A form or `text/plain` is refused even when it holds JSON: those are what a foreign web page may send
 * without asking first.
 *
 * @throws TautlineError `unsupported-media-type`
 */
export const requireMediaType = <Type extends string>(headers: Headers, accepted: readonly Type[]): Type => {
  const given = headers.get('content-type') ?? ''
  const type = accepted.find((candidate) => isMediaType(given, candidate))
  if (type === undefined)
    throw unsupported(
      `content type ${given === '' ? 'is missing' : quote(given)}: expected ${accepted.join(' or ')}`,
    )
  const encoding = headers.get('content-encoding') ?? 'identity'
  if (encoding.toLowerCase() !== 'identity')
    throw unsupported(`content encoding ${quote(encoding)}: send the body as it is, uncompressed`)
  return type
}

const isMediaType = (given: string, type: string): boolean => {
  if (given === type) return true
  const [essence, ...parameters] = given.toLowerCase().split(';')
  return essence!.trim() === type && parameters.every(isUtf8OrOther)
}

const isUtf8OrOther = (parameter: string): boolean => {
  const [name, value = ''] = parameter.split('=')
  return name!.trim() !== 'charset' || value.trim().replaceAll('"', '') === 'utf-8'
}

const quote = (text: string): string => JSON.stringify(text.slice(0, 100))

const unsupported = (message: string): TautlineError => new TautlineError('unsupported-media-type', message)
