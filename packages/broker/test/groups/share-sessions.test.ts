import { test } from 'node:test'
import assert from 'node:assert/strict'
import {
  ErrorCode,
  IncrementalAlterConfigs,
  Metadata,
  Produce,
  ShareAcknowledge,
  ShareFetch,
  ShareGroupHeartbeat,
} from '@ottla/protocol'
import { GroupRefusal } from '../../src/groups/refusal.ts'
import { FINAL_EPOCH, ShareSessions } from '../../src/groups/share-sessions.ts'
import { EmbeddedCluster } from '../../src/index.ts'
import { batchBytes } from '../batches.ts'
import { WireClient } from '../wire-client.ts'

const FINAL = -1
const moment = (): Promise<void> => new Promise(resolve => setImmediate(resolve))
const ACCEPT = 1

test('the end of a session on one broker leaves a member its records on the others', async () => {
  await using cluster = await EmbeddedCluster.start({ brokers: 2 })
  cluster.createTopic('t', { partitions: 2, replicationFactor: 2 })
  const clients = [0, 1].map(index => WireClient.connect(cluster.bootstrapServers, index))
  const [first, second] = await Promise.all(clients)
  assert.ok(first !== undefined && second !== undefined)
  const configs = [{ name: 'share.auto.offset.reset', configOperation: 0, value: 'earliest' }]
  const resources = [{ resourceType: 32, resourceName: 'g', configs }]
  await first.ask(IncrementalAlterConfigs, 1, { resources, validateOnly: false })
  const metadata = await first.ask(Metadata, 13, { topics: [{ name: 't' }] })
  const topicId = metadata.topics[0]?.topicId ?? ''
  cluster.setLeader('t', 0, 1)
  cluster.setLeader('t', 1, 2)
  cluster.setCoordinator('group', 'g', 1)
  const member = { groupId: 'g', memberId: 'm' }
  await first.ask(ShareGroupHeartbeat, 1, { ...member, memberEpoch: 0, subscribedTopicNames: ['t'] })
  const share = async (client: WireClient, partitionIndex: number): Promise<number[]> => {
    const topicData = [{ name: 't', topicId, partitionData: [{ index: partitionIndex, records: [batchBytes(3)] }] }]
    await client.ask(Produce, 13, { acks: -1, timeoutMs: 1000, topicData })
    const topics = [{ topicId, partitions: [{ partitionIndex, acknowledgementBatches: [] }] }]
    const limits = { maxWaitMs: 1000, minBytes: 1, maxBytes: 1e6, maxRecords: 10, batchSize: 10 }
    const fetch = { ...member, ...limits, shareSessionEpoch: 0, topics, forgottenTopicsData: [] }
    const { responses } = await client.ask(ShareFetch, 2, fetch)
    const { acquiredRecords = [] } = responses[0]?.partitions[0] ?? {}
    return acquiredRecords.map(({ firstOffset, lastOffset }) => lastOffset - firstOffset + 1)
  }
  const accept = async (client: WireClient, partitionIndex: number): Promise<unknown> => {
    const acknowledgementBatches = [{ firstOffset: 0, lastOffset: 2, acknowledgeTypes: [ACCEPT] }]
    const topics = [{ topicId, partitions: [{ partitionIndex, acknowledgementBatches }] }]
    const answer = await client.ask(ShareAcknowledge, 2, { ...member, shareSessionEpoch: FINAL, topics })
    return [answer.errorCode, answer.responses[0]?.partitions[0]?.errorCode]
  }
  assert.deepEqual([await share(first, 0), await share(second, 1)], [[3], [3]])
  assert.deepEqual(await accept(first, 0), [0, 0])
  assert.deepEqual(await accept(second, 1), [0, 0])
  first.close()
  second.close()
})

test('a waiting fetch whose connection dies does not get the records that this releases', async () => {
  await using cluster = await EmbeddedCluster.start()
  cluster.createTopic('t', { partitions: 1 })
  const dying = await WireClient.connect(cluster.bootstrapServers)
  const configs = [{ name: 'share.auto.offset.reset', configOperation: 0, value: 'earliest' }]
  const resources = [{ resourceType: 32, resourceName: 'g', configs }]
  await dying.ask(IncrementalAlterConfigs, 1, { resources, validateOnly: false })
  const topicId = (await dying.ask(Metadata, 13, { topics: [{ name: 't' }] })).topics[0]?.topicId ?? ''
  const partitions = [{ partitionIndex: 0, acknowledgementBatches: [] }]
  const fetch = (memberId: string, shareSessionEpoch: number, maxWaitMs: number) => ({
    groupId: 'g',
    memberId,
    shareSessionEpoch,
    maxWaitMs,
    minBytes: 1,
    maxBytes: 1e6,
    maxRecords: 10,
    batchSize: 10,
    topics: shareSessionEpoch === 0 ? [{ topicId, partitions }] : [],
    forgottenTopicsData: [],
  })
  const heartbeat = (memberId: string) => ({ groupId: 'g', memberId, memberEpoch: 0, subscribedTopicNames: ['t'] })
  await dying.ask(ShareGroupHeartbeat, 1, heartbeat('dying'))
  const topicData = [{ name: 't', topicId, partitionData: [{ index: 0, records: [batchBytes(3)] }] }]
  await dying.ask(Produce, 13, { acks: -1, timeoutMs: 1000, topicData })
  const first = await dying.ask(ShareFetch, 2, fetch('dying', 0, 1000))
  assert.equal(first.responses[0]?.partitions[0]?.acquiredRecords[0]?.lastOffset, 2)
  cluster.requests('start')
  const waiting = dying.ask(ShareFetch, 2, fetch('dying', 1, 60_000)).catch(() => 'hung up')
  while (cluster.requests().length === 0) await moment()
  cluster.requests('stop')
  dying.close()
  assert.equal(await waiting, 'hung up')
  const next = await WireClient.connect(cluster.bootstrapServers)
  await next.ask(ShareGroupHeartbeat, 1, heartbeat('next'))
  const { responses } = await next.ask(ShareFetch, 2, fetch('next', 0, 5000))
  assert.deepEqual(
    responses[0]?.partitions[0]?.acquiredRecords.map(({ lastOffset, deliveryCount }) => [lastOffset, deliveryCount]),
    [[2, 2]],
  )
  next.close()
})

function refuses(code: number, action: () => unknown): void {
  assert.throws(action, error => error instanceof GroupRefusal && error.errorCode === code)
}

test('a session remembers its partitions, and every request has the next epoch', () => {
  const sessions = new ShareSessions()
  sessions.fetch('m', 0, ['t/0', 't/1'], [], false)
  const session = sessions.fetch('m', 1, ['t/2'], ['t/0'], true)
  assert.deepEqual([...session.partitions], ['t/1', 't/2'])
  sessions.acknowledge('m', 2)
  refuses(ErrorCode.ERR_INVALID_SHARE_SESSION_EPOCH, () => sessions.fetch('m', 2, [], [], false))
  refuses(ErrorCode.ERR_INVALID_SHARE_SESSION_EPOCH, () => sessions.acknowledge('m', 0))
  assert.equal(sessions.fetch('m', 3, [], [], false), session)
})

test('a session restarts with epoch 0, which has nothing to acknowledge yet', () => {
  const sessions = new ShareSessions()
  const first = sessions.fetch('m', 0, ['t/0'], [], false)
  refuses(ErrorCode.ERR_INVALID_REQUEST, () => sessions.fetch('m', 0, ['t/1'], [], true))
  assert.equal(sessions.get('m'), first)
  assert.deepEqual([...sessions.fetch('m', 0, ['t/1'], [], false).partitions], ['t/1'])
  refuses(ErrorCode.ERR_SHARE_SESSION_NOT_FOUND, () => sessions.fetch('other', 1, [], [], false))
})

test('the final epoch fetches nothing, and epochs wrap to 1', () => {
  const sessions = new ShareSessions()
  const session = sessions.fetch('m', 0, ['t/0'], [], false)
  assert.equal(sessions.fetch('m', FINAL_EPOCH, [], [], true).partitions.size, 0)
  session.epoch = 2 ** 31 - 1
  sessions.acknowledge('m', 2 ** 31 - 1)
  assert.equal(session.epoch, 1)
  refuses(ErrorCode.ERR_SHARE_SESSION_NOT_FOUND, () => sessions.acknowledge('other', FINAL_EPOCH))
})
