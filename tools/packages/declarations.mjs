// Each entry's declarations as one file: dist/NAME.d.cts has them, and dist/NAME.d.ts exports the same to ES modules, so
// that a class is one type however a program imports it. API Extractor rolls up what the compiler wrote and leaves out what
// is @internal; rollup.mjs does the rest. Run as a program it does this for the package that is named.
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { publishedDeclarations } from './rollup.mjs'
import { packages, root } from './table.mjs'

const compilerOptions = {
  target: 'ES2023',
  lib: ['ES2023', 'ESNext.Disposable'],
  module: 'NodeNext',
  moduleResolution: 'NodeNext',
  types: ['node'],
  typeRoots: [join(root, 'node_modules', '@types')],
  strict: true,
  skipLibCheck: true,
  allowImportingTsExtensions: true,
  noEmit: true,
}

/** Where the public surface of an entry is described, for surface.mjs. */
export const surfaceFile = ({ dist }, { output }) => join(dist, 'tsc', `${output}.surface.json`)

/**
 * Writes them, unless nothing that they depend on has changed: it takes some seconds.
 * @param {import('./table.mjs').Package} pkg
 */
function writeDeclarations(pkg) {
  const { dist, entries } = pkg
  const stamp = join(dist, 'tsc', 'declarations.hash')
  const hash = hashOf(dist)
  const isThere = [stamp, ...entries.map(({ output }) => join(dist, `${output}.d.cts`))].every(path => existsSync(path))
  if (!isThere || readFileSync(stamp, 'utf8') !== hash) writeEntries(pkg)
  // Its time tells built.mjs when the build was complete.
  writeFileSync(stamp, hash)
}

function writeEntries(pkg) {
  const { dist, entries, hasDefault } = pkg
  const before = []
  const [barrels, others] = [true, false].map(is => entries.filter(entry => (barrelOf(pkg, entry) !== null) === is))
  for (const entry of [...others, ...barrels]) {
    const { text, ...surface } = barrelOf(pkg, entry) ?? publishedDeclarations(rolledUp(pkg, entry), before)
    writeFileSync(join(dist, `${entry.output}.d.cts`), text)
    const from = `./${entry.output}.cjs`
    const all = `export * from '${from}'\n`
    writeFileSync(join(dist, `${entry.output}.d.ts`), hasDefault ? `${all}export { default } from '${from}'\n` : all)
    writeFileSync(surfaceFile(pkg, entry), JSON.stringify(surface))
    before.push({ from: `./${entry.output}.cjs`, text })
  }
}

/**
 * The declarations of an entry that does nothing but export others, perhaps as namespaces; null for any other. Rolled up,
 * these would be declared a second time.
 */
function barrelOf({ dist, entries }, { module }) {
  const lines = readFileSync(join(dist, 'tsc', `${module}.d.ts`), 'utf8')
    .replaceAll(/\/\*[\s\S]*?\*\/|^\/\/.*$/gm, '')
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '')
  const exported = lines.map(line => {
    const [, clause, from] = /^export (\*(?: as \w+)?) from ['"]\.\/(.+)\.(?:ts|js)['"];$/.exec(line) ?? []
    const entry = entries.find(each => each.module === from)
    return entry === undefined ? null : `export ${clause} from './${entry.output}.cjs'`
  })
  if (exported.length === 0 || exported.includes(null)) return null
  const text = exported.join('\n')
  return { text: `${text}\n`, forgotten: [], undocumented: [], report: text }
}

/** Of all that the declarations depend on. */
function hashOf(dist) {
  const hash = createHash('sha256')
  const tools = ['declarations.mjs', 'rollup.mjs'].map(name => fileURLToPath(new URL(name, import.meta.url)))
  const written = readdirSync(join(dist, 'tsc'), { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.d.ts') && !file.endsWith('.rollup.d.ts'))
    .map(file => join(dist, 'tsc', file))
    .sort()
  for (const file of [...tools, ...written]) hash.update(file).update(readFileSync(file))
  return hash.digest('hex')
}

function rolledUp({ folder, dist }, { module, output }) {
  const { Extractor, ExtractorConfig } = createRequire(import.meta.url)('@microsoft/api-extractor')
  const file = join(dist, 'tsc', `${module}.d.ts`)
  const rolled = join(dist, 'tsc', `${output}.rollup.d.ts`)
  const silent = { default: { logLevel: 'none' } }
  const configObject = {
    projectFolder: folder,
    mainEntryPointFilePath: file,
    compiler: { overrideTsconfig: { compilerOptions, files: [file] } },
    apiReport: { enabled: false },
    docModel: { enabled: false },
    dtsRollup: { enabled: true, untrimmedFilePath: '', publicTrimmedFilePath: rolled },
    tsdocMetadata: { enabled: false },
    newlineKind: 'lf',
    messages: {
      compilerMessageReporting: { default: { logLevel: 'error' } },
      extractorMessageReporting: silent,
      tsdocMessageReporting: silent,
    },
  }
  const packageJsonFullPath = join(folder, 'package.json')
  const config = ExtractorConfig.prepare({ configObject, configObjectFullPath: undefined, packageJsonFullPath })
  const { succeeded } = Extractor.invoke(config, {
    localBuild: true,
    messageCallback(message) {
      message.handled = message.logLevel !== 'error'
    },
  })
  if (!succeeded) throw new Error(`the declarations of ${file} cannot be rolled up`)
  return readFileSync(rolled, 'utf8')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const pkg of packages.filter(({ name }) => process.argv.includes(name))) writeDeclarations(pkg)
}
