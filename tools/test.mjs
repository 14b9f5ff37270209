// `npm test [-- --unit] [--embedded] [--foreign] [--package] [--real] [--nightly] [PART OF A FILE NAME ...]`: from a bare
// clone to tested. Without options all suites but the nightly one run, real Kafka and the clients of others included where
// what they need is at hand; OTTLA_REQUIRE_KAFKA=1 makes its absence a failure, OTTLA_REQUIRE_KERBEROS=1 that of a KDC.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { delimiter, dirname, join, relative, sep } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { ensureBuilt, ensureInstalled } from './built.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const node = ['--conditions=@ottla/source', '--import', new URL('compiled/register.mjs', import.meta.url).href]

// What a test may take, what a hook may (clusters start there, and the first time they are downloaded), and a whole file:
// longer is hung. test/harness/each-test sees to the first two, and that nothing stays open when a test is over.
const suites = [
  { name: 'unit', testMs: 120_000, hookMs: 120_000, fileMs: 600_000, concurrency: availableParallelism() },
  { name: 'embedded', testMs: 120_000, hookMs: 120_000, fileMs: 900_000, concurrency: 2 * availableParallelism() },
  { name: 'foreign', testMs: 240_000, hookMs: 600_000, fileMs: 1_800_000, concurrency: availableParallelism() },
  {
    name: 'package',
    testMs: 240_000,
    hookMs: 240_000,
    fileMs: 900_000,
    concurrency: availableParallelism(),
    isBuildNeeded: true,
  },
  // One file at a time: three JVMs fill two cores.
  { name: 'real', testMs: 240_000, hookMs: 600_000, fileMs: 1_800_000, concurrency: 1, isKafkaNeeded: true },
  // What is slow and rarely fails: only by its name, as `npm run nightly` does.
  {
    name: 'nightly',
    testMs: 240_000,
    hookMs: 600_000,
    fileMs: 1_800_000,
    concurrency: 1,
    isBuildNeeded: true,
    isKafkaNeeded: true,
    isOnDemand: true,
  },
]
const eachTest = join('test', 'harness', 'each-test', 'main.ts')

const { chosen, words } = parse(process.argv.slice(2))
ensureInstalled()
// It loads a dependency, which has to be installed first.
await (await import('./compiled/compile.mjs')).compileSources()
const files = testFiles().filter(file => words.length === 0 || words.some(word => file.includes(word)))

// What the programs of others are written in: part of a file's name, and what it takes to have and run them.
const foreignNeeds = [
  ['client-telemetry', ['python3']],
  ['java', ['java', 'javac', 'mvn']],
  ['librdkafka', ['python3']],
  ['python', ['python3']],
  ['franz', ['go']],
  ['kfake', ['go']],
]

// What a KDC of the test's own takes (Debian: krb5-kdc, krb5-admin-server, krb5-user, libkrb5-dev).
const kerberosNeeds = ['krb5kdc', 'kdb5_util', 'kadmin.local', 'kinit', 'krb5-config']

// Debian: prometheus.
const prometheusNeeds = ['prometheus', 'promtool']

const results = []
/** Suites and why they did not run. */
const notRun = []
let isKafkaMissing = false
let isKerberosMissing = false
/** Files that did not run, with the programs they lack. */
const leftOut = []
for (const suite of suites) {
  if (suite.isOnDemand && !chosen.has(suite.name)) continue
  if (chosen.size > 0 && !chosen.has(suite.name)) {
    notRun.push([suite.name, 'not chosen'])
    continue
  }
  const wanted = files.filter(file => suiteOf(file) === suite.name)
  const own = wanted.filter(file => canRun(suite, file))
  if (own.length === 0) {
    notRun.push([suite.name, wanted.length === 0 ? 'no file of it matches' : 'what its files need is not installed'])
    continue
  }
  if (suite.isKafkaNeeded && missingPrograms(['java', 'javac', 'mvn']).length > 0) {
    isKafkaMissing = true
    notRun.push([suite.name, `${missingPrograms(['java', 'javac', 'mvn']).join(', ')} not found`])
    continue
  }
  if (suite.isBuildNeeded) ensureBuilt()
  results.push(await run(suite, own))
}
process.exitCode = conclude()

function parse(args) {
  const chosen = new Set()
  const words = []
  for (const arg of args) {
    const name = arg.slice(2)
    if (!arg.startsWith('--')) words.push(arg)
    else if (suites.some(suite => suite.name === name)) chosen.add(name)
    else {
      console.error(`unknown option ${arg}; there are ${suites.map(suite => `--${suite.name}`).join(', ')}`)
      process.exit(2)
    }
  }
  return { chosen, words }
}

/** Every *.test.ts of the packages and of test/, relative to the root. */
function testFiles() {
  const packages = readdirSync(join(root, 'packages')).map(name => join('packages', name, 'test'))
  return [...packages, 'test']
    .flatMap(folder => listed(folder))
    .filter(file => file.endsWith('.test.ts'))
    .sort()
}

function listed(folder) {
  try {
    const entries = readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    return entries
      .filter(entry => entry.isFile())
      .map(entry => relative(root, join(entry.parentPath ?? entry.path, entry.name)))
  } catch (error) {
    if (error.code === 'ENOENT') return []
    throw error
  }
}

/** test/real/x.test.ts belongs to `real`; what has no suite of its own is a unit test. */
function suiteOf(file) {
  const [top, second] = file.split(sep)
  return top === 'test' && suites.some(suite => suite.name === second) ? second : 'unit'
}

async function run(suite, own) {
  console.log(`\n── ${suite.name}: ${own.length} files`)
  const started = Date.now()
  const env = { ...process.env, OTTLA_TEST_LIMIT_MS: suite.testMs, OTTLA_HOOK_LIMIT_MS: suite.hookMs }
  const host = suite.isKafkaNeeded ? await startHost() : undefined
  if (host) env.OTTLA_TEST_KAFKA_HOST = host.port
  const flags = [
    '--import',
    `./${eachTest}`,
    '--test',
    `--test-concurrency=${suite.concurrency}`,
    `--test-timeout=${suite.fileMs}`,
    `--test-reporter=${new URL('test-reporter.mjs', import.meta.url).href}`,
    '--test-reporter-destination=stdout',
  ]
  const child = spawn(process.execPath, [...node, ...flags, ...own], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  // A terminal's Ctrl-C reaches the child by itself; a plain kill does not.
  process.once('SIGTERM', () => child.kill())
  const counts = { pass: 0, fail: 0, cancelled: 0, skipped: 0, todo: 0 }
  for await (const line of createInterface({ input: child.stdout })) {
    console.log(line)
    const total = /^ℹ (\w+) (\d+)$/.exec(line)
    if (total && total[1] in counts) counts[total[1]] = Number(total[2])
  }
  const status = child.exitCode ?? (child.signalCode ? 1 : (await once(child, 'exit'))[0])
  await host?.close(status !== 0)
  // A run that ended badly without naming a failed test is a failure all the same.
  const failed = Math.max(counts.fail + counts.cancelled, status === 0 ? 0 : 1)
  return {
    name: suite.name,
    passed: counts.pass,
    failed,
    files: own.length,
    skipped: counts.skipped + counts.todo,
    ms: Date.now() - started,
  }
}

/** The process that holds the clusters which the files of this run share. */
async function startHost() {
  const script = join('test', 'harness', 'shared-host.ts')
  const child = spawn(process.execPath, [...node, script], { cwd: root, stdio: ['pipe', 'pipe', 'inherit'] })
  const [port] = await once(createInterface({ input: child.stdout }), 'line')
  const close = async hasFailed => {
    child.stdin.end(hasFailed ? 'failed\n' : '')
    if (child.exitCode === null) await once(child, 'exit')
  }
  return { port, close }
}

/** Whether the programs of others that a file starts can be had here; noted if not. */
function canRun(suite, file) {
  if (suite.name === 'real' && file.includes('gssapi')) {
    isKerberosMissing = kerberosNeeds.some(program => !isInstalled(program))
    return !isKerberosMissing
  }
  if (suite.name !== 'foreign' && suite.name !== 'real' && suite.name !== 'nightly') return true
  const needs = foreignNeeds.filter(([word]) => file.includes(word)).flatMap(([, programs]) => programs)
  const missing =
    suite.name === 'nightly'
      ? prometheusNeeds.filter(program => file.endsWith('prometheus.test.ts') && !isInstalled(program))
      : missingPrograms(needs)
  if (missing.length > 0) leftOut.push(`${file}: ${missing.join(', ')}`)
  return missing.length === 0
}

function isInstalled(program) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin']
  return folders.some(folder => existsSync(join(folder, program)))
}

/** Which of the programs this machine lacks. */
function missingPrograms(programs) {
  return programs.filter(program => {
    if (program === 'python3') return spawnSync(program, ['-m', 'pip', '--version']).status !== 0
    const { status, stdout, stderr } = spawnSync(program, [program === 'go' ? 'version' : '-version'], {
      encoding: 'utf8',
    })
    if (status !== 0) return true
    // Kafka 4 needs Java 17; Java 8 calls itself 1.8.
    const version = /version "(\d+)/.exec(`${stdout}${stderr}`)
    return program === 'java' && version !== null && Number(version[1]) < 17
  })
}

function conclude() {
  const sum = key => results.reduce((total, result) => total + result[key], 0)
  console.log('')
  for (const { name, files: count, passed, failed, skipped, ms } of results) {
    console.log(
      `${name.padEnd(9)} ${count} files: ${passed} passed, ${failed} failed, ${skipped} skipped in ${(ms / 1000).toFixed(1)} s`,
    )
  }
  for (const [name, why] of notRun) console.log(`${name.padEnd(9)} did not run: ${why}`)
  const isRequired = process.env.OTTLA_REQUIRE_KAFKA === '1'
  if (isKafkaMissing) {
    const lines = [
      'The tests against REAL Apache Kafka did NOT run.',
      `Not found here: ${missingPrograms(['java', 'javac', 'mvn']).join(', ')} (a JDK >= 17 and Maven).`,
    ]
    if (isRequired) lines.push('OTTLA_REQUIRE_KAFKA=1 makes that a failure.')
    box(lines)
  }
  if (leftOut.length > 0) {
    const lines = ['Clients of others did NOT run against the embedded cluster. What is not found here:', ...leftOut]
    if (isRequired) lines.push('OTTLA_REQUIRE_KAFKA=1 makes that a failure.')
    box(lines)
  }
  const isKerberosRequired = process.env.OTTLA_REQUIRE_KERBEROS === '1'
  if (isKerberosMissing) {
    box([
      ...(isKerberosRequired ? ['OTTLA_REQUIRE_KERBEROS=1 makes the following a failure.'] : []),
      'GSSAPI (Kerberos) was NOT tested: a KDC, kinit or the headers are not installed here.',
      'Debian has them in krb5-kdc, krb5-admin-server, krb5-user and libkrb5-dev.',
    ])
  }
  const isMissing = isKafkaMissing || isKerberosMissing || leftOut.length > 0
  if (results.length === 0 && !isMissing) console.error('no test file matches')
  console.log(`${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`)
  const said = process.env.OTTLA_TEST_SUMMARY
  if (said !== undefined) writeFileSync(said, summary())
  const isRefused = (isRequired && (isKafkaMissing || leftOut.length > 0)) || (isKerberosRequired && isKerberosMissing)
  return sum('failed') > 0 || isRefused || (results.length === 0 && !isMissing) ? 1 : 0
}

/** For who ran this as one step of many, to say at the end: what ran, and what did not. */
function summary() {
  const ran = results.map(
    ({ name, files: count, passed, failed, skipped }) =>
      `ran      ${name}: ${count} files, ${passed} passed, ${failed} failed, ${skipped} skipped`,
  )
  const not = notRun.map(([name, why]) => `NOT run  ${name}: ${why}`)
  const parts = leftOut.map(why => `NOT run  ${why} not found`)
  if (isKerberosMissing) parts.push('NOT run  test/real/gssapi.test.ts: a KDC, kinit or the headers not found')
  return [...ran, ...not, ...parts].map(line => `${line}\n`).join('')
}

function box(lines) {
  const width = Math.max(...lines.map(line => line.length))
  console.log(`╔═${'═'.repeat(width)}═╗`)
  for (const line of lines) console.log(`║ ${line.padEnd(width)} ║`)
  console.log(`╚═${'═'.repeat(width)}═╝`)
}
