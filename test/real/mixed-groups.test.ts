/** A short run of `npm run chaos:groups`: our members, Java's and librdkafka's in one group. */
import { after, before, test } from 'node:test'
import assert from 'node:assert/strict'
import { AdminClient } from 'ottla'
import { fresh } from '../behaviour/world.ts'
import { mixedGroup } from '../chaos/groups/mixed-group.ts'
import { seeded } from '../chaos/random.ts'
import type { Peer } from '../foreign/peer.ts'
import { java, librdkafka } from '../foreign/programs.ts'
import { sharedKafka, type SharedKafka } from '../harness/shared.ts'
import { createTopic } from '../harness/topics.ts'

const PARTITIONS = 6
const SECONDS = 3

let kafka: SharedKafka
let admin: AdminClient
let peers: Record<string, Peer>

before(async () => {
  kafka = await sharedKafka('single')
  admin = new AdminClient({ 'bootstrap.servers': kafka.bootstrapServers })
  peers = { java: await java(kafka.bootstrapServers), librdkafka: await librdkafka(kafka.bootstrapServers) }
})

after(async () => {
  await Promise.all(Object.values(peers).map(peer => peer.close()))
  await admin.close()
  await kafka.close()
})

for (const [protocol, assignor] of [
  ['classic', 'cooperative-sticky'],
  ['consumer', 'uniform'],
] as const) {
  test(`with members of three clients coming and going nothing is lost and nothing owned twice: ${assignor}`, async () => {
    const topic = fresh('mixed')
    await createTopic(kafka.bootstrapServers, topic, { numPartitions: PARTITIONS, replicationFactor: 1 })
    if (protocol === 'consumer') {
      const entries = [{ name: 'consumer.heartbeat.interval.ms', value: '500', operation: 'set' }] as const
      await admin.incrementalAlterConfigs([{ type: 'group', name: topic, entries }])
    }
    const lines: string[] = []
    const result = await mixedGroup({
      bootstrapServers: kafka.bootstrapServers,
      group: topic,
      topic,
      protocol,
      assignor,
      partitions: PARTITIONS,
      seconds: SECONDS,
      messages: 200,
      peers,
      random: seeded(1),
      log: line => lines.push(line),
    })
    assert.ok(result.written > 0)
    assert.deepEqual(result.missing, [], lines.join('\n'))
    assert.deepEqual(result.overlaps, [], lines.join('\n'))
  })
}
