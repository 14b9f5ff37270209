// Makes one module of each library package: a program that imports it reads one file instead of hundreds.
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

for (const name of ['protocol', 'ottla', 'broker']) {
  const dist = join(root, 'packages', name, 'dist')
  const outfile = join(dist, 'bundle', 'index.js')
  await build({
    entryPoints: [join(dist, 'index.js')],
    outfile,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    sourcemap: true,
    sourcesContent: false,
    logLevel: 'warning',
  })
  writeFileSync(outfile, namesKept(readFileSync(outfile, 'utf8')))
}

// A class that names itself is given a second name inside, which is what an error or a log would show of it.
function namesKept(code) {
  let kept = code
  for (const [, outer, inner] of code.matchAll(/^var (\w+) = class (_\w+)/gm)) {
    if (inner.startsWith(`_${outer}`)) kept = kept.replaceAll(new RegExp(`\\b${inner}\\b`, 'g'), outer)
  }
  return kept
}
