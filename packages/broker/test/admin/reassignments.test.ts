import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  AlterPartitionReassignments,
  CreateTopics,
  ElectLeaders,
  ErrorCode,
  ListPartitionReassignments,
  Metadata,
} from '@ottla/protocol'
import { EmbeddedCluster } from '../../src/index.ts'
import { WireClient } from '../wire-client.ts'

const PREFERRED = 0
const UNCLEAN = 1

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

let topics = 0

async function newTopic(...brokerIds: number[]): Promise<string> {
  const name = `moved-${++topics}`
  const assignments = [{ partitionIndex: 0, brokerIds }]
  const topic = { name, numPartitions: -1, replicationFactor: -1, assignments, configs: [] }
  const answer = await client.ask(CreateTopics, 7, { topics: [topic], timeoutMs: 1000 })
  assert.equal(answer.topics[0]?.errorCode, 0)
  return name
}

async function move(name: string, replicas: number[] | null, allowReplicationFactorChange = true): Promise<number> {
  const partitions = [{ partitionIndex: 0, replicas }]
  const body = { topics: [{ name, partitions }], allowReplicationFactorChange }
  const { responses } = await client.ask(AlterPartitionReassignments, 1, body)
  return responses[0]?.partitions[0]?.errorCode ?? -1
}

async function elect(topic: string, electionType: number): Promise<number> {
  const body = { electionType, topicPartitions: [{ topic, partitions: [0] }] }
  const { replicaElectionResults } = await client.ask(ElectLeaders, 2, body)
  return replicaElectionResults[0]?.partitionResult[0]?.errorCode ?? -1
}

async function partition(name: string): Promise<{ leader: number; epoch: number; replicas: number[]; isr: number[] }> {
  const { topics: found } = await client.ask(Metadata, 12, { topics: [{ name }] })
  const { leaderId = -1, leaderEpoch = -1, replicaNodes = [], isrNodes = [] } = found[0]?.partitions[0] ?? {}
  return { leader: leaderId, epoch: leaderEpoch, replicas: replicaNodes, isr: isrNodes }
}

test('a reassigned partition is led by the first of its new brokers, in a new epoch', async () => {
  const name = await newTopic(1, 2)
  assert.equal(await move(name, [3, 2]), 0)
  assert.deepEqual(await partition(name), { leader: 3, epoch: 1, replicas: [3, 2], isr: [3, 2] })
  assert.equal(await move(name, [2, 3]), 0)
  assert.deepEqual(await partition(name), { leader: 3, epoch: 1, replicas: [2, 3], isr: [2, 3] })
  assert.equal(await elect(name, PREFERRED), 0)
  assert.deepEqual(await partition(name), { leader: 2, epoch: 2, replicas: [2, 3], isr: [2, 3] })
  assert.equal(await elect(name, PREFERRED), ErrorCode.ERR_ELECTION_NOT_NEEDED)
  const { topics: moving } = await client.ask(ListPartitionReassignments, 0, { topics: null })
  assert.deepEqual(moving, [])
})

test('a reassignment to a broker that is down is in progress until it is back', async () => {
  const name = await newTopic(1, 2)
  await cluster.brokerDown(3)
  assert.equal(await move(name, [3, 2]), 0)
  const asked = { topics: [{ name, partitionIndexes: [0, 7] }] }
  const list = async (): Promise<unknown> => (await client.ask(ListPartitionReassignments, 0, asked)).topics
  const moving = { partitionIndex: 0, replicas: [3, 2, 1], addingReplicas: [3], removingReplicas: [1] }
  assert.deepEqual(await list(), [{ name, partitions: [moving] }])
  assert.deepEqual(await partition(name), { leader: 1, epoch: 0, replicas: [3, 2, 1], isr: [2, 1] })
  assert.equal(await elect(name, PREFERRED), ErrorCode.ERR_PREFERRED_LEADER_NOT_AVAILABLE)
  await cluster.brokerUp(3)
  assert.deepEqual(await list(), [])
  assert.deepEqual((await partition(name)).replicas, [3, 2])
})

test('a cancelled reassignment leaves the replicas as they were', async () => {
  const name = await newTopic(1, 2)
  await cluster.brokerDown(3)
  assert.equal(await move(name, [3]), 0)
  assert.equal(await move(name, null), 0)
  assert.equal(await move(name, null), ErrorCode.ERR_NO_REASSIGNMENT_IN_PROGRESS)
  assert.deepEqual((await partition(name)).replicas.sort(), [1, 2])
  await cluster.brokerUp(3)
})

test('the replication factor only changes if the request allows it', async () => {
  const name = await newTopic(1, 2)
  assert.equal(await move(name, [1], false), ErrorCode.ERR_INVALID_REPLICATION_FACTOR)
  assert.equal(await move(name, [2, 3], false), 0)
})

test('an unclean election only changes partitions without a leader', async () => {
  const name = await newTopic(2)
  assert.equal(await elect(name, UNCLEAN), ErrorCode.ERR_ELECTION_NOT_NEEDED)
  await cluster.brokerDown(2)
  assert.equal(await elect(name, UNCLEAN), ErrorCode.ERR_ELIGIBLE_LEADERS_NOT_AVAILABLE)
  await cluster.brokerUp(2)
  const other = await newTopic(2, 3)
  await cluster.brokerDown(2, { moveLeaders: false })
  assert.equal(await elect(other, UNCLEAN), 0)
  assert.equal((await partition(other)).leader, 3)
  await cluster.brokerUp(2)
})

test('an election for all partitions only reports those with another leader', async () => {
  const name = await newTopic(1, 2)
  cluster.setLeader(name, 0, 2)
  const answer = await client.ask(ElectLeaders, 2, { electionType: PREFERRED, topicPartitions: null })
  const found = answer.replicaElectionResults.find(({ topic }) => topic === name)
  assert.deepEqual(found?.partitionResult, [{ partitionId: 0, errorCode: 0, errorMessage: null }])
  assert.equal((await partition(name)).leader, 1)
})
