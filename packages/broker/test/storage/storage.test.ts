import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { test } from 'node:test'
import assert from 'node:assert/strict'
import {
  AddOffsetsToTxn,
  BatchReader,
  EndTxn,
  ErrorCode,
  Fetch,
  IncrementalAlterConfigs,
  InitProducerId,
  ListOffsets,
  Metadata,
  OffsetCommit,
  OffsetFetch,
  Produce,
  TxnOffsetCommit,
  type RecordsInput,
} from '@ottla/protocol'
import { EmbeddedCluster } from '../../src/index.ts'
import { batchBytes } from '../batches.ts'
import { WireClient } from '../wire-client.ts'
import { newFolder } from './folder.ts'

async function withCluster<T>(
  dataDir: string,
  use: (client: WireClient, cluster: EmbeddedCluster) => Promise<T>,
): Promise<T> {
  await using cluster = await EmbeddedCluster.start({ dataDir })
  const client = await WireClient.connect(cluster.bootstrapServers)
  try {
    return await use(client, cluster)
  } finally {
    client.close()
  }
}

async function put(client: WireClient, topic: string, seal: object = {}, transactionalId?: string): Promise<number> {
  const answer = await client.ask(Produce, 12, {
    acks: -1,
    timeoutMs: 1000,
    ...(transactionalId === undefined ? {} : { transactionalId }),
    topicData: [{ name: topic, partitionData: [{ index: 0, records: batchBytes(2, seal, Date.now()) }] }],
  })
  const { errorCode, baseOffset } = answer.responses[0]?.partitionResponses[0] ?? assert.fail()
  assert.equal(errorCode, ErrorCode.ERR_NO_ERROR)
  return baseOffset
}

async function end(client: WireClient, topic: string, isolationLevel = 0): Promise<number | undefined> {
  const topics = [{ name: topic, partitions: [{ partitionIndex: 0, timestamp: -1 }] }]
  const answer = await client.ask(ListOffsets, 9, { replicaId: -1, isolationLevel, topics })
  return answer.topics[0]?.partitions[0]?.offset
}

async function committed(client: WireClient, groupId: string): Promise<number | undefined> {
  const groups = [{ groupId, topics: [{ name: 't', partitionIndexes: [0] }] }]
  const answer = await client.ask(OffsetFetch, 8, { groups, requireStable: false })
  return answer.groups[0]?.topics[0]?.partitions[0]?.committedOffset
}

test('topics, records, offsets and the cluster id survive a restart', async () => {
  const folder = newFolder()
  const before = await withCluster(folder, async (client, cluster) => {
    cluster.createTopic('t', { partitions: 2, configs: { 'retention.ms': '-1' } })
    cluster.createTopic('gone', { partitions: 1 })
    await put(client, 'gone')
    cluster.deleteTopic('gone')
    await put(client, 't')
    await client.ask(OffsetCommit, 8, {
      groupId: 'g',
      memberId: '',
      generationIdOrMemberEpoch: -1,
      topics: [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: 2, committedMetadata: 'm' }] }],
    })
    const configs = [{ name: 'max.message.bytes', configOperation: 0, value: '7000' }]
    const resources = [{ resourceType: 2, resourceName: 't', configs }]
    await client.ask(IncrementalAlterConfigs, 1, { resources, validateOnly: false })
    return client.ask(Metadata, 12, { topics: null })
  })
  await withCluster(folder, async client => {
    const metadata = await client.ask(Metadata, 12, { topics: null })
    assert.equal(metadata.clusterId, before.clusterId)
    const named = (all: typeof before): unknown =>
      all.topics.map(({ name, topicId, partitions }) => [name, topicId, partitions.length]).sort()
    assert.deepEqual(named(metadata), named(before))
    assert.equal(await end(client, 't'), 2)
    assert.equal(await committed(client, 'g'), 2)
    assert.equal(await put(client, 't'), 2)
  })
})

test('a transaction continues after a restart, and its offsets take effect when it commits', async () => {
  const folder = newFolder()
  const id = 'txn'
  const producer = await withCluster(folder, async (client, cluster) => {
    cluster.createTopic('t', { partitions: 1 })
    const begun = await client.ask(InitProducerId, 4, { transactionalId: id, transactionTimeoutMs: 60_000 })
    const { producerId, producerEpoch } = begun
    await put(client, 't', { producerId, producerEpoch, baseSequence: 0, isTransactional: true }, id)
    await client.ask(AddOffsetsToTxn, 3, { transactionalId: id, producerId, producerEpoch, groupId: 'g' })
    const topics = [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: 7, committedMetadata: '' }] }]
    await client.ask(TxnOffsetCommit, 3, { transactionalId: id, groupId: 'g', producerId, producerEpoch, topics })
    return { producerId, producerEpoch }
  })
  await withCluster(folder, async client => {
    assert.deepEqual([await end(client, 't', 1), await committed(client, 'g')], [0, -1])
    await put(client, 't', { ...producer, baseSequence: 2, isTransactional: true }, id)
    const ended = await client.ask(EndTxn, 4, { transactionalId: id, ...producer, committed: true })
    assert.equal(ended.errorCode, ErrorCode.ERR_NO_ERROR)
    assert.deepEqual([await end(client, 't', 1), await committed(client, 'g')], [5, 7])
  })
  await withCluster(folder, async client => {
    assert.deepEqual([await end(client, 't', 1), await committed(client, 'g')], [5, 7])
    const other = await client.ask(InitProducerId, 4, { transactionalId: null, transactionTimeoutMs: 1000 })
    assert.ok(other.producerId > producer.producerId)
  })
})

test('a batch retried after a restart is not written twice', async () => {
  const folder = newFolder()
  const seal = { producerId: 5n, producerEpoch: 0, baseSequence: 0 }
  await withCluster(folder, async (client, cluster) => {
    cluster.createTopic('t', { partitions: 1 })
    assert.equal(await put(client, 't', seal), 0)
  })
  await withCluster(folder, async client => {
    assert.equal(await put(client, 't', seal), 0)
    assert.equal(await end(client, 't'), 2)
  })
})

test('topics are restored on fewer brokers than before', async () => {
  const folder = newFolder()
  await using many = await EmbeddedCluster.start({ dataDir: folder, brokers: 3, fsync: true })
  many.createTopic('t', { partitions: 6, replicationFactor: 1 })
  const leaders = await Promise.all([0, 1, 2].map(i => WireClient.connect(many.bootstrapServers, i)))
  let written = 0
  for (const [i, client] of leaders.entries()) {
    const metadata = await client.ask(Metadata, 12, { topics: [{ name: 't' }] })
    if (metadata.topics[0]?.partitions.find(({ partitionIndex }) => partitionIndex === 0)?.leaderId === i + 1) {
      await put(client, 't')
      written++
    }
    client.close()
  }
  assert.equal(written, 1)
  await many.close()
  await withCluster(folder, async client => {
    const metadata = await client.ask(Metadata, 12, { topics: [{ name: 't' }] })
    assert.deepEqual(new Set(metadata.topics[0]?.partitions.map(({ leaderId }) => leaderId)), new Set([1]))
    assert.equal(await end(client, 't'), 2)
  })
})

test('a folder is for one cluster at a time', async () => {
  const folder = newFolder()
  await withCluster(folder, async () => {
    await assert.rejects(EmbeddedCluster.start({ dataDir: folder }), /is in use by the cluster of process \d+/)
  })
  await withCluster(folder, async () => undefined)
})

test('nothing that was acknowledged is lost when the process is killed', async () => {
  const folder = newFolder()
  for (let round = 0; round < 2; round++) {
    const script = fileURLToPath(new URL('killed-cluster.ts', import.meta.url))
    const child = spawn(process.execPath, [...process.execArgv, script, folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const servers = String((await lines.next()).value)
    const client = await WireClient.connect(servers)
    const before = (await end(client, 't')) ?? 0
    let acknowledged = before
    const sending = (async () => {
      for (;;) acknowledged = (await put(client, 't')) + 2
    })()
    const stopped = sending.catch(() => undefined)
    while (acknowledged < before + 200) await new Promise(resolve => setImmediate(resolve))
    child.kill('SIGKILL')
    await Promise.all([once(child, 'exit'), stopped])
    client.close()
    await withCluster(folder, async again => {
      const found = (await end(again, 't')) ?? 0
      assert.ok(found >= acknowledged, `${acknowledged} were acknowledged, ${found} are there`)
      const topics = [{ topic: 't', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1e8 }] }]
      const answer = await again.ask(Fetch, 12, { maxWaitMs: 0, minBytes: 0, maxBytes: 1e8, topics })
      assert.equal(wholeBatches(answer.responses[0]?.partitions[0]?.records ?? null), found / 2)
    })
  }
})

function wholeBatches(records: RecordsInput): number {
  const bytes = records instanceof Uint8Array ? records : Buffer.concat([...(records ?? [])])
  const reader = new BatchReader(bytes)
  let count = 0
  for (let batch = reader.next(); batch !== null; batch = reader.next()) {
    assert.ok(batch.isCrcValid())
    count++
  }
  return count
}
