/**
 * How a cluster responds to invalid requests: all error codes of each response, in order. The expected ones are those
 * of Kafka 4.3.1.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  AlterConfigs,
  ApiVersions,
  BatchWriter,
  CreatePartitions,
  CreateTopics,
  DeleteRecords,
  DeleteTopics,
  DescribeCluster,
  DescribeConfigs,
  DescribeTopicPartitions,
  Fetch,
  FindCoordinator,
  IncrementalAlterConfigs,
  ListOffsets,
  Metadata,
  OffsetCommit,
  OffsetDelete,
  OffsetFetch,
  OffsetForLeaderEpoch,
  Produce,
  SaslAuthenticate,
  SaslHandshake,
  encodeRequest,
  type Api,
  type Decoded,
} from '@ottla/protocol'
import { WireClient } from '../harness/wire-client.ts'
import { codesOf, patiently, same } from './answers.ts'
import { fresh } from './world.ts'

const NOBODY = 'AAAAAAAAAAAAAAAAAAAABw'
const TOPIC = 2
const BROKER = 4
const GROUP = 32

function batch(count = 1): Buffer {
  const writer = new BatchWriter()
  for (let i = 0; i < count; i++) writer.append('k', `v${i}`, null, Date.now())
  return Buffer.from(writer.seal({}))
}

/** @param start a cluster of one broker without ACLs that creates topics automatically */
export function wrongInputScenarios(
  start: () => Promise<{ readonly bootstrapServers: string; close(): Promise<void> }>,
): void {
  let world: Awaited<ReturnType<typeof start>>
  let client: WireClient
  /** Creates a topic of three partitions with ten records in the first. */
  const topic = fresh('wrong')
  let topicId: string

  const ask = <Req, Res>(api: Api<Req, Res>, version: number, body: Req): Promise<Decoded<Res>> =>
    client.ask(api, version, body)
  const codes = async <Req, Res>(api: Api<Req, Res>, version: number, body: Req): Promise<number[]> =>
    codesOf(await ask(api, version, body))

  before(async () => {
    world = await start()
    client = await WireClient.connect(world.bootstrapServers)
    same(await create({}), [0])
    await patiently('the broker does not know the topic', async () => {
      const { errorCode, topicId: id } = (await ask(Metadata, 13, { topics: [{ name: topic }] })).topics[0] ?? {}
      topicId = id ?? ''
      return errorCode === 0
    })
    // Before that, nothing can be written.
    await patiently('the topic has no leader', async () => (await produce({ records: batch(10) }))[0] === 0)
  })
  after(async () => {
    client.close()
    await world.close()
  })

  interface NewTopic {
    readonly name?: string
    readonly partitions?: number
    readonly replicas?: number
    readonly assignments?: readonly (readonly [partition: number, ...replicas: number[]])[]
    readonly configs?: Readonly<Record<string, string | null>>
  }
  const create = (...wanted: readonly NewTopic[]): Promise<number[]> => {
    const topics = wanted.map(({ name = topic, partitions = 3, replicas = 1, assignments = [], configs = {} }) => ({
      name,
      numPartitions: partitions,
      replicationFactor: replicas,
      assignments: assignments.map(([partitionIndex, ...brokerIds]) => ({ partitionIndex, brokerIds })),
      configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
    }))
    return codes(CreateTopics, 7, { topics, timeoutMs: 10_000 })
  }
  const madeFrom = (assignments: NonNullable<NewTopic['assignments']>, more: NewTopic = {}): Promise<number[]> =>
    create({ name: fresh('assigned'), partitions: -1, replicas: -1, assignments, ...more })
  const configured = (configs: NonNullable<NewTopic['configs']>): Promise<number[]> =>
    create({ name: fresh('configured'), configs })

  interface Write {
    readonly name?: string
    readonly index?: number
    readonly records?: Uint8Array | null
    readonly acks?: number
    readonly version?: number
    readonly id?: string
    readonly transactionalId?: string
  }
  const produce = (write: Write): Promise<number[]> => {
    const { name = topic, index = 0, records = batch(), acks = -1, version = 12, id, transactionalId = null } = write
    const partitionData = [{ index, records: records === null ? null : [records] }]
    const topicData = [{ ...(version >= 13 ? { topicId: id ?? topicId } : { name }), partitionData }]
    return codes(Produce, version, { transactionalId, acks, timeoutMs: 10_000, topicData })
  }

  test('topics that cannot be created', async () => {
    same(await create({}), [36])
    same(
      await create(...['', '.', '..', 'a/b', 'ü', 'a'.repeat(250)].map(name => ({ name }))),
      [17, 17, 17, 17, 17, 17],
    )
    same(await create({ name: fresh('none'), partitions: 0 }), [37])
    same(await create({ name: fresh('none'), partitions: -2 }), [37])
    same(await create({ name: fresh('none'), replicas: 0 }), [38])
    same(await create({ name: fresh('none'), replicas: -2 }), [38])
    same(await create({ name: fresh('none'), replicas: 2 }), [38])
    const twin = fresh('twin')
    same(await create({ name: twin }, { name: twin }), [42])
    const dotted = fresh('dot.ted')
    same(await create({ name: dotted }), [0])
    same(await create({ name: dotted.replace('.', '_') }), [17])
    same(await create(), [])
  })

  test('invalid assignments', async () => {
    same(await madeFrom([[0, 1]], { partitions: 3 }), [42])
    same(await madeFrom([[0, 1]], { replicas: 1 }), [42])
    same(
      await madeFrom([
        [0, 1],
        [2, 1],
      ]),
      [39],
    )
    same(await madeFrom([[1, 1]]), [39])
    same(
      await madeFrom([
        [0, 1],
        [0, 1],
      ]),
      [39],
    )
    same(await madeFrom([[0, 1, 1]]), [39])
    same(await madeFrom([[0, 99]]), [39])
    same(await madeFrom([[0]]), [39])
    same(await madeFrom([[0, -1]]), [39])
  })

  test('invalid settings of topics', async () => {
    same(await configured({ nonsense: '1' }), [40])
    same(await configured({ 'retention.ms': 'soon' }), [40])
    same(await configured({ 'retention.ms': '-2' }), [40])
    same(await configured({ 'retention.ms': null }), [40])
    same(await configured({ 'retention.ms': '-1' }), [0])
    same(await configured({ 'cleanup.policy': 'burn' }), [40])
    same(await configured({ 'cleanup.policy': 'compact,delete' }), [0])
    same(await configured({ 'cleanup.policy': '' }), [0])
    same(await configured({ 'compression.type': 'rar' }), [40])
    same(await configured({ 'message.timestamp.type': 'Never' }), [40])
    same(await configured({ 'min.insync.replicas': '0' }), [40])
    same(await configured({ 'max.message.bytes': '-1' }), [40])
    same(await configured({ 'segment.bytes': '1' }), [40])
    same(await configured({ 'min.cleanable.dirty.ratio': '1.5' }), [40])
    same(await configured({ 'unclean.leader.election.enable': 'maybe' }), [40])
    same(await configured({ preallocate: 'TRUE' }), [0])
    same(await configured({ 'flush.messages': '9999999999999999999' }), [40])
    same(await configured({ 'local.retention.ms': '99', 'retention.ms': '98' }), [0])
  })

  test('topics that cannot be deleted or extended', async () => {
    const remove = (...topics: { name: string | null; topicId: string }[]): Promise<number[]> =>
      codes(DeleteTopics, 6, { topics, timeoutMs: 10_000 })
    const none = 'AAAAAAAAAAAAAAAAAAAAAA'
    same(await remove({ name: 'not there', topicId: none }), [3])
    same(await remove({ name: '', topicId: none }), [3])
    same(await remove({ name: null, topicId: NOBODY }), [100])
    same(await remove({ name: null, topicId: none }), [42])
    same(await remove({ name: 'a', topicId: none }, { name: 'a', topicId: none }), [42])
    same(await codes(DeleteTopics, 5, { topicNames: ['not there', 'a/b', ''], timeoutMs: 10_000 }), [3, 3, 3])
    const extend = (name: string, count: number, assignments: number[][] | null = null): Promise<number[]> => {
      const topics = [{ name, count, assignments: assignments?.map(brokerIds => ({ brokerIds })) ?? null }]
      return codes(CreatePartitions, 3, { topics, timeoutMs: 10_000, validateOnly: true })
    }
    same(await extend(topic, 3), [37])
    same(await extend(topic, 2), [37])
    same(await extend(topic, 0), [37])
    same(await extend(topic, -1), [37])
    same(await extend(topic, 4), [0])
    same(await extend(topic, 4, [[1], [1]]), [39])
    same(await extend(topic, 4, []), [39])
    same(await extend(topic, 4, [[1, 1]]), [39])
    same(await extend(topic, 4, [[99]]), [39])
    same(await extend(topic, 4, [[]]), [39])
    same(await extend('not there', 4), [3])
    const twice = [topic, topic].map(name => ({ name, count: 5, assignments: null }))
    same(await codes(CreatePartitions, 3, { topics: twice, timeoutMs: 10_000, validateOnly: true }), [42])
  })

  test('topics that cannot be described', async () => {
    const describe = async (version: number, topics: { topicId?: string; name: string | null }[]): Promise<number[]> =>
      codes(Metadata, version, { topics, allowAutoTopicCreation: false })
    same(await describe(13, [{ name: 'not-there' }]), [0, 3])
    same(await describe(13, [{ name: 'a/b' }]), [0, 17])
    same(await describe(13, [{ name: '' }]), [0, 17])
    same(await describe(13, [{ topicId: NOBODY, name: null }]), [0, 100])
    same(await describe(13, [{ topicId, name: null }]), [0, 0, 0, 0, 0])
    same(await describe(13, []), [0])
    same(await describe(8, [{ name: 'not-there' }, { name: 'a/b' }]), [0, 3, 17])
    same(await codes(Metadata, 13, { topics: [{ name: 'a/b' }], allowAutoTopicCreation: true }), [0, 17])
    same(await codes(DescribeTopicPartitions, 0, { topics: [{ name: 'not-there' }, { name: 'a/b' }] }), [17, 3])
    same(await codes(DescribeTopicPartitions, 0, { topics: [{ name: topic }], responsePartitionLimit: 2 }), [0, 0, 0])
    const cursor = { topicName: topic, partitionIndex: 1 }
    same(await codes(DescribeTopicPartitions, 0, { topics: [{ name: topic }], cursor }), [0, 0, 0])
    const beyond = { topicName: topic, partitionIndex: -1 }
    same(await codes(DescribeTopicPartitions, 0, { topics: [{ name: topic }], cursor: beyond }), [42])
    const coordinator = (keyType: number, ...coordinatorKeys: string[]): Promise<number[]> =>
      codes(FindCoordinator, 4, { keyType, coordinatorKeys })
    same(await coordinator(7, 'k'), [0, 42])
    same(await coordinator(2, 'k'), [0, 42])
    same(await coordinator(0), [0])
    same(await codes(FindCoordinator, 3, { keyType: 9, key: 'k' }), [42])
    same(await codes(DescribeCluster, 1, { includeClusterAuthorizedOperations: false, endpointType: 2 }), [114])
    same(await codes(DescribeCluster, 1, { includeClusterAuthorizedOperations: false, endpointType: 9 }), [115])
  })

  test('records that cannot be written', async () => {
    same(await produce({ index: 3 }), [3])
    same(await produce({ index: -1 }), [3])
    same(await produce({ name: fresh('not-there') }), [3])
    same(await produce({ name: 'a/b' }), [3])
    same(await produce({ version: 13, id: NOBODY }), [100])
    same(await produce({ acks: 2 }), [21])
    same(await produce({ acks: -2 }), [21])
    same(await produce({ transactionalId: 'nobody' }), [0])
    same(await produce({ records: Buffer.alloc(0) }), [87])
    same(await produce({ records: Buffer.alloc(17) }), [2])
    const old = batch()
    old.writeInt8(1, 16)
    same(await produce({ records: old }), [87])
    const future = batch()
    future.writeInt8(3, 16)
    same(await produce({ records: future }), [2])
    const short = batch(3)
    short.writeInt32BE(short.readInt32BE(8) - 1, 8)
    same(await produce({ records: short }), [2])
    const long = batch(3)
    long.writeInt32BE(long.readInt32BE(8) + 1, 8)
    same(await produce({ records: long }), [87])
    same(await produce({ records: batch(1).subarray(0, 40) }), [87])
  })

  test('records that cannot be read', async () => {
    interface Read {
      readonly name?: string
      readonly id?: string
      readonly partition?: number
      readonly offset?: number
      readonly version?: number
      readonly sessionId?: number
      readonly sessionEpoch?: number
      readonly isolationLevel?: number
      readonly bytes?: number
      readonly maxBytes?: number
    }
    const fetch = (read: Read): Promise<number[]> => {
      const { name = topic, id = topicId, partition = 0, offset = 0, version = 12, bytes = 1e6, ...more } = read
      const partitions = [{ partition, fetchOffset: offset, partitionMaxBytes: bytes }]
      const topics = [{ ...(version >= 13 ? { topicId: id } : { topic: name }), partitions }]
      return codes(Fetch, version, { maxWaitMs: 0, minBytes: 0, maxBytes: 1e6, sessionEpoch: -1, ...more, topics })
    }
    same(await fetch({ offset: 10 }), [0, 0])
    same(await fetch({ offset: 11 }), [0, 0])
    same(await fetch({ offset: -1 }), [0, 1])
    same(await fetch({ offset: -2 }), [0, 1])
    same(await fetch({ partition: 3 }), [0, 3])
    same(await fetch({ partition: -1 }), [0, 3])
    same(await fetch({ name: 'not-there' }), [0, 3])
    same(await fetch({ name: 'a/b' }), [0, 3])
    same(await fetch({ version: 13, id: NOBODY }), [0, 100])
    same(await fetch({ version: 13, partition: 9 }), [0, 3])
    same(await fetch({ sessionId: 77, sessionEpoch: 5 }), [70])
    same(await fetch({ sessionId: 77, sessionEpoch: 0 }), [0, 0])
    same(await fetch({ sessionId: 77, sessionEpoch: -1 }), [0, 0])
    same(await fetch({ bytes: 0 }), [0, 0])
    same(await fetch({ maxBytes: 0 }), [0, 0])
    const list = (name: string, partitionIndex: number, timestamp: number, replicaId = -1): Promise<number[]> =>
      codes(ListOffsets, 8, { replicaId, topics: [{ name, partitions: [{ partitionIndex, timestamp }] }] })
    same(await list(topic, 3, -1), [3])
    same(await list(topic, -1, -1), [3])
    same(await list('not-there', 0, -1), [3])
    same(await list('a/b', 0, -1), [3])
    const partitions = [0, 0].map(partitionIndex => ({ partitionIndex, timestamp: -1 }))
    same(await codes(ListOffsets, 8, { replicaId: -1, topics: [{ name: topic, partitions }] }), [42])
    const epoch = (name: string, partition: number): Promise<number[]> =>
      codes(OffsetForLeaderEpoch, 4, { topics: [{ topic: name, partitions: [{ partition, leaderEpoch: 0 }] }] })
    same(await epoch(topic, 3), [3])
    same(await epoch('not-there', 0), [3])
    const cut = (name: string, partitionIndex: number, offset: number): Promise<number[]> =>
      codes(DeleteRecords, 2, { topics: [{ name, partitions: [{ partitionIndex, offset }] }], timeoutMs: 10_000 })
    same(await cut(topic, 0, 11), [0])
    same(await cut(topic, 0, -2), [1])
    same(await cut(topic, 3, 0), [3])
    same(await cut('not-there', 0, 0), [3])
  })

  test('offsets that cannot be committed, read or deleted', async () => {
    const group = fresh('offsets')
    await groupReady(group)
    interface Commit {
      readonly groupId?: string
      readonly name?: string
      readonly partition?: number
      readonly offset?: number
      readonly metadata?: string | null
      readonly generation?: number
      readonly memberId?: string
      readonly version?: number
    }
    const commit = (given: Commit): Promise<number[]> => {
      const { groupId = group, name = topic, partition = 0, offset = 1, metadata = '', version = 9 } = given
      const partitions = [{ partitionIndex: partition, committedOffset: offset, committedMetadata: metadata }]
      const topics = [{ ...(version >= 10 ? { topicId: name } : { name }), partitions }]
      const body = {
        groupId,
        generationIdOrMemberEpoch: given.generation ?? -1,
        memberId: given.memberId ?? '',
        topics,
      }
      return codes(OffsetCommit, version, body)
    }
    same(await commit({ generation: 1, memberId: 'm' }), [69])
    same(await commit({ generation: 1, memberId: 'm', version: 8 }), [22])
    same(await commit({ generation: -1, memberId: 'm' }), [0])
    same(await commit({ groupId: '' }), [0])
    same(await commit({ name: 'not-there' }), [3])
    same(await commit({ partition: 3 }), [3])
    same(await commit({ partition: -1 }), [3])
    same(await commit({ offset: -2 }), [0])
    same(await commit({ metadata: 'x'.repeat(4096) }), [0])
    same(await commit({ metadata: 'x'.repeat(4097) }), [12])
    same(await commit({ metadata: null }), [0])
    same(await commit({ name: NOBODY, version: 10 }), [100])
    same(await commit({ name: topicId, version: 10 }), [0])
    same(await commit({ generation: 1, memberId: 'm' }), [25])
    same(await commit({ generation: 0, memberId: '' }), [25])
    const read = async (groupId: string, name: string | null, ...partitionIndexes: number[]): Promise<unknown> => {
      const topics = name === null ? null : [{ name, partitionIndexes }]
      const answer = (await ask(OffsetFetch, 9, { groups: [{ groupId, topics }] })).groups[0]
      const found = answer?.topics.flatMap(one => one.partitions.map(at => [at.committedOffset, at.errorCode]))
      return [answer?.errorCode, found]
    }
    same(await read(group, topic, 0, 3, -1), [
      0,
      [
        [1, 0],
        [-1, 0],
        [-1, 0],
      ],
    ])
    same(await read(group, 'not-there', 0), [0, [[-1, 0]]])
    same(await read(group, null), [0, [[1, 0]]])
    same(await read(fresh('nobody'), topic, 0), [0, [[-1, 0]]])
    same(await read(fresh('nobody'), null), [0, []])
    same(await read('', topic, 0), [0, [[1, 0]]])
    const remove = async (groupId: string, name: string, partitionIndex: number): Promise<number[]> =>
      codes(OffsetDelete, 0, { groupId, topics: [{ name, partitions: [{ partitionIndex }] }] })
    same(await remove(fresh('nobody'), topic, 0), [69])
    same(await remove('', topic, 0), [24])
    same(await remove(group, 'not-there', 0), [0, 3])
    same(await remove(group, topic, 3), [0, 3])
    same(await remove(group, topic, 1), [0, 0])
    same(await remove(group, topic, 0), [0, 0])
    same(await read(group, topic, 0), [0, [[-1, 0]]])
    // The topic exists, now that a group's coordinator has been looked up.
    const name = '__consumer_offsets'
    same(await produce({ name }), [17])
    const topics = [{ name, partitions: [{ partitionIndex: 0, offset: 0 }] }]
    same(await codes(DeleteRecords, 2, { topics, timeoutMs: 10_000 }), [17])
    same(await create({ name }), [36])
  })

  /** Waits until the group's coordinator has loaded its state. */
  const groupReady = async (group: string): Promise<void> => {
    const isReady = async (): Promise<boolean> => {
      const { coordinators } = await ask(FindCoordinator, 4, { keyType: 0, coordinatorKeys: [group] })
      if (coordinators[0]?.errorCode !== 0) return false
      const { groups } = await ask(OffsetFetch, 9, { groups: [{ groupId: group, topics: null }] })
      return groups[0]?.errorCode === 0
    }
    await patiently(`the coordinator of ${group} is not ready`, isReady)
  }

  test('settings that cannot be described or altered', async () => {
    const describe = async (resourceType: number, resourceName: string, ...keys: string[]): Promise<unknown> => {
      const configurationKeys = keys.length === 0 ? null : keys
      const { results } = await ask(DescribeConfigs, 4, {
        resources: [{ resourceType, resourceName, configurationKeys }],
      })
      return [results[0]?.errorCode, keys.length === 0 ? null : results[0]?.configs.length]
    }
    same(await describe(TOPIC, 'not-there'), [3, null])
    same(await describe(TOPIC, 'a/b'), [17, null])
    same(await describe(TOPIC, ''), [17, null])
    same(await describe(TOPIC, topic, 'nonsense', 'retention.ms'), [0, 1])
    same(await describe(BROKER, '99'), [42, null])
    same(await describe(BROKER, 'one'), [42, null])
    same(await describe(1, 'x'), [42, null])
    same(await describe(0, 'x'), [42, null])
    same(await describe(GROUP, ''), [42, null])
    same(await describe(GROUP, 'not-there', 'nonsense', 'consumer.session.timeout.ms'), [0, 1])
    type Change = readonly [name: string, operation: number, value: string | null]
    const alter = (resourceType: number, resourceName: string, ...changes: Change[]): Promise<number[]> => {
      const configs = changes.map(([name, configOperation, value]) => ({ name, configOperation, value }))
      const resources = [{ resourceType, resourceName, configs }]
      return codes(IncrementalAlterConfigs, 1, { resources, validateOnly: true })
    }
    const [SET, DELETE, APPEND, SUBTRACT] = [0, 1, 2, 3]
    same(await alter(TOPIC, topic, ['nonsense', SET, '1']), [40])
    same(await alter(TOPIC, topic, ['nonsense', DELETE, null]), [0])
    same(await alter(TOPIC, topic, ['retention.ms', SET, 'x']), [40])
    same(await alter(TOPIC, topic, ['retention.ms', SET, null]), [42])
    same(await alter(TOPIC, topic, ['retention.ms', DELETE, null]), [0])
    same(await alter(TOPIC, topic, ['retention.ms', APPEND, '1']), [40])
    same(await alter(TOPIC, topic, ['cleanup.policy', APPEND, 'compact']), [0])
    same(await alter(TOPIC, topic, ['cleanup.policy', SUBTRACT, 'delete']), [0])
    same(await alter(TOPIC, topic, ['cleanup.policy', 9, 'delete']), [-1])
    same(await alter(TOPIC, topic, ['retention.ms', SET, '1'], ['retention.ms', SET, '2']), [42])
    same(await alter(TOPIC, topic), [0])
    same(await alter(TOPIC, 'not-there', ['retention.ms', SET, '1']), [3])
    same(await alter(TOPIC, 'a/b', ['retention.ms', SET, '1']), [17])
    same(await alter(TOPIC, '', ['retention.ms', SET, '1']), [42])
    same(await alter(GROUP, 'g', ['nonsense', SET, '1']), [40])
    same(await alter(GROUP, 'g', ['consumer.session.timeout.ms', SET, 'x']), [40])
    same(await alter(GROUP, '', ['consumer.session.timeout.ms', SET, '45000']), [42])
    same(await alter(0, 'x', ['a', SET, '1']), [42])
    same(await alter(77, 'x', ['a', SET, '1']), [42])
    const twice = [topic, topic].map(name => ({ resourceType: TOPIC, resourceName: name, configs: [] }))
    same(await codes(IncrementalAlterConfigs, 1, { resources: twice, validateOnly: true }), [42, 42])
    const replace = (resourceName: string, configs: { name: string; value: string | null }[]): Promise<number[]> =>
      codes(AlterConfigs, 2, { resources: [{ resourceType: TOPIC, resourceName, configs }], validateOnly: true })
    same(await replace(topic, [{ name: 'nonsense', value: '1' }]), [40])
    same(await replace(topic, [{ name: 'retention.ms', value: null }]), [42])
    same(await replace('not-there', [{ name: 'retention.ms', value: '1' }]), [3])
  })

  test('malformed requests', async () => {
    same(await codes(ApiVersions, 3, { clientSoftwareName: '', clientSoftwareVersion: '' }), [42])
    same(await codes(ApiVersions, 3, { clientSoftwareName: 'a b', clientSoftwareVersion: '1' }), [42])
    same(await codes(ApiVersions, 3, { clientSoftwareName: 'a', clientSoftwareVersion: '1' }), [0])
    same(await codes(SaslHandshake, 1, { mechanism: 'PLAIN' }), [34])
    same(await codes(SaslAuthenticate, 2, { authBytes: Buffer.from('\0a\0b') }), [34])
    const [whole] = [Buffer.concat(encodeRequest(Metadata, 8, 1, 'test', { topics: [{ name: topic }] }))]
    const changed = (change: (bytes: Buffer) => void): Buffer => {
      const bytes = Buffer.from(whole)
      change(bytes)
      return bytes
    }
    const wrong: [what: string, bytes: Buffer][] = [
      ['a version of the future', changed(bytes => bytes.writeInt16BE(99, 6))],
      ['a version of the past', changed(bytes => bytes.writeInt16BE(-1, 6))],
      ['an unknown request', changed(bytes => bytes.writeInt16BE(999, 4))],
      ['a negative size', changed(bytes => bytes.writeInt32BE(-5, 0))],
      ['a size beyond all bounds', changed(bytes => bytes.writeInt32BE(2_000_000_000, 0))],
      ['a list that is longer than the request', changed(bytes => bytes.writeInt32BE(1000, 18))],
      ['nothing but zeros', Buffer.alloc(64)],
    ]
    for (const [what, bytes] of wrong) {
      const other = await WireClient.connect(world.bootstrapServers)
      other.write(bytes)
      assert.equal(await Promise.race([other.closed.then(() => 'hung up'), late()]), 'hung up', what)
    }
  })
}

function late(): Promise<string> {
  return new Promise(resolve => {
    setTimeout(resolve, 10_000, 'left open').unref()
  })
}
