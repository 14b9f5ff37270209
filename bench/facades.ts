/**
 * `npm run bench:facades -- [--originals FOLDER] [--brokers HOST:PORT] [--produce 200000] [--consume 1000000]
 * [--rounds 5] [--only kafkajs] [--save]`: the old clients beside the packages that stand in for them, on the same
 * work: messages per second, and CPU of the client's process per message. Each run has a process of its own; the clients
 * take turns, and the median of the rounds counts. FOLDER is one in which `node-rdkafka` and
 * `@confluentinc/kafka-javascript` are installed; what is not there is left out. Without `--brokers` against an embedded
 * cluster in another process. `--save` writes bench/facades.md. Needs a build (`npm run build`).
 */
import { AdminClient } from 'ottla'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism, cpus } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { format, resolveConfig } from 'prettier'
import { measureConfluent } from './facades/kafka-javascript.ts'
import { measureKafkaJS } from './facades/kafkajs.ts'
import type { Job, Measured, Work } from './facades/meter.ts'
import { measureRdkafka } from './facades/node-rdkafka.ts'
import { report, type Pair } from './facades/report.ts'

const measures = {
  kafkajs: measureKafkaJS,
  'node-rdkafka': measureRdkafka,
  '@confluentinc/kafka-javascript': measureConfluent,
}
/** Old clients, each with its facade. */
const pairs: readonly (Pair & { readonly old: keyof typeof measures })[] = [
  { old: 'kafkajs', facade: '@ottla/kafkajs' },
  { old: 'node-rdkafka', facade: '@ottla/node-rdkafka' },
  { old: '@confluentinc/kafka-javascript', facade: '@ottla/kafka-javascript' },
]
const works: readonly Work[] = ['produce', 'consume']
const PARTITIONS = 4
/** Of the messages that count. */
const WARM_UP = 0.2
const ROUND_TO = 1000

const { values: given } = parseArgs({
  options: {
    originals: { type: 'string', default: '.' },
    brokers: { type: 'string' },
    produce: { type: 'string', default: '200000' },
    consume: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '5' },
    only: { type: 'string', default: '' },
    save: { type: 'boolean', default: false },
    // For the processes that this one starts: what to measure, and the job as JSON.
    measure: { type: 'string' },
    client: { type: 'string', default: '' },
    job: { type: 'string', default: '' },
  },
})

if (given.measure === undefined) {
  await compare()
} else {
  const measure = measures[given.measure as keyof typeof measures]
  const module: unknown = createRequire(import.meta.url)(given.client)
  console.log(JSON.stringify(await measure(module, JSON.parse(given.job) as Job)))
  process.exit(0)
}

async function compare(): Promise<void> {
  const { brokers, stop } = given.brokers === undefined ? await startBroker() : { brokers: given.brokers, stop: noop }
  const admin = new AdminClient({ 'bootstrap.servers': brokers })
  const results = new Map<string, Measured[]>()
  const present = pairs.filter(({ old }) => old.includes(given.only) && pathOf(old) !== null)
  const rounds = Number(given.rounds)
  try {
    const full = await newTopic(admin, 'full')
    run('kafkajs', pathOf('@ottla/kafkajs') ?? '', { ...job('consume', brokers, full), work: 'produce' })
    for (let round = 1; round <= rounds; round++) {
      for (const { old, facade } of present) {
        for (const work of works) {
          for (const client of [old, facade]) {
            process.stderr.write(`% ${work} ${client}, ${round} of ${rounds}\n`)
            const topic = work === 'consume' ? full : await newTopic(admin, `${round}-${client.replace(/\W/g, '')}`)
            const measured = run(old, pathOf(client) ?? '', job(work, brokers, topic))
            if (work === 'produce') await admin.deleteTopics([topic])
            results.set(`${work} ${client}`, [...(results.get(`${work} ${client}`) ?? []), measured])
          }
        }
      }
    }
    await admin.deleteTopics([full])
  } finally {
    await admin.close()
    stop()
  }
  const text = report(results, present, works, [
    `${count(given.consume)} messages of 100 bytes consumed with \`eachBatch\` (node-rdkafka: \`consume(1000)\`), and ${count(given.produce)} produced in`,
    `calls of 1000, four of which are under way (node-rdkafka: as many messages that wait for their report); ${PARTITIONS} partitions,`,
    `after ${WARM_UP * 100} % more that do not count. Medians of ${rounds} rounds against ${given.brokers === undefined ? 'an embedded cluster' : 'Apache Kafka on the same machine'}, Node.js ${process.version},`,
    `${availableParallelism()} cores (${cpus()[0]?.model ?? 'unknown'}). \`npm run bench:facades\` measures it again.`,
  ])
  console.log(text)
  if (given.save) {
    const page = fileURLToPath(new URL('facades.md', import.meta.url))
    writeFileSync(page, await format(text, { ...(await resolveConfig(page)), filepath: page }))
  }
}

function job(work: Work, brokers: string, topic: string): Job {
  const messages = Number(given[work])
  return { work, brokers, topic, messages, warmUp: Math.ceil((messages * WARM_UP) / ROUND_TO) * ROUND_TO }
}

/** Measures in a process of its own. @param path of the client's package */
function run(measure: string, path: string, work: Job): Measured {
  const args = ['--measure', measure, '--client', path, '--job', JSON.stringify(work)]
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--import', 'tsx', fileURLToPath(import.meta.url), ...args],
    { encoding: 'utf8' },
  )
  if (status !== 0) throw new Error(`${path} cannot ${work.work}: ${stderr}`)
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Measured
}

/** Where a client's package begins; null if it is not installed. */
function pathOf(client: string): string | null {
  for (const folder of [resolve(given.originals), fileURLToPath(new URL('..', import.meta.url))]) {
    try {
      return createRequire(join(folder, 'package.json')).resolve(client)
    } catch {
      // It may be in the other one.
    }
  }
  return null
}

async function newTopic(admin: AdminClient, name: string): Promise<string> {
  const topic = `bench-${process.pid}-${name}`
  await admin.createTopics([{ topic, numPartitions: PARTITIONS }])
  return topic
}

async function startBroker(): Promise<{ brokers: string; stop: () => void }> {
  const cli = fileURLToPath(new URL('../packages/cli/bin/ottla.js', import.meta.url))
  const child = spawn(process.execPath, [cli, 'broker', '--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const brokers = /127\.0\.0\.1:\d+/.exec(String(line))?.[0]
  if (brokers === undefined) throw new Error(`the broker does not say where it listens: ${String(line)}`)
  return { brokers, stop: () => void child.kill() }
}

function count(text: string): string {
  return Number(text).toLocaleString('en')
}

function noop(): void {
  // A broker that runs already goes on.
}
