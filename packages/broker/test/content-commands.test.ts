/** What a test puts into a cluster without a client, and what it sees of groups. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { EmbeddedCluster, type MessageInput } from '../src/index.ts'

let cluster: EmbeddedCluster

before(async () => {
  cluster = await EmbeddedCluster.start({ brokers: 2, autoCreateTopics: false })
  cluster.createTopic('t', { partitions: 3 })
})
after(() => cluster.close())

/** Partition, offset, key and value of what a topic holds. */
function held(topic: string, from?: readonly number[]): string[] {
  return cluster
    .messages(topic, from)
    .map(({ partition, offset, key, value }) => `${partition}/${offset} ${String(key)} ${String(value)}`)
}

test('messages are written in order, to the partitions that are named', () => {
  cluster.createTopic('named', { partitions: 2 })
  cluster.produce('named', [
    { partition: 1, key: 'a', value: 'first' },
    { partition: 0, value: 'other', headers: { trace: '7' }, timestamp: 1000 },
    { partition: 1, key: 'a', value: Buffer.from('second') },
    { partition: 1, key: 'a', value: null },
  ])
  assert.deepEqual(held('named'), ['0/0 null other', '1/0 a first', '1/1 a second', '1/2 a null'])
  const [{ headers, timestamp } = assert.fail()] = cluster.messages('named')
  assert.equal(timestamp, 1000)
  assert.deepEqual(
    headers.map(({ key, value }) => [key, String(value)]),
    [['trace', '7']],
  )
})

test('without a partition the key decides as in librdkafka, and messages without one take turns', () => {
  cluster.createTopic('keyed', { partitions: 3 })
  cluster.produce('keyed', [{ value: '0' }, { key: '', value: '1' }, { value: '2' }, { value: '3' }])
  assert.deepEqual(held('keyed'), ['0/0 null 0', '0/1 null 3', '1/0  1', '2/0 null 2'])
  cluster.produce('keyed', [
    { key: 'hello', value: 'x' },
    { key: Buffer.from('hello'), value: 'y' },
  ])
  // CRC-32 of 'hello' is 0x3610a686, which is 907060870.
  assert.deepEqual(held('keyed', [2, 1, 1]), [
    `${907060870 % 3}/${1 + Number(907060870 % 3 === 0)} hello x`,
    `${907060870 % 3}/${2 + Number(907060870 % 3 === 0)} hello y`,
  ])
})

test('only messages from the offsets that are asked for are read', () => {
  cluster.createTopic('from', { partitions: 2 })
  const two = (partition: number): MessageInput[] => [
    { partition, value: 'a' },
    { partition, value: 'b' },
  ]
  cluster.produce('from', [...two(0), ...two(1)])
  cluster.produce('from', two(0))
  assert.deepEqual(held('from', [1, 2]), ['0/1 null b', '0/2 null a', '0/3 null b'])
  assert.deepEqual(held('from', [4]), ['1/0 null a', '1/1 null b'])
})

test('nothing is written when one message is refused', () => {
  const good = { partition: 0, value: 'good' }
  assert.throws(() => cluster.produce('t', [good, { partition: 3, value: 'x' }]), /there is no partition t \[3\]/)
  assert.throws(() => cluster.produce('t', [good, { value: 7 as unknown as string }]), TypeError)
  const tooLarge = { partition: 1, value: Buffer.alloc(2_000_000) }
  assert.throws(() => cluster.produce('t', [good, tooLarge]), /cannot write to t \[1\]: .*max\.message\.bytes/)
  cluster.createTopic('compacted', { partitions: 1, configs: { 'cleanup.policy': 'compact' } })
  assert.throws(() => cluster.produce('compacted', [{ key: 'k', value: 'good' }, { value: 'x' }]), /compacted \[0\]/)
  assert.deepEqual([...held('t'), ...held('compacted')], [])
})

test('more messages than a batch may have are written as several batches', () => {
  cluster.createTopic('many', { partitions: 1, configs: { 'max.message.bytes': '1000' } })
  cluster.produce(
    'many',
    Array.from({ length: 100 }, (_, i) => ({ value: `message ${i} ${'x'.repeat(40)}` })),
  )
  assert.deepEqual(
    cluster.messages('many').map(({ offset, value }) => [offset, String(value).split(' ')[1]]),
    Array.from({ length: 100 }, (_, i) => [i, `${i}`]),
  )
})

test('an unknown topic is created if clients may create topics', async () => {
  assert.throws(() => cluster.produce('unknown', [{ value: 'x' }]), /there is no topic unknown/)
  await using open = await EmbeddedCluster.start({ defaultPartitions: 2 })
  open.produce('unknown', [{ value: 'x' }])
  assert.deepEqual(
    open.topics().map(({ name, partitions }) => [name, partitions]),
    [['unknown', 2]],
  )
})

test('a partition without a leader takes nothing', async () => {
  await cluster.brokerDown(1)
  await cluster.brokerDown(2)
  try {
    assert.throws(() => cluster.produce('t', [{ partition: 0, value: 'x' }]), /there is no leader for t \[0\]/)
  } finally {
    await cluster.brokerUp(1)
    await cluster.brokerUp(2)
  }
})

test('what is written is replicated', async () => {
  await using replicated = await EmbeddedCluster.start({ brokers: 3, replication: 'simulated' })
  replicated.createTopic('copied', { partitions: 1, replicationFactor: 3 })
  replicated.produce('copied', [{ value: 'a' }, { value: 'b' }])
  while (replicated.replicas('copied', 0).some(({ highWatermark }) => highWatermark < 2)) {
    await new Promise(resolve => setTimeout(resolve, 1))
  }
  assert.equal(replicated.messages('copied').length, 2)
})

test('a topic that is created again has another id', () => {
  cluster.createTopic('again')
  const idOf = (): string | undefined => cluster.topics().find(({ name }) => name === 'again')?.id
  const first = idOf()
  cluster.deleteTopic('again')
  cluster.createTopic('again')
  assert.notEqual(idOf(), first)
})

test('a group that does not exist cannot be deleted', () => {
  assert.throws(() => cluster.deleteGroup('nobody'), /there is no group nobody/)
  assert.deepEqual(cluster.groups(), [])
})
