// `npm run bench:traces -- [--rounds 8] [--messages 500000] [--brokers HOST:PORT] [--save]`: what @ottla/opentelemetry
// costs with spans per batch, for 100 B: CPU of the client's process per message, beside the same work with nothing
// subscribed, both in a program that uses OpenTelemetry's SDK: its context manager alone has Node.js before 24 follow every
// promise, which "without the SDK" shows. Each run has a process of its own; they take turns, and the medians of the
// rounds' ratios count. The spans are real: the SDK samples all of them and hands them in batches to an exporter that drops
// them. `--save`
// puts the table into bench/traces.md, which has one for each major version of Node.js.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { cli, ensureBuilt } from '../tools/built.mjs'

const VALUE = Buffer.alloc(100, 'x')
const PARTITIONS = 4
// Hundreds of batches: what is compiled by then is compiled once in a program's life.
const WARM_UP = 500_000
/** Messages produced in a turn of the event loop, and at most without a report. */
const BURST = 500
const OUTSTANDING = 20_000

const works = {
  produce: 'produce()',
  batches: 'batches()',
  batchHandler: 'run({ batchHandler })',
  handler: 'run({ handler })',
}
// What is subscribed: nothing; spans per batch as they are by default, without context in headers, and with a span of the
// program's around it all, whose context every message then carries.
const WITHOUT_SDK = 'without the SDK'
const variants = {
  [WITHOUT_SDK]: null,
  nothing: null,
  batch: { batch: 'batch' },
  'batch, propagate: false': { batch: 'batch', propagate: false },
  'batch, in a span': { batch: 'batch' },
}

const { values: given } = parseArgs({
  options: {
    brokers: { type: 'string', short: 'b' },
    messages: { type: 'string', default: '500000' },
    rounds: { type: 'string', default: '8' },
    save: { type: 'boolean', default: false },
    // For the processes that this one starts.
    work: { type: 'string' },
    variant: { type: 'string', default: 'nothing' },
    topic: { type: 'string', default: '' },
  },
})
const messages = Number(given.messages)
const rounds = Number(given.rounds)

if (given.work !== undefined) {
  console.log(JSON.stringify({ micros: await measure(given.work, given.variant, given.topic, given.brokers) }))
  process.exit(0)
}
ensureBuilt()
await compare()

async function compare() {
  const broker = given.brokers === undefined ? spawn(process.execPath, [cli, 'broker', '--port', '0']) : null
  const brokers = given.brokers ?? (await listening(broker))
  const results = new Map()
  try {
    for (let round = 0; round < rounds; round++) {
      for (const work of Object.keys(works)) {
        for (const variant of Object.keys(variants)) {
          process.stderr.write(`% ${work}, ${variant}, ${round + 1} of ${rounds}\n`)
          const key = `${work} ${variant}`
          const topic = await made(brokers, `bench-${process.pid}-${round}-${work}-${results.size}`)
          // What is consumed was produced in the same way.
          if (work !== 'produce') inProcess('produce', variant, topic, brokers)
          results.set(key, [...(results.get(key) ?? []), inProcess(work, variant, topic, brokers)])
          await gone(brokers, topic)
        }
      }
    }
  } finally {
    broker?.kill('SIGTERM')
  }
  const text = report(results)
  console.log(text)
  if (given.save) save(text)
}

async function made(brokers, topic) {
  await administer(brokers, admin => admin.createTopics([{ topic, numPartitions: PARTITIONS }]))
  return topic
}

// The embedded cluster keeps messages in memory.
async function gone(brokers, topic) {
  await administer(brokers, admin => admin.deleteTopics([topic]))
}

async function administer(brokers, work) {
  const { AdminClient } = await import('ottla')
  const admin = new AdminClient({ 'bootstrap.servers': brokers })
  try {
    await work(admin)
  } finally {
    await admin.close()
  }
}

/** CPU per message, in microseconds. */
function inProcess(work, variant, topic, brokers) {
  const options = { work, variant, topic, brokers, messages: String(work === 'handler' ? messages / 5 : messages) }
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value])
  const { stdout, stderr, status } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), ...args], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`${work}, ${variant}: ${stderr}${stdout}`)
  return JSON.parse(stdout).micros
}

async function measure(work, variant, topic, brokers) {
  const api = await import('@opentelemetry/api')
  const tracer = variant === WITHOUT_SDK ? null : await tracerOf(api, variants[variant])
  const within = variant.endsWith('in a span') ? body => tracer.startActiveSpan('bench', body) : body => body()
  return within(() => (work === 'produce' ? produce(topic, brokers) : consume(work, topic, brokers)))
}

/** Sets up an SDK whose exporter drops everything, and with options the instrumentation. @returns a tracer */
async function tracerOf(api, options) {
  const { AsyncLocalStorageContextManager } = await import('@opentelemetry/context-async-hooks')
  const { W3CTraceContextPropagator } = await import('@opentelemetry/core')
  const { BasicTracerProvider, BatchSpanProcessor } = await import('@opentelemetry/sdk-trace-base')
  const { registerInstrumentations } = await import('@opentelemetry/instrumentation')
  const { OttlaInstrumentation } = await import('@ottla/opentelemetry')
  const exporter = { export: (_, done) => done({ code: 0 }), shutdown: () => Promise.resolve() }
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] })
  api.context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  api.propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  if (options !== null) {
    registerInstrumentations({ tracerProvider, instrumentations: [new OttlaInstrumentation(options)] })
  }
  const tracer = tracerProvider.getTracer('bench')
  // The program has had a span.
  tracer.startActiveSpan('bench', span => span.end())
  return tracer
}

/** @returns CPU per message, in microseconds */
async function produce(topic, brokers) {
  const { Producer } = await import('ottla')
  const producer = new Producer({ 'bootstrap.servers': brokers, 'linger.ms': 5 })
  let reports = 0
  const onReport = ({ error }) => {
    if (error !== undefined) throw error
    reports++
  }
  let produced = 0
  const until = async count => {
    while (produced < count) {
      for (let i = 0; i < BURST && produced < count && produced - reports < OUTSTANDING; i++, produced++) {
        producer.produce({ topic, value: VALUE }, onReport)
      }
      await new Promise(resolve => setImmediate(resolve))
    }
    await producer.flush()
  }
  await until(WARM_UP)
  const stop = stopwatch()
  await until(WARM_UP + messages)
  const micros = stop(messages)
  await producer.close()
  return micros
}

/** @returns CPU per message, in microseconds */
async function consume(work, topic, brokers) {
  const { Consumer } = await import('ottla')
  const consumer = new Consumer({
    'bootstrap.servers': brokers,
    'group.id': topic,
    'auto.offset.reset': 'earliest',
  })
  consumer.subscribe(topic)
  const done = new AbortController()
  const warmUp = Math.min(WARM_UP, messages)
  let read = 0
  let stop = null
  let micros = 0
  const count = more => {
    read += more
    if (stop === null && read >= warmUp) stop = { from: read, end: stopwatch() }
    if (read < warmUp + messages || done.signal.aborted) return
    micros = stop.end(read - stop.from)
    done.abort()
  }
  if (work === 'batches') {
    for await (const batch of consumer.batches()) {
      readAll(batch)
      count(batch.length)
      if (done.signal.aborted) break
    }
  } else if (work === 'batchHandler') {
    await consumer.run({ signal: done.signal, batchHandler: batch => (readAll(batch), count(batch.length)) })
  } else {
    await consumer.run({ signal: done.signal, handler: () => count(1) })
  }
  await consumer.close()
  return micros
}

function readAll(batch) {
  for (const { value } of batch) if (value.length !== VALUE.length) throw new Error('another value')
}

/** @returns ends the measurement of so many messages */
function stopwatch() {
  const before = process.cpuUsage()
  return count => {
    const { user, system } = process.cpuUsage(before)
    return (user + system) / count
  }
}

function report(results) {
  const rows = [['', ...Object.keys(variants)]]
  for (const [work, name] of Object.entries(works)) {
    const plain = results.get(`${work} nothing`)
    const cells = Object.keys(variants).map(variant => {
      const measured = results.get(`${work} ${variant}`)
      const micros = `${median(measured).toFixed(3)} µs`
      if (variants[variant] === null) return micros
      return `${micros} (x ${median(measured.map((each, round) => each / plain[round])).toFixed(2)})`
    })
    rows.push([name, ...cells])
  }
  const widths = rows[0].map((_, column) => Math.max(...rows.map(row => row[column].length)))
  const line = row => `| ${row.map((cell, i) => cell.padEnd(widths[i])).join(' | ')} |`
  const [head, ...body] = rows
  const where = given.brokers === undefined ? 'an embedded cluster in another process' : 'a broker that runs already'
  return [
    `## Node.js ${process.version}`,
    '',
    `${messages.toLocaleString('en')} messages (of \`run({ handler })\` a fifth), medians of ${rounds} rounds in turns`,
    `against ${where}, ${availableParallelism()} cores (${cpus()[0]?.model ?? 'unknown'}).`,
    '',
    line(head),
    line(widths.map(width => '-'.repeat(width))),
    ...body.map(line),
    '',
  ].join('\n')
}

const intro = () => `# What traces cost

CPU of the client's process per message of ${VALUE.length} bytes, with \`@ottla/opentelemetry\` (\`batch: 'batch'\`) and without.
In brackets the ratio to the second column: the same program with OpenTelemetry's SDK, but without that package. Its
context manager alone has Node.js 20 and 22 follow every promise and callback, as the difference to the first column
shows. The last column is for a program that produces, or consumes what was produced, within a span of its own: every
message then carries that context in its headers, 70 bytes more. \`npm run bench:traces\` measures it again.
`

/** In place of what was measured with the same major version. */
function save(section) {
  const file = new URL('traces.md', import.meta.url)
  const major = section.slice(0, section.indexOf('.', '## Node.js v'.length) + 1)
  const saved = existsSync(file)
    ? readFileSync(file, 'utf8')
        .split(/(?=^## )/m)
        .slice(1)
    : []
  const others = saved.filter(each => !each.startsWith(major)).map(each => each.trimEnd())
  const sections = [...others, section.trimEnd()].sort().reverse()
  writeFileSync(file, [intro(), ...sections.map(each => `${each}\n`)].join('\n'))
}

/** What follows `listening on` in the broker's first line. */
async function listening(child) {
  child.stderr.pipe(process.stderr)
  const [text] = await once(child.stdout.setEncoding('utf8'), 'data')
  return text.trim().split(' ').at(-1)
}

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}
