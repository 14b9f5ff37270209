/**
 * `npm run bench:facades -- [--brokers HOST:PORT] [--messages 200000] [--rounds 5] [--save]`: the old clients beside the packages
 * that stand in for them, on the same work: messages per second, and CPU of the client's process per message. Each run
 * has a process of its own; the clients take turns, and the median of the rounds counts. Without `--brokers` against an
 * embedded cluster in another process. `--save` writes bench/facades.md.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Kafka as KafkaClass } from '@ottla/kafkajs'

interface Measured {
  readonly perSecond: number
  readonly cpuMicros: number
}

type Work = 'produce' | 'consume'

/** Old clients, each with its facade. */
const pairs = [{ old: 'kafkajs', facade: '@ottla/kafkajs' }] as const
const works: readonly Work[] = ['produce', 'consume']
const BATCH = 1000
const IN_FLIGHT = 4
const VALUE_BYTES = 100

const { values: given } = parseArgs({
  options: {
    brokers: { type: 'string' },
    messages: { type: 'string', default: '200000' },
    rounds: { type: 'string', default: '5' },
    save: { type: 'boolean', default: false },
    // For the processes that this one starts.
    work: { type: 'string' },
    client: { type: 'string', default: '' },
    topic: { type: 'string', default: '' },
  },
})
const messages = Number(given.messages)

if (given.work !== undefined) {
  const measured = await measure(given.work as Work, given.client, given.topic, given.brokers ?? '')
  console.log(JSON.stringify(measured))
  process.exit(0)
}
await compare()

async function compare(): Promise<void> {
  const { brokers, stop } = given.brokers === undefined ? await startBroker() : { brokers: given.brokers, stop: noop }
  const results = new Map<string, Measured[]>()
  try {
    for (let round = 0; round < Number(given.rounds); round++) {
      for (const { old, facade } of pairs) {
        const topic = `bench-${process.pid}-${round}-${old}`
        for (const work of works) {
          // What the old client consumes, the facade consumes, too.
          for (const client of [old, facade]) {
            const key = `${work} ${client}`
            process.stderr.write(`% ${key}, ${round + 1} of ${given.rounds}\n`)
            const read = work === 'produce' ? `${topic}-${client.replace(/\W/g, '')}` : `${topic}-${old}`
            results.set(key, [...(results.get(key) ?? []), inProcess(work, client, read, brokers)])
          }
        }
      }
    }
  } finally {
    stop()
  }
  const text = report(results)
  console.log(text)
  if (given.save) writeFileSync(new URL('facades.md', import.meta.url), text)
}

function inProcess(work: Work, client: string, topic: string, brokers: string): Measured {
  const options = { work, client, topic, brokers, messages: String(messages) }
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value])
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--import', 'tsx', fileURLToPath(import.meta.url), ...args],
    { encoding: 'utf8' },
  )
  if (status !== 0) throw new Error(`${client} cannot ${work}: ${stderr}`)
  return JSON.parse(stdout) as Measured
}

async function measure(work: Work, client: string, topic: string, brokers: string): Promise<Measured> {
  const { Kafka } = (await import(client)) as { readonly Kafka: typeof KafkaClass }
  const kafka = new Kafka({ brokers: brokers.split(','), logCreator: () => () => undefined })
  return work === 'produce' ? produce(kafka, topic) : consume(kafka, topic)
}

/** Sends batches, a few at a time, as fast as they are acknowledged. */
async function produce(kafka: KafkaClass, topic: string): Promise<Measured> {
  const producer = kafka.producer()
  await producer.connect()
  const value = Buffer.alloc(VALUE_BYTES, 'x')
  const send = (): Promise<unknown> =>
    producer.send({ topic, messages: Array.from({ length: BATCH }, (_, i) => ({ key: String(i), value })) })
  await send()
  const stop = stopwatch()
  let left = messages / BATCH
  const worker = async (): Promise<void> => {
    while (left-- > 0) await send()
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker))
  const measured = stop(messages)
  await producer.disconnect()
  return measured
}

/** Reads with `eachBatch` until all messages are there, from the first batch on. */
async function consume(kafka: KafkaClass, topic: string): Promise<Measured> {
  const consumer = kafka.consumer({ groupId: `bench-${process.pid}` })
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  const measured = await new Promise<Measured>((resolve, reject) => {
    let read = 0
    let first = 0
    let stop: ReturnType<typeof stopwatch> | null = null
    const eachBatch: Parameters<typeof consumer.run>[0] = {
      eachBatch: ({ batch }) => {
        read += batch.messages.length
        first ||= read
        stop ??= stopwatch()
        if (read >= messages) resolve(stop(read - first))
        return Promise.resolve()
      },
    }
    consumer.run(eachBatch).catch(reject)
  })
  await consumer.disconnect()
  return measured
}

/** @returns ends the measurement of so many messages */
function stopwatch(): (count: number) => Measured {
  const [at, before] = [performance.now(), process.cpuUsage()]
  return count => {
    const { user, system } = process.cpuUsage(before)
    return { perSecond: (1000 * count) / (performance.now() - at), cpuMicros: (user + system) / count }
  }
}

function report(results: ReadonlyMap<string, readonly Measured[]>): string {
  const median = (key: string, of: (each: Measured) => number): number => {
    const sorted = (results.get(key) ?? []).map(of).sort((a, b) => a - b)
    return sorted[Math.floor(sorted.length / 2)] ?? NaN
  }
  const rows = pairs.flatMap(({ old, facade }) =>
    works.map(work => {
      const [slow, fast] = [`${work} ${old}`, `${work} ${facade}`]
      const [before, after] = [slow, fast].map(key => median(key, each => each.perSecond)) as [number, number]
      const [cpuBefore, cpuAfter] = [slow, fast].map(key => median(key, each => each.cpuMicros)) as [number, number]
      const count = (perSecond: number): string => Math.round(perSecond).toLocaleString('en')
      const cells = [
        `${work}, ${old}`,
        count(before),
        count(after),
        `${(after / before).toFixed(1)} times`,
        `${cpuBefore.toFixed(2)} µs`,
        `${cpuAfter.toFixed(2)} µs`,
        `${Math.round((100 * cpuAfter) / cpuBefore)} %`,
      ]
      return `| ${cells.join(' | ')} |`
    }),
  )
  const where = given.brokers === undefined ? 'an embedded cluster' : 'a broker that runs already'
  return [
    '# The old clients, and the packages that stand in for them',
    '',
    `${messages.toLocaleString('en')} messages of ${VALUE_BYTES} bytes, in calls of ${BATCH} of which ${IN_FLIGHT} are under way, consumed with`,
    `\`eachBatch\`; medians of ${given.rounds} rounds against ${where}, Node.js ${process.version},`,
    `${availableParallelism()} cores (${cpus()[0]?.model ?? 'unknown'}). \`npm run bench:facades\` measures it again.`,
    '',
    '| work | messages/s, old | new | | CPU per message, old | new | |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n')
}

async function startBroker(): Promise<{ brokers: string; stop: () => void }> {
  const cli = fileURLToPath(new URL('../packages/cli/bin/ottla.js', import.meta.url))
  const child = spawn(process.execPath, [cli, 'broker', '--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const brokers = /127\.0\.0\.1:\d+/.exec(String(line))?.[0]
  if (brokers === undefined) throw new Error(`the broker does not say where it listens: ${String(line)}`)
  return { brokers, stop: () => void child.kill() }
}

function noop(): void {
  // A broker that runs already goes on.
}
