// What is run of a package, made of what the compiler wrote into dist/tsc:
//   dist/NAME.cjs   each entry as one CommonJS file, and chunk-*.cjs for what two entries share
//   dist/NAME.js    the same as an ES module, which has no code of its own: one process has one copy of a package
//   dist/esm        a module for each source, for bundlers, which leave out what is not used
import { appendFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { build, transform } from 'esbuild'
import { reexport, toCommonJs } from './commonjs.mjs'

const target = 'node20.19'

/** @param {import('./table.mjs').Package} pkg */
export async function writeModules(pkg) {
  const { dist, entries, hasDefault } = pkg
  for (const name of readdirSync(dist)) if (/\.(cjs|js)$/.test(name)) rmSync(join(dist, name))
  rmSync(join(dist, 'esm'), { recursive: true, force: true })
  const { inputs, outputs } = await writeCommonJs(pkg)
  for (const { output } of entries) {
    const names = outputs[`${output}.js`].exports
    writeFileSync(join(dist, `${output}.js`), reexport(hasDefault ? [...names, 'default'] : names, `./${output}.cjs`))
  }
  // What was bundled: dist/tsc may still have modules whose sources are gone.
  await writeEach(dist, Object.keys(inputs))
  if (hasDefault) for (const { module } of entries) addDefault(join(dist, 'esm', `${module}.js`))
}

/** @returns esbuild's metafile */
async function writeCommonJs({ dist, entries, programs }) {
  const modules = [...entries, ...programs.map(name => ({ module: name, output: name }))]
  const { outputFiles, metafile } = await build({
    entryPoints: modules.map(({ module, output }) => ({ in: join(dist, 'tsc', `${module}.js`), out: output })),
    outdir: dist,
    absWorkingDir: dist,
    bundle: true,
    // What two modules share is there once: a class must be the same in both.
    splitting: modules.length > 1,
    chunkNames: 'chunk-[hash]',
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target,
    define: { 'import.meta.url': '__filename' },
    write: false,
    metafile: true,
    logLevel: 'warning',
  })
  for (const { path, text } of outputFiles) {
    writeFileSync(path.replace(/\.js$/, '.cjs'), toCommonJs(namesKept(text), path))
  }
  return metafile
}

/** A class that names itself is given a second name inside, which is what an error or a log would show of it. */
function namesKept(code) {
  let kept = code
  for (const [, outer, inner] of code.matchAll(/^var (\w+) = class (_\w+)/gm)) {
    if (inner.startsWith(`_${outer}`)) kept = kept.replaceAll(new RegExp(`\\b${inner}\\b`, 'g'), outer)
  }
  return kept
}

/** All that the module exports, as its default. */
function addDefault(path) {
  const itself = `./${basename(path)}`
  appendFileSync(path, `import * as all from '${itself}'\nexport { all as default }\n`)
}

async function writeEach(dist, modules) {
  await Promise.all(
    modules.map(async module => {
      const path = join(dist, module.replace(/^tsc\//, 'esm/'))
      const code = readFileSync(join(dist, module), 'utf8').replace(/^\/\/# sourceMappingURL=.*$/m, '')
      const transformed = await transform(code, { loader: 'js', format: 'esm', target })
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, transformed.code)
    }),
  )
}
