/**
 * A member of the consumer group protocol (KIP-848) whose brokers do not tell it yet what a topic is called: what it was
 * assigned of the topic may be taken away again before it could begin.
 */
import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { EmbeddedCluster } from '@ottla/broker'
import { AdminClient, Consumer, Producer } from 'ottla'
import { closing } from '../harness/closing.ts'

const WAIT_MS = 20_000
const LATE = 'late'
const quiet = { logger: (): void => undefined }

let cluster: EmbeddedCluster
let admin: AdminClient
/** No broker tells the late client of any topic. */
let isHidden: boolean
/** Heartbeats of the late client. */
let heartbeats: number

beforeEach(async () => {
  cluster = closing(await EmbeddedCluster.start({ autoCreateTopics: false }))
  isHidden = true
  heartbeats = 0
  cluster.control(({ apiName, clientId }) => {
    if (clientId !== LATE) return undefined
    if (apiName === 'ConsumerGroupHeartbeat') heartbeats++
    return apiName === 'Metadata' && isHidden ? nothing() : undefined
  })
  admin = closing(new AdminClient({ 'bootstrap.servers': cluster.bootstrapServers }, quiet))
  const entries = [{ name: 'consumer.heartbeat.interval.ms', value: '50', operation: 'set' }] as const
  const [altered] = await admin.incrementalAlterConfigs([{ type: 'group', name: 'group', entries }])
  assert.equal(altered?.error, undefined)
})

/** A cluster without topics. */
function nothing(): unknown {
  const [host = '', port] = cluster.bootstrapServers.split(':')
  return {
    throttleTimeMs: 0,
    clusterId: null,
    controllerId: 1,
    errorCode: 0,
    clusterAuthorizedOperations: -2147483648,
    brokers: [{ nodeId: 1, host, port: Number(port), rack: null }],
    topics: [],
  }
}

function member(clientId: string): Consumer {
  return closing(
    new Consumer(
      {
        'bootstrap.servers': cluster.bootstrapServers,
        'client.id': clientId,
        'group.id': 'group',
        'group.protocol': 'consumer',
        'auto.offset.reset': 'earliest',
        'topic.metadata.refresh.interval.ms': 200,
      },
      quiet,
    ),
  )
}

async function written(topic: string, partitions: number): Promise<void> {
  cluster.createTopic(topic, { partitions, replicationFactor: 1 })
  await using producer = new Producer({ 'bootstrap.servers': cluster.bootstrapServers }, quiet)
  for (let partition = 0; partition < partitions; partition++) {
    await producer.send({ topic, partition, value: `${topic} ${partition}` })
  }
}

/** Polls until the coordinator has assigned so many partitions, and the members' next heartbeats have been answered. */
async function assignedTo(count: number, ...members: readonly Consumer[]): Promise<void> {
  const deadline = performance.now() + WAIT_MS
  for (;;) {
    const [group] = await admin.describeConsumerGroups(['group'])
    if (group?.members.reduce((sum, { assignment }) => sum + assignment.length, 0) === count) break
    assert.ok(performance.now() < deadline, `the coordinator never assigns ${count} partitions`)
    for (const each of members) await each.poll(10)
  }
  const before = heartbeats
  while (heartbeats < before + 3) {
    assert.ok(performance.now() < deadline, 'there are no more heartbeats')
    for (const each of members) await each.poll(10)
  }
}

async function read(consumer: Consumer): Promise<string> {
  return String((await consumer.readMessage(WAIT_MS)).value)
}

test('a subscription that ends and begins again before the topic is known', async () => {
  await written('topic', 1)
  const consumer = member(LATE)
  consumer.subscribe(['topic'])
  await assignedTo(1, consumer)
  consumer.subscribe(['^nothing-.*'])
  await assignedTo(0, consumer)
  consumer.subscribe(['topic'])
  isHidden = false
  assert.equal(await read(consumer), 'topic 0')
})

test('another member gets a partition of a topic that the first does not know yet', async () => {
  await written('topic', 2)
  const late = member(LATE)
  late.subscribe(['topic'])
  await assignedTo(2, late)
  const other = member('other')
  other.subscribe(['topic'])
  const reading = read(other)
  const isRead = reading.then(() => true)
  while (!(await Promise.race([isRead, late.poll(10).then(() => false)])));
  assert.match(await reading, /^topic [01]$/)
})

test('a topic that is deleted before it is known, and another one that the pattern finds', async () => {
  await written('topic-1', 1)
  const consumer = member(LATE)
  consumer.subscribe(['^topic-.*'])
  await assignedTo(1, consumer)
  cluster.deleteTopic('topic-1')
  await assignedTo(0, consumer)
  isHidden = false
  await written('topic-2', 1)
  assert.equal(await read(consumer), 'topic-2 0')
})
