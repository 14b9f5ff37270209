/**
 * A share group on brokers that crash: `npm run chaos:share -- [--minutes 2] [--members 6] [--seed N]`. Three real
 * brokers; every message must be processed and accepted, and no accepted message may be delivered again.
 */
import { parseArgs } from 'node:util'
import { AdminClient } from 'ottla'
import { startKafka } from '../../harness/kafka.ts'
import { seeded } from '../random.ts'
import { shareChaos } from './share-chaos.ts'

const PARTITIONS = 6
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '2' },
    members: { type: 'string', default: '6' },
    seed: { type: 'string' },
  },
})
const seed = Number(values.seed ?? Date.now() % 1_000_000)
console.log(`seed ${seed}, ${values.minutes} min, ${values.members} members`)
const kafka = await startKafka({
  brokers: 3,
  config: {
    'offsets.topic.replication.factor': '3',
    'share.coordinator.state.topic.replication.factor': '3',
    'share.coordinator.state.topic.min.isr': '2',
    'share.coordinator.state.topic.num.partitions': '6',
  },
})
const broker = (id: number): (typeof kafka.brokers)[number] => {
  const found = kafka.brokers.find(one => one.id === id)
  if (found === undefined) throw new Error(`there is no broker ${id}`)
  return found
}
const started = Date.now()
try {
  const admin = new AdminClient({ 'bootstrap.servers': kafka.bootstrapServers })
  const topic = 'share-chaos'
  const [created] = await admin.createTopics([{ topic, numPartitions: PARTITIONS, replicationFactor: 3 }])
  await admin.close()
  if (created?.error !== undefined) throw created.error
  const { written, missing, repeats, afterAccepted, kills, joined } = await shareChaos({
    brokers: {
      bootstrapServers: kafka.bootstrapServers,
      ids: kafka.brokers.map(({ id }) => id),
      kill: id => broker(id).kill9(),
      restart: id => broker(id).restart(),
    },
    topic,
    group: 'share-chaos',
    partitions: PARTITIONS,
    members: Number(values.members),
    seconds: Number(values.minutes) * 60,
    messages: 500,
    random: seeded(seed),
    log: line => {
      console.log(`  ${((Date.now() - started) / 1000).toFixed(1)} s ${line}`)
    },
    doneWithinMs: 90_000,
  })
  console.log(
    `${written} messages, ${missing.length} missing, ${repeats} processed again, ${afterAccepted} after they were accepted; ` +
      `${joined} members joined, ${kills} brokers killed`,
  )
  if (missing.length > 0) console.log(`  missing: ${missing.slice(0, 20).join(', ')}`)
  process.exitCode = missing.length > 0 || afterAccepted > 0 ? 1 : 0
} finally {
  await kafka.close()
}
