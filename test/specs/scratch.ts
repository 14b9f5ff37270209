/** The scratch folders of the suites: packages from npm, and the facades as one module each. */
import { build, type Plugin } from 'esbuild'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** Old versions of Jest do not know `node:` before a name. */
export const plainBuiltIns: Plugin = {
  name: 'plain built-ins',
  setup: bundle => {
    bundle.onResolve({ filter: /^node:/ }, ({ path }) => ({ path: path.slice('node:'.length), external: true }))
  },
}

/** Installs the packages unless they are there. */
export function install(scratch: string, packages: readonly string[]): void {
  mkdirSync(scratch, { recursive: true })
  const [first = ''] = packages
  if (existsSync(join(scratch, 'node_modules', first.replace(/@[\d.]+$/, '')))) return
  writeFileSync(join(scratch, 'package.json'), '{ "private": true }\n')
  const quiet = ['--no-audit', '--no-fund', '--no-package-lock', '--ignore-scripts']
  execFileSync('npm', ['install', ...quiet, ...packages], { cwd: scratch, stdio: ['ignore', 'ignore', 'inherit'] })
}

/** Makes one module of a facade's sources. @param facade its folder in `packages/` */
export async function bundleFacade(facade: string, outfile: string, plugins: Plugin[] = []): Promise<void> {
  await build({
    entryPoints: [join(root, `packages/${facade}/src/index.ts`)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    conditions: ['@ottla/source'],
    define: { 'import.meta.url': 'bundleUrl' },
    banner: { js: "const bundleUrl = require('url').pathToFileURL(__filename).href" },
    plugins,
    logLevel: 'error',
  })
}
