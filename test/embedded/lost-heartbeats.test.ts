/** A heartbeat whose answer is lost says everything the next time: the assignment that it brought comes again. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { EmbeddedCluster } from '@ottla/broker'
import { AdminClient, Consumer, ErrorCode, Producer, ShareConsumer, type ConsumerEvent } from 'ottla'
import { fresh } from '../behaviour/world.ts'
import { closing } from '../harness/closing.ts'

const CONSUMER_HEARTBEAT = 68
const SHARE_HEARTBEAT = 76
const PARTITIONS = 4
const quiet = { logger: (): void => undefined }
const answerIsLost = { code: ErrorCode.ERR__TRANSPORT, carriedOut: true }

let cluster: EmbeddedCluster
let admin: AdminClient
let producer: Producer

before(async () => {
  cluster = await EmbeddedCluster.start()
  const servers = { 'bootstrap.servers': cluster.bootstrapServers }
  admin = new AdminClient(servers, quiet)
  producer = new Producer({ ...servers, 'linger.ms': 0 }, quiet)
})

after(async () => {
  await producer.close()
  await admin.close()
  await cluster.close()
})

/** A topic, and a group of the same name whose members send heartbeats often and begin at the start. */
async function newGroup(): Promise<string> {
  const name = fresh('heartbeats')
  cluster.createTopic(name, { partitions: PARTITIONS })
  const entries = [
    { name: 'share.heartbeat.interval.ms', value: '100' },
    { name: 'share.auto.offset.reset', value: 'earliest' },
    { name: 'consumer.heartbeat.interval.ms', value: '100' },
  ].map(entry => ({ ...entry, operation: 'set' as const }))
  await admin.incrementalAlterConfigs([{ type: 'group', name, entries }])
  return name
}

async function writeToAll(topic: string, value: string): Promise<void> {
  for (let partition = 0; partition < PARTITIONS; partition++) await producer.send({ topic, partition, value })
}

/** Reads until a message of this value has come from every partition. */
async function readAll(
  poll: () => Promise<Pick<ConsumerEvent, 'type'> | null>,
  value: string,
  others: string[] = [],
): Promise<void> {
  const seen = new Set<number>()
  while (seen.size < PARTITIONS) {
    const event = (await poll()) as ConsumerEvent | null // the events of both kinds of consumers that matter here
    if (event?.type === 'message' && String(event.message.value) === value) seen.add(event.message.partition)
    else if (event?.type === 'rebalance') others.push(event.event.type)
  }
}

test('a share consumer gets the partitions of a member that has left', async () => {
  const group = await newGroup()
  const member = (): ShareConsumer =>
    closing(new ShareConsumer({ 'bootstrap.servers': cluster.bootstrapServers, 'group.id': group }, quiet))
  const [staying, leaving] = [member(), member()]
  for (const each of [staying, leaving]) each.subscribe([group])
  const assigned = async (): Promise<number[]> =>
    ((await admin.describeShareGroups([group]))[0]?.members ?? []).map(each => each.assignment.length)
  await staying.poll(10)
  await leaving.poll(10)
  while ((await assigned()).filter(count => count === PARTITIONS / 2).length < 2) {
    await staying.poll(50)
    await leaving.poll(50)
  }
  await leaving.close()
  cluster.failNext(SHARE_HEARTBEAT, [answerIsLost])
  await writeToAll(group, 'late')
  await readAll(() => staying.poll(100), 'late')
})

test('a member of a consumer group gets the partitions of one that has left, and keeps its own', async () => {
  const group = await newGroup()
  const member = (): Consumer => {
    const config = { 'group.id': group, 'group.protocol': 'consumer', 'auto.offset.reset': 'earliest' } as const
    return closing(new Consumer({ 'bootstrap.servers': cluster.bootstrapServers, ...config }, quiet))
  }
  const [staying, leaving] = [member(), member()]
  for (const each of [staying, leaving]) each.subscribe([group])
  while (staying.assignment().length !== PARTITIONS / 2 || leaving.assignment().length !== PARTITIONS / 2) {
    await staying.poll(50)
    await leaving.poll(50)
  }
  await leaving.close()
  cluster.failNext(CONSUMER_HEARTBEAT, [answerIsLost])
  await writeToAll(group, 'late')
  const rebalances: string[] = []
  await readAll(() => staying.poll(100), 'late', rebalances)
  assert.deepEqual(rebalances, ['assign'])
})
