// Makes one module of each entry of the library packages: a program that imports it reads one file instead of hundreds.
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** Each package's modules: what a program imports, and from where it is bundled. */
const entries = {
  protocol: { index: 'index.js' },
  ottla: { index: 'index.js' },
  broker: { index: 'index.js', simulation: 'simulation/index.js', testing: 'testing/index.js' },
}

for (const [name, modules] of Object.entries(entries)) {
  const dist = join(root, 'packages', name, 'dist')
  const outdir = join(dist, 'bundle')
  rmSync(outdir, { recursive: true, force: true })
  await build({
    entryPoints: Object.entries(modules).map(([out, file]) => ({ in: join(dist, file), out })),
    outdir,
    bundle: true,
    // What two modules share is there once: a class must be the same in both.
    splitting: Object.keys(modules).length > 1,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    sourcemap: true,
    sourcesContent: false,
    logLevel: 'warning',
  })
  for (const file of readdirSync(outdir).filter(each => each.endsWith('.js'))) {
    const path = join(outdir, file)
    writeFileSync(path, namesKept(readFileSync(path, 'utf8')))
  }
}

// A class that names itself is given a second name inside, which is what an error or a log would show of it.
function namesKept(code) {
  let kept = code
  for (const [, outer, inner] of code.matchAll(/^var (\w+) = class (_\w+)/gm)) {
    if (inner.startsWith(`_${outer}`)) kept = kept.replaceAll(new RegExp(`\\b${inner}\\b`, 'g'), outer)
  }
  return kept
}
