/** A short run of `npm run chaos:storm`, on embedded brokers. */
import { after, before, test } from 'node:test'
import assert from 'node:assert/strict'
import { EmbeddedCluster } from '@ottla/broker'
import { AdminClient } from 'ottla'
import { groupStorm } from '../chaos/groups/group-storm.ts'
import { seeded } from '../chaos/random.ts'

const PARTITIONS = 20
let cluster: EmbeddedCluster
let admin: AdminClient

before(async () => {
  cluster = await EmbeddedCluster.start({ brokers: 3 })
  admin = new AdminClient({ 'bootstrap.servers': cluster.bootstrapServers })
})

after(async () => {
  await admin.close()
  await cluster.close()
})

for (const [protocol, assignor] of [
  ['classic', 'range'],
  ['classic', 'cooperative-sticky'],
  ['consumer', 'uniform'],
] as const) {
  test(`a storm of members, crashes and lost coordinators ends in a stable group with nothing lost: ${assignor}`, async () => {
    const topic = `storm-${assignor}`
    cluster.createTopic(topic, { partitions: PARTITIONS, replicationFactor: 3 })
    if (protocol === 'consumer') {
      const entries = [
        { name: 'consumer.heartbeat.interval.ms', value: '200', operation: 'set' },
        { name: 'consumer.session.timeout.ms', value: '6000', operation: 'set' },
      ] as const
      await admin.incrementalAlterConfigs([{ type: 'group', name: topic, entries }])
    }
    const lines: string[] = []
    const result = await groupStorm({
      bootstrapServers: cluster.bootstrapServers,
      brokers: {
        bootstrapServers: cluster.bootstrapServers,
        ids: [1, 2, 3],
        kill: id => cluster.brokerDown(id),
        restart: id => cluster.brokerUp(id),
      },
      group: topic,
      topic,
      protocol,
      assignor,
      members: 16,
      partitions: PARTITIONS,
      seconds: 5,
      messages: 200,
      random: seeded(7),
      log: line => lines.push(line),
      stableWithinMs: 60_000,
    })
    assert.ok(result.kills > 0)
    assert.ok(result.stableAfterMs < Infinity, lines.join('\n'))
    assert.deepEqual(result.missing, [], lines.join('\n'))
  })
}
