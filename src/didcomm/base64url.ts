/** Base64url without padding (RFC 7515 §2), of which every value has exactly one spelling, and JSON in it. */
import { base64urlnopad } from '@scure/base'
import { decodeUtf8, encodeUtf8 } from '../codec/bytes.ts'
import { canonicalize, type Json, parseJson } from '../codec/json.ts'

export const encodeBase64Url = (bytes: Uint8Array): string => base64urlnopad.encode(bytes)

/** @returns undefined when the text is none; bits that no byte needs must be 0 */
export const decodeBase64Url = (text: string): Uint8Array | undefined => {
  try {
    return base64urlnopad.decode(text)
  } catch {
    return undefined
  }
}

export const encodeBase64UrlJson = (value: Json): string => encodeBase64Url(encodeUtf8(canonicalize(value)))

/** @returns undefined when the text is no base64url of JSON */
export const decodeBase64UrlJson = (text: string): Json | undefined => {
  const bytes = decodeBase64Url(text)
  return bytes && decodeJson(bytes)
}

/** @returns undefined when the bytes are no JSON in UTF-8, or are nested too deep */
export const decodeJson = (bytes: Uint8Array): Json | undefined => {
  try {
    return parseJson(decodeUtf8(bytes))
  } catch {
    return undefined
  }
}
