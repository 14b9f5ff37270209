import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  AddRaftVoter,
  DescribeCluster,
  DescribeQuorum,
  ErrorCode,
  RemoveRaftVoter,
  UnregisterBroker,
  UpdateFeatures,
  ZERO_UUID,
} from '@ottla/protocol'
import { EmbeddedCluster } from '../../src/index.ts'
import { WireClient } from '../wire-client.ts'

const DIRECTORY = 'AAAAAAAAAAAAAAAAAAAAAQ'

let cluster: EmbeddedCluster
let client: WireClient

before(async () => {
  cluster = await EmbeddedCluster.start({ brokers: 3 })
  client = await WireClient.connect(cluster.bootstrapServers)
})
after(async () => {
  client.close()
  await cluster.close()
})

test('every broker is a metadata voter, and one of them leads', async () => {
  const topics = [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }]
  const { topics: found, nodes } = await client.ask(DescribeQuorum, 2, { topics })
  const [quorum] = found[0]?.partitions ?? []
  assert.equal(quorum?.leaderId, 1)
  assert.deepEqual(
    quorum.currentVoters.map(({ replicaId }) => replicaId),
    [1, 2, 3],
  )
  assert.deepEqual(
    nodes.map(({ nodeId }) => nodeId),
    [1, 2, 3],
  )
})

test('other topics have no quorum', async () => {
  for (const [topicName, partitionIndex] of [
    ['t', 0],
    ['__cluster_metadata', 1],
  ] as const) {
    const { topics } = await client.ask(DescribeQuorum, 2, {
      topics: [{ topicName, partitions: [{ partitionIndex }] }],
    })
    assert.equal(topics[0]?.partitions[0]?.errorCode, ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART)
  }
})

test('brokers that are down are described on request', async () => {
  await cluster.brokerDown(3)
  const brokers = async (includeFencedBrokers: boolean): Promise<[number, boolean][]> => {
    const body = { includeClusterAuthorizedOperations: false, includeFencedBrokers }
    const answer = await client.ask(DescribeCluster, 2, body)
    return answer.brokers.map(({ brokerId, isFenced }) => [brokerId, isFenced])
  }
  assert.deepEqual(await brokers(false), [[1, false], [2, false]]) // prettier-ignore
  assert.deepEqual(await brokers(true), [[1, false], [2, false], [3, true]]) // prettier-ignore
  await cluster.brokerUp(3)
})

test('an unknown broker cannot be unregistered', async () => {
  assert.equal(
    (await client.ask(UnregisterBroker, 0, { brokerId: 7 })).errorCode,
    ErrorCode.ERR_BROKER_ID_NOT_REGISTERED,
  )
})

test('a broker that is down is unregistered, a running one stays', async () => {
  const unregister = async (brokerId: number): Promise<number> =>
    (await client.ask(UnregisterBroker, 0, { brokerId })).errorCode
  const brokers = async (): Promise<number[]> => {
    const body = { includeClusterAuthorizedOperations: false, includeFencedBrokers: true }
    return (await client.ask(DescribeCluster, 2, body)).brokers.map(({ brokerId }) => brokerId)
  }
  assert.equal(await unregister(3), 0)
  assert.deepEqual(await brokers(), [1, 2, 3])
  await cluster.brokerDown(3)
  assert.equal(await unregister(3), 0)
  assert.deepEqual(await brokers(), [1, 2])
  assert.equal(await unregister(3), ErrorCode.ERR_BROKER_ID_NOT_REGISTERED)
})

test('voters can only change with kraft.version 1', async () => {
  const listeners = [{ name: 'CONTROLLER', host: '127.0.0.1', port: 1 }]
  const voter = { clusterId: null, voterId: 77, voterDirectoryId: DIRECTORY }
  const add = async (more: Partial<typeof voter & { listeners: typeof listeners }> = {}): Promise<number> =>
    (await client.ask(AddRaftVoter, 0, { ...voter, timeoutMs: 100, listeners, ...more })).errorCode
  const remove = async (more: Partial<typeof voter> = {}): Promise<number> =>
    (await client.ask(RemoveRaftVoter, 0, { ...voter, ...more })).errorCode
  assert.equal(await add({ clusterId: 'other' } as object), ErrorCode.ERR_INCONSISTENT_CLUSTER_ID)
  assert.equal(await add({ voterId: -1 }), ErrorCode.ERR_INVALID_REQUEST)
  assert.equal(await add({ voterDirectoryId: ZERO_UUID }), ErrorCode.ERR_INVALID_REQUEST)
  assert.equal(await add({ listeners: [] }), ErrorCode.ERR_INVALID_REQUEST)
  assert.equal(await add(), ErrorCode.ERR_UNSUPPORTED_VERSION)
  assert.equal(await remove({ voterId: -1 }), ErrorCode.ERR_INVALID_REQUEST)
  assert.equal(await remove(), ErrorCode.ERR_UNSUPPORTED_VERSION)
  const upgrade = { feature: 'kraft.version', maxVersionLevel: 1, upgradeType: 1 }
  assert.equal((await client.ask(UpdateFeatures, 2, { featureUpdates: [upgrade] })).errorCode, 0)
  assert.equal(await add({ voterId: 2 }), ErrorCode.ERR_DUPLICATE_VOTER)
  assert.equal(await add(), ErrorCode.ERR_REQUEST_TIMED_OUT)
  assert.equal(await remove(), ErrorCode.ERR_VOTER_NOT_FOUND)
})
