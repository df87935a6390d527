/** `wrangler dev`, as somebody runs it who is about to deploy: the real one, with its cache and storage in a folder. */
import { readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { checkout } from './build.ts'
import { installed } from './installed.ts'
import { freePorts } from './network-process.ts'
import { eventually, type Running, spawnProcess } from './node-process.ts'

/** The last one for Node 20. */
const wranglerVersion = '4.86.0'

export interface WranglerOptions {
  /** Of this checkout. */
  readonly config: string
  /** Of the storage, and of what wrangler makes besides. */
  readonly data: string
  /** Instead of those in the configuration. */
  readonly vars: (url: string) => Readonly<Record<string, string>>
  /** A path that is answered once it is up. */
  readonly upAt: string
}

export const startWrangler = async (options: WranglerOptions): Promise<Running & { url: string }> => {
  const { data, config, vars, upAt } = options
  const folder = await installed('wrangler', wranglerVersion)
  const port = await freePorts(1)
  const url = `http://127.0.0.1:${port}`
  const path = join(data, 'wrangler.json')
  await writeFile(path, JSON.stringify({ ...(await readConfig(config)), vars: vars(url) }))
  const args = ['dev', '--config', path, '--ip', '127.0.0.1', '--port', String(port), '--inspector-port', '0']
  const running = spawnProcess(join(folder, 'node_modules/.bin/wrangler'), args, {
    cwd: data,
    env: {
      HOME: data,
      CI: '1',
      WRANGLER_SEND_METRICS: 'false',
      CLOUDFLARE_CF_FETCH_ENABLED: 'false',
    },
  })
  await eventually(
    async () => (await fetch(`${url}${upAt}`).catch(() => undefined))?.ok || undefined,
    `wrangler does not serve: ${running.stdout()}${running.stderr()}`,
  )
  return { ...running, url }
}

/** With the program, and what lies beside it, by their whole paths. */
const readConfig = async (config: string): Promise<object> => {
  const path = join(checkout, config)
  const text = (await readFile(path, 'utf8')).replace(/^\s*\/\/.*$/gm, '')
  const { main, assets, ...rest } = JSON.parse(text) as { main: string; assets?: { directory: string } }
  const whole = (beside: string): string => join(dirname(path), beside)
  return {
    ...rest,
    main: whole(main),
    ...(assets && { assets: { ...assets, directory: whole(assets.directory) } }),
  }
}
