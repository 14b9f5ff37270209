import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AdminClient, Consumer, ErrorCode, KafkaError } from 'ottla'
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
  const [left] = await admin.removeMembersFromConsumerGroup(group, undefined, { reason: 'not known here' })
  assert.equal(left?.error, undefined)
  await consumer.close()

  const { groups } = await admin.listGroups({ types: ['classic'] })
  assert.ok(groups.some(g => g.groupId === group))
  const zero = { topic, partition: 0 }
  const [elected] = await admin.electLeaders('preferred', [zero])
  assert.equal(elected?.error?.code, ErrorCode.ERR_ELECTION_NOT_NEEDED)
  assert.deepEqual(await admin.listPartitionReassignments(), [])
  const [{ logDirs } = { logDirs: [] }] = await admin.describeLogDirs(undefined, { partitions: [zero] })
  assert.equal(logDirs[0]?.replicas.length, 1)
  assert.deepEqual((await admin.listTransactions({ states: ['Ongoing'], minDurationMs: 1000 })).errors, [])
  assert.equal((await admin.describeMetadataQuorum()).voters.length, 1)
  assert.ok((await admin.describeFeatures()).finalized['metadata.version'])
  const resource = { type: 'topic', name: topic } as const
  assert.deepEqual(await admin.alterConfigs([{ ...resource, entries: [] }]), [resource])
  const refused = (error: unknown): boolean =>
    error instanceof KafkaError && error.code === ErrorCode.ERR__UNSUPPORTED_FEATURE
  // Nothing is done as something else that an old broker knows.
  await assert.rejects(admin.listConfigResources(['topic']), refused)
  await assert.rejects(admin.listShareGroupOffsets(group), refused)
  await assert.rejects(
    admin.alterPartitionReassignments([{ ...zero, replicas: [1] }], { allowReplicationFactorChange: false }),
    refused,
  )
  const patterned = await admin.listTransactions({ transactionalIdPattern: 'x' })
  assert.equal(patterned.errors[0]?.code, ErrorCode.ERR__UNSUPPORTED_FEATURE)
  assert.deepEqual(await admin.deleteTopics([topic]), [{ topic }])
  await admin.close()
  await cluster.close()
})
