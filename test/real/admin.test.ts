import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AdminClient, Consumer, KafkaError } from 'ottla'
import { adminScenarios } from '../behaviour/admin.ts'
import { as, fresh } from '../behaviour/world.ts'
import { sharedKafka } from '../harness/shared.ts'
import { securedKafka } from './worlds.ts'

adminScenarios(securedKafka)

test('SCRAM credentials are set, told without the password, and taken away', async () => {
  const world = await securedKafka()
  const admin = new AdminClient(as(world, 'admin'))
  const user = fresh('scram')
  const [set] = await admin.alterUserScramCredentials([
    { user, mechanism: 'SCRAM-SHA-256', iterations: 4096, password: 'secret' },
  ])
  assert.equal(set?.error, undefined)
  let described = await admin.describeUserScramCredentials([user])
  // The broker that answers may learn of the change a moment after the one that made it.
  while (described[0]?.error !== undefined) described = await admin.describeUserScramCredentials([user])
  assert.deepEqual(described, [{ user, credentials: [{ mechanism: 'SCRAM-SHA-256', iterations: 4096 }] }])
  const [few] = await admin.alterUserScramCredentials([
    { user, mechanism: 'SCRAM-SHA-512', iterations: 1, password: 'secret' },
  ])
  assert.ok(few?.error instanceof KafkaError)
  const [gone] = await admin.alterUserScramCredentials([{ user, mechanism: 'SCRAM-SHA-256', delete: true }])
  assert.equal(gone?.error, undefined)
  await admin.close()
  await world.close()
})

test('an old broker is administered with the requests it knows', async () => {
  const cluster = await sharedKafka('old')
  const settings = { 'bootstrap.servers': cluster.bootstrapServers }
  const admin = new AdminClient(settings)
  const topic = fresh('old')
  const group = fresh('old-group')
  const [created] = await admin.createTopics([{ topic, numPartitions: 1 }])
  assert.equal(created?.error, undefined)
  assert.equal((await admin.describeCluster()).nodes.length, 1)
  const consumer = new Consumer({ ...settings, 'group.id': group, 'enable.partition.eof': true })
  consumer.subscribe(topic)
  while ((await consumer.poll(1000))?.type !== 'partition-eof');
  const [described] = await admin.describeConsumerGroups([group])
  assert.equal(described?.state, 'Stable')
  assert.equal(described.members[0]?.assignment[0]?.topic, topic)
  await consumer.close()
  assert.deepEqual(await admin.deleteTopics([topic]), [{ topic }])
  await admin.close()
  await cluster.close()
})
