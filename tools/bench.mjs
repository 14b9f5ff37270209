// `npm run bench`: every way of producing and consuming, each run in a process of its own, as a table beside the last
// committed figures (bench/figures.json). Against the embedded cluster, or with `--brokers HOST:PORT` against one that
// runs. `--short` is for CI: few messages, and only a broken run fails. `--save` commits the figures to the file.
// `npm run bench -- produce ...` is `ottla bench produce ...`.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { cli, ensureBuilt } from './built.mjs'

const FIGURES = join(dirname(dirname(fileURLToPath(import.meta.url))), 'bench', 'figures.json')
const SHORT = 20

// Messages, and the options of `ottla bench`. What is consumed was produced by the first run of its row.
const scenarios = [
  { name: 'produce 100 B', operation: 'produce', count: 1_000_000, options: [] },
  { name: 'produce 100 B, send()', operation: 'produce', count: 500_000, options: ['--api', 'send'] },
  { name: 'produce 100 B, idempotent', operation: 'produce', count: 1_000_000, options: ['--idempotent'] },
  { name: 'produce 100 B, keys', operation: 'produce', count: 1_000_000, options: ['--keys'] },
  { name: 'produce 100 B, lz4', operation: 'produce', count: 1_000_000, options: ['--compression', 'lz4'] },
  { name: 'produce 1 KiB', operation: 'produce', count: 200_000, options: ['--size', '1024'] },
  { name: 'consume 100 B, batches()', operation: 'consume', count: 1_000_000, options: [] },
  { name: 'consume 100 B, for await', operation: 'consume', count: 1_000_000, options: ['--api', 'iterate'] },
  { name: 'consume 100 B, poll()', operation: 'consume', count: 1_000_000, options: ['--api', 'poll'] },
  { name: 'consume 1 KiB, batches()', operation: 'consume', count: 200_000, options: ['--size', '1024'] },
  { name: 'one message in flight', operation: 'latency', count: 2_000, options: [] },
]

ensureBuilt()
const args = process.argv.slice(2)
if (['produce', 'consume', 'latency'].includes(args[0])) {
  process.exit(spawnSync(process.execPath, [cli, 'bench', ...args], { stdio: 'inherit' }).status ?? 1)
}
const { values: chosen } = parseArgs({
  args,
  options: { brokers: { type: 'string', short: 'b' }, short: { type: 'boolean' }, save: { type: 'boolean' } },
})
const isShort = chosen.short === true
const world = `${chosen.brokers === undefined ? 'embedded cluster' : 'broker'}, node ${process.version.split('.')[0].slice(1)}`
const all = existsSync(FIGURES) ? JSON.parse(readFileSync(FIGURES, 'utf8')) : {}
const before = all[world] ?? {}
const now = {}
let broken = 0
for (const scenario of scenarios) {
  process.stderr.write(`% ${scenario.name}\n`)
  const result = await run(scenario)
  if (result === null) broken++
  else now[scenario.name] = result
}
print()
if (chosen.save === true && broken === 0) {
  writeFileSync(FIGURES, `${JSON.stringify({ ...all, [world]: now }, null, 2)}\n`)
}
process.exit(broken === 0 ? 0 : 1)

async function run({ name, operation, count, options }) {
  const messages = String(isShort ? Math.max(500, Math.floor(count / SHORT)) : count)
  const broker = chosen.brokers === undefined ? spawn(process.execPath, [cli, 'broker', '--port', '0']) : null
  try {
    const address = chosen.brokers ?? (await listening(broker))
    const topic = `bench-${process.pid}-${name.replaceAll(/[^a-z0-9]+/gi, '-')}`
    const where = ['--brokers', address, '--topic', topic, '--count', messages]
    if (operation === 'consume') {
      const size = options.includes('--size') ? ['--size', '1024'] : []
      if (bench('produce', [...where, ...size]) === null) return null
    }
    return bench(operation, [...where, ...options])
  } finally {
    if (broker !== null) {
      broker.kill('SIGTERM')
      await once(broker, 'exit')
    }
  }
}

/** Figures of one run, or null when it was not right. */
function bench(operation, options) {
  const { stdout, stderr, status } = spawnSync(process.execPath, [cli, 'bench', operation, ...options], {
    encoding: 'utf8',
  })
  if (status !== 0) {
    process.stderr.write(`% failed: ottla bench ${operation} ${options.join(' ')}\n${stderr}${stdout}`)
    return null
  }
  const result = JSON.parse(stdout.trim().split('\n').at(-1))
  return {
    messagesPerSecond: Math.round(result.msgs_per_s),
    cpuMicroseconds: round(((result.cpu_user_s + result.cpu_sys_s) / result.count) * 1e6),
    memoryMB: Math.round(result.maxrss_mb),
    ...(result.p50_us === undefined ? {} : { p50Microseconds: Math.round(result.p50_us) }),
  }
}

function round(value) {
  return Number(value.toPrecision(3))
}

function print() {
  const rows = [['', 'msgs/s', 'CPU us/msg', 'memory MB', 'p50 us', 'CPU, last time']]
  for (const { name } of scenarios) {
    const is = now[name]
    const was = before[name]
    const ratio =
      is && was ? `${was.cpuMicroseconds} (x ${(is.cpuMicroseconds / was.cpuMicroseconds).toFixed(2)})` : '-'
    if (is === undefined) rows.push([name, 'failed', '', '', '', ''])
    else {
      const p50 = is.p50Microseconds ?? ''
      const rate = is.messagesPerSecond.toLocaleString('en-US')
      rows.push([name, rate, String(is.cpuMicroseconds), String(is.memoryMB), String(p50), isShort ? '-' : ratio])
    }
  }
  const widths = rows[0].map((_, column) => Math.max(...rows.map(row => row[column].length)))
  console.log(`\n${world}${isShort ? ', few messages: the figures say nothing' : ''}`)
  for (const row of rows) {
    console.log(row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  '))
  }
}

/** What follows `listening on` in the broker's first line. */
async function listening(child) {
  child.stderr.pipe(process.stderr)
  const [line] = await once(child.stdout.setEncoding('utf8'), 'data')
  return line.trim().split(' ').at(-1)
}
