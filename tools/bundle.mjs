// Makes one module of each library package: a program that imports it reads one file instead of hundreds.
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

for (const name of ['protocol', 'ottla', 'broker']) {
  const dist = join(root, 'packages', name, 'dist')
  await build({
    entryPoints: [join(dist, 'index.js')],
    outfile: join(dist, 'bundle', 'index.js'),
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    // What is private stays private, and names in stack traces stay as they are.
    keepNames: false,
    minify: false,
    sourcemap: true,
    sourcesContent: false,
    logLevel: 'warning',
  })
}
