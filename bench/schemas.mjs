// `npm run bench:schemas -- [--messages 200000] [--rounds 5] [--folder DIR] [--save]`: encoding and decoding a record of 20
// fields with this registry client and with others, which are installed for it, in turns; then what each of them weighs
// and how long it takes to import. Each run has a process of its own; the median of the rounds counts. `--folder` keeps
// the installed clients for the next time, `--save` writes bench/schemas.md.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual, parseArgs } from 'node:util'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { ensureBuilt } from '../tools/built.mjs'
import { packAll } from '../tools/packages/pack.mjs'

const OURS = '@ottla/schema-registry'
const names = [OURS, '@confluentinc/schemaregistry', '@kafkajs/confluent-schema-registry']
const works = ['encode', 'decode']
const program = fileURLToPath(new URL('schemas/client.mjs', import.meta.url))

const { values: given } = parseArgs({
  options: {
    messages: { type: 'string', default: '200000' },
    rounds: { type: 'string', default: '5' },
    folder: { type: 'string' },
    save: { type: 'boolean', default: false },
  },
})
const rounds = Number(given.rounds)
const folder = given.folder ?? mkdtempSync(join(tmpdir(), 'ottla-bench-schemas-'))
try {
  install()
  const figures = await compared()
  const weights = names.map(name => ({ name, ...weightOf(name), importMs: importTime(name) }))
  const text = report(figures, weights)
  console.log(text)
  if (given.save) writeFileSync(new URL('schemas.md', import.meta.url), text)
} finally {
  if (given.folder === undefined) rmSync(folder, { recursive: true, force: true })
}

function projectOf(name) {
  return join(folder, name.slice(1).replace('/', '-'))
}

/** Each in a project of its own, so that none weighs for another. */
function install() {
  ensureBuilt()
  mkdirSync(folder, { recursive: true })
  const packed = packAll(join(folder, 'packed')).find(({ name }) => name === OURS)
  for (const name of names) {
    const project = projectOf(name)
    if (name === OURS) rmSync(project, { recursive: true, force: true })
    if (existsSync(join(project, 'package-lock.json'))) continue
    process.stderr.write(`% installing ${name}\n`)
    mkdirSync(project, { recursive: true })
    writeFileSync(join(project, 'package.json'), '{ "private": true }\n')
    const source = name === OURS ? join(folder, 'packed', packed.filename) : name
    const npm = spawnSync('npm', ['install', '--no-audit', '--no-fund', source], { cwd: project, encoding: 'utf8' })
    if (npm.status !== 0) throw new Error(`npm cannot install ${name}: ${npm.stderr}`)
  }
}

/** By client and work the median rate, by the clock and by CPU time. */
async function compared() {
  const require = createRequire(join(projectOf(OURS), 'package.json'))
  const { EmbeddedSchemaRegistry } = await import(pathToFileURL(require.resolve(`${OURS}/embedded`)).href)
  const registry = await EmbeddedSchemaRegistry.start()
  const runs = new Map(names.map(name => [name, []]))
  try {
    for (let round = 1; round <= rounds; round++) {
      for (const name of names) {
        process.stderr.write(`% ${name}, ${round} of ${rounds}\n`)
        runs.get(name).push(await run(name, registry.url))
      }
    }
  } finally {
    await registry.close()
  }
  const [{ bytes, read }] = runs.get(OURS)
  for (const [name, all] of runs) {
    if (all.every(each => isDeepStrictEqual(each.read, read) && each.bytes.slice(10) === bytes.slice(10))) continue
    throw new Error(`${name} does not write the same bytes, or does not read the same value`)
  }
  return new Map(
    names.map(name => [
      name,
      Object.fromEntries(
        works.map(work => [
          work,
          {
            wall: median(runs.get(name).map(each => each[work].wall)),
            cpu: median(runs.get(name).map(each => each[work].cpu)),
          },
        ]),
      ),
    ]),
  )
}

async function run(name, url) {
  const args = [program, name, projectOf(name), url, given.messages]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', chunk => (output += chunk))
  const [status] = await once(child, 'close')
  if (status !== 0) throw new Error(`${name} ended with ${status}`)
  return JSON.parse(output)
}

function weightOf(name) {
  const modules = join(projectOf(name), 'node_modules')
  const lock = JSON.parse(readFileSync(join(modules, '.package-lock.json'), 'utf8'))
  const packages = Object.keys(lock.packages).length
  return { version: lock.packages[`node_modules/${name}`].version, packages, bytes: bytesBelow(modules) }
}

function bytesBelow(path) {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath ?? entry.path, entry.name)).size, 0)
}

/** In a fresh process, ms of CPU time; the median of the rounds. */
function importTime(name) {
  const code = `
    import { createRequire } from 'node:module'
    import { pathToFileURL } from 'node:url'
    const file = createRequire(${JSON.stringify(join(projectOf(name), 'package.json'))}).resolve(${JSON.stringify(name)})
    const begun = process.cpuUsage()
    await import(pathToFileURL(file).href)
    const { user, system } = process.cpuUsage(begun)
    console.log((user + system) / 1000)
    process.exit(0)`
  const once = () =>
    Number(spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' }).stdout)
  return median(Array.from({ length: rounds }, once))
}

function median(numbers) {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]
}

function report(figures, weights) {
  const rate = number => `${Math.round(number / 1000).toLocaleString('en')},000/s`
  const times = (work, name) => (figures.get(OURS)[work].cpu / figures.get(name)[work].cpu).toFixed(1)
  const speeds = names.map(name => {
    const { encode, decode } = figures.get(name)
    const ratio = name === OURS ? '' : `${times('encode', name)}; ${times('decode', name)}`
    return [`\`${name}\``, rate(encode.wall), rate(encode.cpu), rate(decode.wall), rate(decode.cpu), ratio]
  })
  const sizes = weights.map(({ name, version, packages, bytes, importMs }) => [
    `\`${name}\` ${version}`,
    packages,
    `${(bytes / 1e6).toFixed(1)} MB`,
    `${Math.round(importMs)} ms`,
  ])
  return `# A record of 20 fields, in Avro with a schema registry

\`npm run bench:schemas\`, ${new Date().toISOString().slice(0, 10)}, Node.js ${process.version}, ${availableParallelism()} cores (${cpus()[0].model.trim()}):
${Number(given.messages).toLocaleString('en')} messages a run, ${rounds} rounds in turns, the median; one message after the other, awaited where the client
gives a promise. All write the same bytes and read the same value, which the program checks. By CPU: what one core would
do a second, with garbage collection and compiler; other programs on the machine matter less there.

${table(['client', 'encode', 'by CPU', 'decode', 'by CPU', 'ours is faster (encode; decode)'], speeds)}

Installed with npm into an empty folder; CPU time of a first \`import\`:

${table(['client', 'packages', 'size', 'import'], sizes)}
`
}

function table(head, rows) {
  const lines = [head, ...rows].map(row => row.map(String))
  const widths = head.map((_, i) => Math.max(...lines.map(row => row[i].length)))
  const line = row =>
    `| ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join(' | ')} |`
  const rule = `| ${widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`
  return [line(lines[0]), rule, ...lines.slice(1).map(line)].join('\n')
}
