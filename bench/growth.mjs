// `npm run bench:growth -- --brokers HOST:PORT`: what more partitions, more messages and more consumers cost, and the
// start. Each line is a process of its own; without `--brokers` the embedded cluster serves.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { cli, ensureBuilt } from '../tools/built.mjs'

const here = dirname(fileURLToPath(import.meta.url))
ensureBuilt()
const { values: chosen } = parseArgs({ options: { brokers: { type: 'string', short: 'b' } } })
const broker = chosen.brokers === undefined ? spawn(process.execPath, [cli, 'broker', '--port', '0']) : null
const brokers = chosen.brokers ?? (await listening(broker))
const { AdminClient } = await import('ottla')
const admin = new AdminClient({ 'bootstrap.servers': brokers })
const rows = [['', 'CPU us/msg', 'memory MB', 'note']]
try {
  for (const partitions of [4, 100, 1000]) {
    const topic = await made(partitions)
    row(`produce 100 B, ${partitions} partitions`, bench('produce', topic))
    row(`consume 100 B, ${partitions} partitions`, bench('consume', topic))
    const keyed = await made(partitions)
    row(`produce 100 B with keys, ${partitions} partitions`, bench('produce', keyed, ['--keys']))
    await admin.deleteTopics([topic, keyed])
  }
  for (const count of [1_000_000, 10_000_000]) {
    const topic = await made(4)
    const options = ['--count', String(count)]
    row(`produce ${count.toLocaleString('en-US')} messages`, bench('produce', topic, options))
    row(`consume ${count.toLocaleString('en-US')} messages`, bench('consume', topic, options))
    await admin.deleteTopics([topic])
  }
} finally {
  await admin.close()
  broker?.kill('SIGTERM')
}
for (const consumers of [1, 10, 100]) {
  const { stdout, stderr } = spawnSync(process.execPath, [join(here, 'many-consumers.mjs'), String(consumers)], {
    encoding: 'utf8',
  })
  if (stdout === '') throw new Error(stderr)
  const result = JSON.parse(stdout.trim().split('\n').at(-1))
  const note = `${result.complete ? 'all read' : 'NOT all read'}, longest silence ${result.longest_silence_ms} ms`
  rows.push([
    `${consumers} consumers in a process`,
    String(result.cpu_us_per_message),
    String(result.memory_mb),
    `${note}; the producer and the cluster included`,
  ])
}
rows.push(start())
const widths = rows[0].map((_, column) => Math.max(...rows.map(cells => cells[column].length)))
console.log(`node ${process.version}, ${broker === null ? 'broker' : 'embedded cluster'}`)
for (const cells of rows) {
  console.log(cells.map((cell, i) => (i % 3 === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  '))
}

function row(name, result) {
  const cpu = ((result.cpu_user_s + result.cpu_sys_s) / result.count) * 1e6
  rows.push([name, cpu.toFixed(2), String(Math.round(result.maxrss_mb)), result.checksum_ok ? '' : 'BROKEN'])
}

function bench(operation, topic, options = []) {
  const where = ['--brokers', brokers, '--topic', topic, '--count', '1000000']
  const { stdout, stderr } = spawnSync(process.execPath, [cli, 'bench', operation, ...where, ...options], {
    encoding: 'utf8',
  })
  if (stdout === '') throw new Error(stderr)
  return JSON.parse(stdout.trim().split('\n').at(-1))
}

async function made(partitions) {
  const topic = `growth-${process.pid}-${partitions}-${rows.length}`
  await admin.createTopics([{ topic, numPartitions: partitions }])
  // Every broker has to have heard of every partition.
  await new Promise(resolve => setTimeout(resolve, 2000))
  return topic
}

/** The median of what `import 'ottla'` takes in a bare Node. */
function start() {
  const program = `const m = process.memoryUsage().rss, t = performance.now(); await import('ottla')
    console.log(JSON.stringify([performance.now() - t, (process.memoryUsage().rss - m) / 2 ** 20]))`
  const runs = Array.from({ length: 9 }, () =>
    JSON.parse(
      spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8', cwd: here }).stdout,
    ),
  )
  const median = index => runs.map(each => each[index]).toSorted((a, b) => a - b)[4]
  return ["import 'ottla'", '', median(1).toFixed(0), `${median(0).toFixed(0)} ms, over a bare Node`]
}

async function listening(child) {
  child.stderr.pipe(process.stderr)
  const [line] = await once(child.stdout.setEncoding('utf8'), 'data')
  return line.trim().split(' ').at(-1)
}
