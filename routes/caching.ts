/** What may be kept by whom: RFC 9110 §8.8.3 and §13.1.2, RFC 9111, RFC 8246. */
import type { Context } from 'hono'

/** For what never changes. */
export const immutable = 'public, max-age=31536000, immutable'
/** For what changes: keep it if you like, but ask before each use. */
export const revalidate = 'no-cache'

/**
 * Answers JSON under an entity tag, or 304 when the asker has it already.
 *
 * @param tag - of `[0-9a-f]`; the same tag, the same meaning
 */
export const respondTagged = (
  c: Context,
  tag: string,
  cacheControl: string,
  body: () => string,
): Response => {
  const headers = { etag: `"${tag}"`, 'cache-control': cacheControl }
  if (matches(c.req.header('if-none-match'), tag)) return c.body(null, 304, headers)
  return c.body(body(), 200, { ...headers, 'content-type': 'application/json' })
}

const matches = (ifNoneMatch: string | undefined, tag: string): boolean =>
  ifNoneMatch?.split(',').some((candidate) => ['*', `"${tag}"`, `W/"${tag}"`].includes(candidate.trim())) ??
  false

/** Answers JSON that is true now. */
export const respondFresh = (body: string, status: 200 | 202 = 200): Response =>
  new Response(body, { status, headers: { 'content-type': 'application/json', 'cache-control': revalidate } })

/** Answers JSON that is true now, or for good. */
export const respondSettled = (body: string, isSettled: boolean): Response => {
  const cacheControl = isSettled ? immutable : revalidate
  return new Response(body, {
    headers: { 'content-type': 'application/json', 'cache-control': cacheControl },
  })
}
