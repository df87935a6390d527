/**
 * Real Chromium for tests, headless, with a profile that stays for as long as the test runs: closing the browser and
 * opening it again finds what a page has kept. Nothing of it is left after the test.
 */
import { accessSync, constants } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { delimiter, join } from 'node:path'
import { build } from 'esbuild'
import { type BrowserContext, chromium } from 'playwright-core'
import { afterEach } from 'vitest'
import { checkout } from '../build.ts'
import '../node-process.ts' // whose hook removes the profile, after the one below has closed the browser

const open = new Set<{ close(): Promise<unknown> }>()

afterEach(async () => {
  for (const each of [...open].reverse()) await each.close()
  open.clear()
})

/** @param profile - folder of what the browser keeps */
export const openChromium = async (
  profile: string,
  args: readonly string[] = [],
): Promise<BrowserContext> => {
  const isRoot = process.getuid?.() === 0
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: findProgram('chromium'),
    args: [...(isRoot ? ['--no-sandbox'] : []), ...args],
  })
  open.add(context)
  context.on('close', () => open.delete(context))
  return context
}

const findProgram = (name: string): string => {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    try {
      accessSync(join(folder, name), constants.X_OK)
      return join(folder, name)
    } catch {
      // not in this one
    }
  }
  throw new Error(`${name} is not installed: on Debian, apt-get install ${name}`)
}

/** What a site answers under each path. */
export type Site = Readonly<Record<string, { readonly type: string; readonly body: string }>>

/** Serves a site on a loopback port. @returns its origin */
export const serveSite = async (
  site: Site,
  headers: Readonly<Record<string, string>> = {},
): Promise<string> => {
  const server = createServer(({ url = '' }, response) => {
    const found = site[url]
    response.writeHead(found ? 200 : 404, { 'content-type': found?.type ?? 'text/plain', ...headers })
    response.end(found?.body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  open.add({
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(resolve))
    },
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A page that does nothing but to run a script, which may be a module. */
export const pageWith = (script: string): Site[string] => ({
  type: 'text/html',
  body: `<!doctype html><meta charset="utf-8"><title>test</title><script type="module" src="${script}"></script>`,
})

/** One script of a source file below `test` or `src` and all that it imports. */
export const bundle = async (source: string): Promise<Site[string]> => {
  const { outputFiles } = await build({
    entryPoints: [join(checkout, source)],
    bundle: true,
    format: 'esm',
    target: 'es2022',
    write: false,
    logLevel: 'silent',
  })
  return { type: 'text/javascript', body: outputFiles[0]!.text }
}
