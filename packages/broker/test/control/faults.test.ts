/** A request that fails on command is not carried out, and nothing of a cluster outlives its close. */
import { connect } from 'node:net'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import assert from 'node:assert/strict'
import {
  ApiKey,
  BatchWriter,
  DeleteAcls,
  DeleteTopics,
  DescribeAcls,
  ErrorCode,
  JoinGroup,
  ListGroups,
  ListOffsets,
  OffsetCommit,
  OffsetFetch,
  Produce,
  codecByName,
} from '@ottla/protocol'
import { Faults } from '../../src/control/faults.ts'
import { EmbeddedCluster } from '../../src/index.ts'
import { WireClient } from '../wire-client.ts'

let cluster: EmbeddedCluster
let client: WireClient

before(async () => {
  cluster = await EmbeddedCluster.start({ acls: [], superUsers: ['User:ANONYMOUS'] })
  cluster.createTopic('t', { partitions: 1 })
  client = await WireClient.connect(cluster.bootstrapServers)
})

after(async () => {
  client.close()
  await cluster.close()
})

function produce(codec: 'none' | 'zstd' = 'none'): Promise<number> {
  const writer = new BatchWriter()
  writer.append('k', 'v', null, 1000)
  const records = Buffer.from(writer.seal({ codec: codecByName(codec) }))
  const topicData = [{ name: 't', partitionData: [{ index: 0, records }] }]
  return client
    .ask(Produce, 9, { acks: -1, timeoutMs: 1000, topicData })
    .then(answer => answer.responses[0]?.partitionResponses[0]?.errorCode ?? -1)
}

async function endOffset(timestamp = -1): Promise<number> {
  const partitions = [{ partitionIndex: 0, timestamp }]
  const answer = await client.ask(ListOffsets, 6, { replicaId: -1, topics: [{ name: 't', partitions }] })
  return answer.topics[0]?.partitions[0]?.offset ?? -1
}

test('a produce that fails on command appends nothing', async () => {
  const before = await endOffset()
  cluster.failNext(ApiKey.Produce, [ErrorCode.ERR_NOT_LEADER_FOR_PARTITION])
  assert.equal(await produce(), ErrorCode.ERR_NOT_LEADER_FOR_PARTITION)
  assert.equal(await endOffset(), before)
  assert.equal(await produce(), 0)
  assert.equal(await endOffset(), before + 1)
})

test('a join that fails on command leaves no member, and refused ones leave no group', async () => {
  const join = { groupId: 'ghost', sessionTimeoutMs: 6000, protocolType: 'consumer', protocols: [] }
  cluster.failNext(ApiKey.JoinGroup, [ErrorCode.ERR_COORDINATOR_LOAD_IN_PROGRESS])
  const failed = await client.ask(JoinGroup, 5, { ...join, memberId: '' })
  assert.equal(failed.errorCode, ErrorCode.ERR_COORDINATOR_LOAD_IN_PROGRESS)
  const unknown = await client.ask(JoinGroup, 5, { ...join, memberId: 'made-up' })
  assert.equal(unknown.errorCode, ErrorCode.ERR_UNKNOWN_MEMBER_ID)
  const partitions = [{ partitionIndex: 0, committedOffset: 1, committedMetadata: '' }]
  const commit = { groupId: 'ghost', memberId: 'm', generationIdOrMemberEpoch: 4, topics: [{ name: 't', partitions }] }
  const committed = await client.ask(OffsetCommit, 8, commit)
  assert.equal(committed.topics[0]?.partitions[0]?.errorCode, ErrorCode.ERR_ILLEGAL_GENERATION)
  const listed = await client.ask(ListGroups, 2, {})
  assert.deepEqual(
    listed.groups.filter(({ groupId }) => groupId === 'ghost'),
    [],
  )
})

test('timestamps are found in batches of every codec', async () => {
  await codecByName('zstd').ready()
  assert.equal(await produce('zstd'), 0)
  assert.equal(await endOffset(1000), 0)
})

test('a filter with unknown elements deletes nothing', async () => {
  const filter = {
    resourceNameFilter: null,
    principalFilter: null,
    hostFilter: null,
    resourceTypeFilter: 1,
    patternTypeFilter: 1,
  }
  const deleted = await client.ask(DeleteAcls, 2, { filters: [{ ...filter, operation: 0, permissionType: 1 }] })
  assert.equal(deleted.filterResults[0]?.errorCode, ErrorCode.ERR_INVALID_REQUEST)
  const described = await client.ask(DescribeAcls, 2, { ...filter, operation: 1, permissionType: 0 })
  assert.equal(described.errorCode, ErrorCode.ERR_INVALID_REQUEST)
})

test('a recreated topic does not inherit the committed offsets of the old one', async () => {
  const own = await EmbeddedCluster.start()
  const wire = await WireClient.connect(own.bootstrapServers)
  own.createTopic('again', { partitions: 1 })
  const partitions = [{ partitionIndex: 0, committedOffset: 7, committedMetadata: '' }]
  const commit = { groupId: 'g', memberId: '', generationIdOrMemberEpoch: -1, topics: [{ name: 'again', partitions }] }
  await wire.ask(OffsetCommit, 8, commit)
  await wire.ask(DeleteTopics, 5, { topicNames: ['again'], timeoutMs: 1000 })
  own.createTopic('again', { partitions: 1 })
  const fetched = await wire.ask(OffsetFetch, 7, { groupId: 'g', topics: [{ name: 'again', partitionIndexes: [0] }] })
  assert.equal(fetched.topics[0]?.partitions[0]?.committedOffset, -1)
  wire.close()
  await own.close()
})

test('close ends delayed answers, and clients that never finish a TLS handshake', async () => {
  const fixtures = new URL('../../../../test/fixtures/tls/', import.meta.url)
  const pem = (name: string): Buffer => readFileSync(new URL(name, fixtures))
  const own = await EmbeddedCluster.start({ tls: { key: pem('server-key.pem'), cert: pem('server-cert.pem') } })
  const socket = connect(Number(own.bootstrapServers.split(':')[1]), '127.0.0.1')
  await new Promise(resolve => socket.once('connect', resolve))
  const gone = new Promise(resolve => socket.once('close', resolve))
  await own.close()
  await gone
  const slow = await EmbeddedCluster.start()
  slow.setRoundTripTime(-1, 3_600_000)
  const wire = await WireClient.connect(slow.bootstrapServers)
  const answer = assert.rejects(wire.ask(ListGroups, 2, {}), /hung up/)
  await slow.close()
  await answer
})

test('requests are tracked between start and stop', async () => {
  cluster.requests({ start: true })
  await client.ask(ListGroups, 2, {})
  assert.deepEqual(
    cluster.requests().map(({ apiName, apiVersion, brokerId }) => `${apiName} ${apiVersion} ${brokerId}`),
    ['ListGroups 2 1'],
  )
  assert.equal(cluster.requests('stop').length, 1)
  await client.ask(ListGroups, 2, {})
  assert.deepEqual(cluster.requests(), [])
})

test('faults of a broker come before those of any broker, each once', () => {
  const faults = new Faults()
  faults.failNext(null, ApiKey.Fetch, [3])
  faults.failNext(1, ApiKey.Fetch, [{ rttMs: 5 }])
  faults.failNext(1, ApiKey.Fetch, [6])
  assert.deepEqual([faults.take(1, ApiKey.Fetch), faults.take(1, ApiKey.Fetch)], [{ rttMs: 5 }, { code: 6 }])
  assert.equal(faults.take(2, ApiKey.Produce), undefined)
  assert.deepEqual(faults.take(2, ApiKey.Fetch), { code: 3 })
  assert.equal(faults.take(1, ApiKey.Fetch), undefined)
})

test('a delay of all brokers replaces those of single ones', () => {
  const faults = new Faults()
  faults.setRoundTripTime(1, 5)
  faults.setRoundTripTime(-1, 7)
  faults.setRoundTripTime(2, 9)
  assert.deepEqual([faults.delayOf(1), faults.delayOf(2)], [7, 9])
})

test('clearing drops faults and throttle times, but not delays', () => {
  const faults = new Faults()
  faults.failNext(null, ApiKey.Fetch, [3])
  faults.failPartition('t', 0, ApiKey.Fetch, [3])
  faults.setThrottle(-1, 100)
  faults.setRoundTripTime(-1, 7)
  faults.clear()
  assert.equal(faults.take(1, ApiKey.Fetch), undefined)
  assert.equal(faults.takePartition('t', 0, ApiKey.Fetch), 0)
  assert.deepEqual([faults.throttleOf(1), faults.delayOf(1)], [0, 7])
})
