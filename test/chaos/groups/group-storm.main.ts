/**
 * A group under a storm of faults: `npm run chaos:storm -- [--minutes 2] [--members 50] [--seed N] [classic|cooperative|consumer]...`
 * Three real brokers, one of them killed every few seconds. Afterwards the group must be stable within a minute, and
 * every message must have been read.
 */
import { parseArgs } from 'node:util'
import { AdminClient } from 'ottla'
import { startKafka } from '../../harness/kafka.ts'
import { seeded } from '../random.ts'
import { groupStorm } from './group-storm.ts'

const PARTITIONS = 60
const STABLE_WITHIN_MS = 60_000
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: 'string', default: '2' },
    members: { type: 'string', default: '50' },
    seed: { type: 'string' },
  },
})
const seed = Number(values.seed ?? Date.now() % 1_000_000)
const kinds = {
  classic: { protocol: 'classic', assignor: 'range' },
  cooperative: { protocol: 'classic', assignor: 'cooperative-sticky' },
  consumer: { protocol: 'consumer', assignor: 'uniform' },
} as const
const names = (positionals.length > 0 ? positionals : Object.keys(kinds)) as (keyof typeof kinds)[]

console.log(
  `seed ${seed}, ${values.minutes} min of storm over ${values.members} members for each of ${names.join(', ')}`,
)
const kafka = await startKafka({
  brokers: 3,
  config: {
    'group.consumer.heartbeat.interval.ms': '500',
    'group.consumer.session.timeout.ms': '6000',
    'group.consumer.min.session.timeout.ms': '3000',
    'group.min.session.timeout.ms': '3000',
    'offsets.topic.replication.factor': '3',
  },
})
const admin = new AdminClient({ 'bootstrap.servers': kafka.bootstrapServers })
const broker = (id: number): (typeof kafka.brokers)[number] => {
  const found = kafka.brokers.find(one => one.id === id)
  if (found === undefined) throw new Error(`there is no broker ${id}`)
  return found
}
let failures = 0
try {
  for (const name of names) {
    const topic = `storm-${name}`
    const [created] = await admin.createTopics([{ topic, numPartitions: PARTITIONS, replicationFactor: 3 }])
    if (created?.error !== undefined) throw created.error
    const started = Date.now()
    const result = await groupStorm({
      bootstrapServers: kafka.bootstrapServers,
      brokers: {
        bootstrapServers: kafka.bootstrapServers,
        ids: kafka.brokers.map(({ id }) => id),
        kill: id => broker(id).kill9(),
        restart: id => broker(id).restart(),
      },
      group: topic,
      topic,
      ...kinds[name],
      members: Number(values.members),
      partitions: PARTITIONS,
      seconds: Number(values.minutes) * 60,
      messages: 500,
      random: seeded(seed),
      log: line => {
        console.log(`  ${((Date.now() - started) / 1000).toFixed(1)} s ${line}`)
      },
      stableWithinMs: STABLE_WITHIN_MS,
    })
    const { stableAfterMs, written, missing, repeats, joined, crashed, kills } = result
    console.log(
      `${name}: stable after ${stableAfterMs} ms; ${joined} members joined, ${crashed} crashed, ${kills} brokers killed; ` +
        `${written} messages, ${missing.length} missing, ${repeats} read again`,
    )
    if (missing.length > 0) console.log(`  missing: ${missing.slice(0, 20).join(', ')}`)
    if (missing.length > 0 || stableAfterMs > STABLE_WITHIN_MS) failures++
  }
} finally {
  await admin.close()
  await kafka.close()
}
process.exitCode = failures > 0 ? 1 : 0
