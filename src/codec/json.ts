/**
 * Canonical JSON: RFC 8785 (JCS), and reading JSON that others wrote.
 *
 * What is hashed and signed is the canonical text of a value. Between peers and on disk only that text is
 * accepted; at the public doors any JSON spelling of the same value is.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8785
 */
import { TautlineError } from '../errors.ts'

export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [member: string]: Json | undefined }

/** Nesting beyond this is refused before parsing: at 5,000 some runtimes' JSON functions throw and others don't. */
export const maxDepth = 32

/**
 * The canonical text of a value (RFC 8785 §3.2): no white space, members ordered by the UTF-16 code units
 * of their names, numbers as ECMAScript prints them. Members that are `undefined` are left out.
 *
 * @throws TautlineError `malformed-json` on lone surrogates and on numbers that JSON can't hold
 */
export const canonicalize = (value: Json): string =>
  // RFC 8785 took its spellings from JSON.stringify, which is up to three times as fast and makes one text at once.
  isOrdered(value) ? JSON.stringify(value) : canonicalizeAny(value)

/** Whether all members stand in their order already, and nothing in the value is to be refused. */
const isOrdered = (value: Json): boolean => {
  switch (typeof value) {
    case 'string':
      return value.isWellFormed()
    case 'number':
      return Number.isFinite(value)
    case 'boolean':
      return true
    default:
      return value === null || (isArray(value) ? value.every(isOrdered) : hasOrderedMembers(value))
  }
}

const hasOrderedMembers = (value: { readonly [member: string]: Json | undefined }): boolean => {
  let before = ''
  for (const name in value) {
    const member = value[name]
    if (name < before || !name.isWellFormed() || (member !== undefined && !isOrdered(member))) return false
    before = name
  }
  return true
}

const canonicalizeAny = (value: Json): string => {
  switch (typeof value) {
    case 'string':
      return quote(value)
    case 'number':
      if (!Number.isFinite(value))
        throw new TautlineError('malformed-json', 'a number is not finite: JSON has no such number')
      return JSON.stringify(value)
    case 'boolean':
      return value ? 'true' : 'false'
    default:
      return canonicalizeStructure(value)
  }
}

/** Lone surrogates become `\udxxx` in well-formed JSON.stringify, yet different ones encode to the same UTF-8. */
const quote = (text: string): string => {
  if (!text.isWellFormed())
    throw new TautlineError('malformed-json', 'a string holds a lone surrogate: send well-formed Unicode')
  return JSON.stringify(text)
}

const canonicalizeStructure = (
  value: null | readonly Json[] | { readonly [member: string]: Json | undefined },
): string => {
  if (value === null) return 'null'
  if (isArray(value)) return `[${value.map(canonicalizeAny).join(',')}]`
  let members = ''
  for (const name of Object.keys(value).sort()) {
    const member = value[name]
    if (member === undefined) continue
    members += `${members === '' ? '' : ','}${quote(name)}:${canonicalizeAny(member)}`
  }
  return `{${members}}`
}

// Array.isArray doesn't narrow readonly arrays.
const isArray = (value: object): value is readonly Json[] => Array.isArray(value)

/**
 * Parses JSON text in any spelling.
 *
 * @throws TautlineError `malformed-json` when it isn't JSON or is nested deeper than {@link maxDepth}
 */
export const parseJson = (text: string): Json => {
  if (isTooDeep(text)) {
    throw new TautlineError(
      'malformed-json',
      `the JSON is nested deeper than ${maxDepth} levels: send a flatter value`,
      { maxDepth },
    )
  }
  try {
    return JSON.parse(text) as Json
  } catch (cause) {
    throw new TautlineError(
      'malformed-json',
      `not JSON: ${cause instanceof Error ? cause.message : String(cause)}`,
      {},
      cause,
    )
  }
}

/**
 * Parses text that must already be canonical: anything else that means the same value is refused.
 *
 * @throws TautlineError `malformed-json`
 */
export const parseCanonical = (text: string): Json => {
  const value = parseJson(text)
  if (canonicalize(value) !== text) {
    throw new TautlineError(
      'malformed-json',
      'the JSON is not in canonical form (RFC 8785): send the canonical bytes',
    )
  }
  return value
}

const isTooDeep = (text: string): boolean => {
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit === 0x22) {
      at = text.indexOf('"', at + 1)
      while (at !== -1 && isEscaped(text, at)) at = text.indexOf('"', at + 1)
      if (at === -1) return false // unterminated: the parser says so better
    } else if (unit === 0x7b || unit === 0x5b) {
      if (++depth > maxDepth) return true
    } else if (unit === 0x7d || unit === 0x5d) depth--
  }
  return false
}

const isEscaped = (text: string, quoteAt: number): boolean => {
  let backslashes = 0
  while (text.charCodeAt(quoteAt - 1 - backslashes) === 0x5c) backslashes++
  return backslashes % 2 === 1
}
