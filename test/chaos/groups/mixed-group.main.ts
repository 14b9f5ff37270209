/**
 * Groups of mixed clients: `npm run chaos:groups -- [--minutes 5] [--seed N] [range|roundrobin|cooperative-sticky|uniform]...`
 * Every message must be read, and each partition may have only one owner at a time.
 */
import { parseArgs } from 'node:util'
import { AdminClient } from 'ottla'
import { java, librdkafka } from '../../foreign/programs.ts'
import { startKafka } from '../../harness/kafka.ts'
import { seeded } from '../random.ts'
import { mixedGroup } from './mixed-group.ts'

const PARTITIONS = 12
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { minutes: { type: 'string', default: '5' }, seed: { type: 'string' }, quiet: { type: 'boolean' } },
})
const seconds = Number(values.minutes) * 60
const seed = Number(values.seed ?? Date.now() % 1_000_000)
const all = ['range', 'roundrobin', 'cooperative-sticky', 'uniform']
const assignors = positionals.length > 0 ? positionals : all

console.log(`seed ${seed}, ${seconds} s for each of ${assignors.join(', ')}`)
const kafka = await startKafka({ brokers: 1, config: { 'group.consumer.heartbeat.interval.ms': '500' } })
const peers = { java: await java(kafka.bootstrapServers), librdkafka: await librdkafka(kafka.bootstrapServers) }
const admin = new AdminClient({ 'bootstrap.servers': kafka.bootstrapServers })
let failures = 0
try {
  for (const assignor of assignors) {
    const topic = `mixed-${assignor}`
    const [created] = await admin.createTopics([{ topic, numPartitions: PARTITIONS, replicationFactor: 1 }])
    if (created?.error !== undefined) throw created.error
    const started = Date.now()
    const result = await mixedGroup({
      bootstrapServers: kafka.bootstrapServers,
      group: topic,
      topic,
      protocol: assignor === 'uniform' ? 'consumer' : 'classic',
      assignor,
      partitions: PARTITIONS,
      seconds,
      messages: 500,
      peers,
      random: seeded(seed),
      log: line => {
        if (values.quiet !== true) console.log(`  ${((Date.now() - started) / 1000).toFixed(1)} s ${line}`)
      },
    })
    const { written, missing, repeats, overlaps, histories } = result
    console.log(
      `${assignor}: ${written} messages, ${histories.length} members, ${missing.length} missing, ` +
        `${[...repeats.values()].reduce((sum, n) => sum + n, 0)} read again, ${overlaps.length} partitions owned twice`,
    )
    for (const [names, count] of repeats) console.log(`  ${count} read by ${names}`)
    for (const line of overlaps.slice(0, 10)) console.log(`  ${line}`)
    if (missing.length > 0) console.log(`  missing: ${missing.slice(0, 20).join(', ')}`)
    if (missing.length > 0 || overlaps.length > 0) failures++
  }
} finally {
  await admin.close()
  await Promise.all(Object.values(peers).map(peer => peer.close()))
  await kafka.close()
}
process.exitCode = failures > 0 ? 1 : 0
