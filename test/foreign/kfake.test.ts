/**
 * Our clients against a broker of others: franz-go's kfake, whose producer ids are random and take 63 bits.
 * What it gets wrong is said where it matters.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { AdminClient, Consumer, ErrorCode, KafkaError, Producer, ShareConsumer, type Message } from 'ottla'
import { kfake, type ForeignCluster } from './programs.ts'

const quiet = (): void => undefined
const WAIT_MS = 30_000
let cluster: ForeignCluster
let admin: AdminClient
let names = 0

before(async () => {
  cluster = await kfake()
  admin = new AdminClient(base(), { logger: quiet })
})
after(async () => {
  await admin.close()
  await cluster.close()
})

function base(): { 'bootstrap.servers': string } {
  return { 'bootstrap.servers': cluster.bootstrapServers }
}

async function topicOf(numPartitions = 1): Promise<string> {
  const topic = `topic-${++names}`
  const [created] = await admin.createTopics([{ topic, numPartitions, replicationFactor: 1 }])
  assert.equal(created?.error, undefined)
  return topic
}

async function withProducer<T>(config: object, work: (producer: Producer) => Promise<T>): Promise<T> {
  const producer = new Producer({ ...base(), ...config }, { logger: quiet })
  try {
    return await work(producer)
  } finally {
    await producer.close()
  }
}

async function withConsumer<T>(config: object, work: (consumer: Consumer) => Promise<T>): Promise<T> {
  const consumer = new Consumer({ ...base(), 'auto.offset.reset': 'earliest', ...config }, { logger: quiet })
  try {
    return await work(consumer)
  } finally {
    await consumer.close()
  }
}

async function read(consumer: Consumer, count: number): Promise<Message[]> {
  const messages: Message[] = []
  while (messages.length < count) {
    const message = await consumer.readMessage(WAIT_MS)
    assert.ok(message, `message ${messages.length} of ${count} came`)
    messages.push(message)
  }
  return messages
}

// Everything that is committed.
function committed(topic: string): Promise<string[]> {
  return withConsumer({ 'isolation.level': 'read_committed', 'enable.partition.eof': true }, async consumer => {
    await consumer.assign([{ topic, partition: 0, offset: 0 }])
    const values: string[] = []
    for (;;) {
      const event = await consumer.poll(WAIT_MS)
      assert.ok(event, `the end of ${topic} came`)
      if (event.type === 'partition-eof') return values
      if (event.type === 'message') values.push(String(event.message.value))
    }
  })
}

test('idempotent messages are delivered once, under a random id', async () => {
  const topic = await topicOf(3)
  await withProducer({ 'enable.idempotence': true }, async producer => {
    const reports = await producer.sendBatch(
      Array.from({ length: 300 }, (_, i) => ({ topic, key: `${i % 7}`, value: `${i}` })),
    )
    assert.deepEqual(
      reports.map(r => r.error).filter(e => e !== undefined),
      [],
    )
  })
  await withConsumer({ 'group.id': topic }, async consumer => {
    consumer.subscribe(topic)
    const values = (await read(consumer, 300)).map(m => Number(m.value))
    assert.equal(new Set(values).size, 300)
  })
})

test('transactions commit and abort, and readers of committed messages see what they should', async () => {
  const topic = await topicOf()
  await withProducer({ 'transactional.id': topic }, async producer => {
    await producer.initTransactions()
    for (let round = 0; round < 6; round++) {
      producer.beginTransaction()
      await producer.send({ topic, partition: 0, value: `${round}` })
      // kfake tells of producers only while a transaction is open; Kafka tells of idempotent ones as well.
      const [open] = await admin.describeProducers([{ topic, partition: 0 }])
      const [known] = await admin.describeTransactions([topic])
      assert.deepEqual(
        open?.producers.map(p => p.producerId),
        [known?.producerId],
      )
      if (round % 2 === 0) await producer.commitTransaction()
      else await producer.abortTransaction()
    }
    const [described] = await admin.describeTransactions([topic])
    assert.ok(described !== undefined && described.producerId > 0n)
    const listed = await admin.listTransactions({ producerIds: [described.producerId] })
    assert.deepEqual(
      listed.transactions.map(t => [t.transactionalId, t.producerId]),
      [[topic, described.producerId]],
    )
  })
  assert.deepEqual(await committed(topic), ['0', '2', '4'])
})

test('offsets are committed with a transaction, in both group protocols', async () => {
  for (const protocol of ['classic', 'consumer']) {
    const topic = await topicOf()
    const out = await topicOf()
    const group = `group-${++names}`
    await withProducer({}, producer => producer.sendBatch(['a', 'b', 'c'].map(value => ({ topic, value }))))
    const config = { 'group.id': group, 'group.protocol': protocol, 'enable.auto.commit': false }
    await withConsumer(config, async consumer => {
      consumer.subscribe(topic)
      await withProducer({ 'transactional.id': group }, async producer => {
        await producer.initTransactions()
        const messages = await read(consumer, 3)
        producer.beginTransaction()
        for (const { value } of messages) await producer.send({ topic: out, partition: 0, value: `${String(value)}!` })
        await producer.sendOffsetsToTransaction([{ topic, partition: 0, offset: 3 }], consumer.groupMetadata())
        await producer.commitTransaction()
      })
    })
    assert.deepEqual(await committed(out), ['a!', 'b!', 'c!'], protocol)
    assert.equal((await admin.listConsumerGroupOffsets(group))[0]?.offset, 3, protocol)
  }
})

test('a newer instance fences the older one', async () => {
  const topic = await topicOf()
  await withProducer({ 'transactional.id': topic }, async older => {
    await older.initTransactions()
    older.beginTransaction()
    await older.send({ topic, partition: 0, value: 'older' })
    await withProducer({ 'transactional.id': topic }, async newer => {
      await newer.initTransactions()
      newer.beginTransaction()
      await newer.send({ topic, partition: 0, value: 'newer' })
      await assert.rejects(older.commitTransaction(), error => {
        assert.ok(error instanceof KafkaError)
        assert.deepEqual([error.code, error.isFatal], [ErrorCode.ERR__FENCED, true])
        return true
      })
      await newer.commitTransaction()
    })
  })
  assert.deepEqual(await committed(topic), ['newer'])
})

for (const protocol of ['classic', 'consumer']) {
  test(`members of a ${protocol} group share the partitions, and go on where another stopped`, async () => {
    const topic = await topicOf(4)
    const config = { 'group.id': topic, 'group.protocol': protocol }
    const messages = Array.from({ length: 40 }, (_, i) => ({ topic, partition: i % 4, value: `${i}` }))
    await withProducer({}, producer => producer.sendBatch(messages))
    const first = await withConsumer(config, async one => {
      one.subscribe(topic)
      const seen = await read(one, 40)
      await one.commit()
      return seen.map(m => String(m.value))
    })
    assert.equal(new Set(first).size, 40)
    await withConsumer(config, one =>
      withConsumer(config, async two => {
        one.subscribe(topic)
        two.subscribe(topic)
        const values: string[] = []
        const take = async (consumer: Consumer): Promise<void> => {
          while (values.length < 40) {
            const event = await consumer.poll(50)
            if (event?.type === 'message') values.push(String(event.message.value))
          }
        }
        const deadline = Date.now() + WAIT_MS
        while (one.assignment().length !== 2 || two.assignment().length !== 2) {
          assert.ok(Date.now() < deadline, 'each of two members has two of four partitions')
          await Promise.all([one.poll(50), two.poll(50)])
        }
        await withProducer({}, producer => producer.sendBatch(messages.map(m => ({ ...m, value: `again ${m.value}` }))))
        await Promise.all([take(one), take(two)])
        assert.equal(new Set(values).size, 40)
        assert.ok(values.every(value => value.startsWith('again')))
      }),
    )
    const [described] = await admin.describeConsumerGroups([topic])
    assert.equal(described?.error, undefined)
  })
}

test('a share group takes each message once it is released again, and no more when it is accepted', async () => {
  const topic = await topicOf()
  const group = `share-${++names}`
  await admin.incrementalAlterConfigs([
    { type: 'group', name: group, entries: [{ name: 'share.auto.offset.reset', value: 'earliest', operation: 'set' }] },
  ])
  await withProducer({}, producer => producer.sendBatch(['a', 'b', 'c'].map(value => ({ topic, value }))))
  const config = { ...base(), 'group.id': group, 'share.acknowledgement.mode': 'explicit' }
  const consumer = new ShareConsumer(config, { logger: quiet })
  try {
    consumer.subscribe(topic)
    const seen: [string, number][] = []
    while (seen.length < 4) {
      const event = await consumer.poll(WAIT_MS)
      assert.ok(event, `${seen.length} messages came`)
      if (event.type !== 'message') continue
      const { message } = event
      seen.push([String(message.value), message.deliveryCount])
      const isAgain = message.deliveryCount > 1
      consumer.acknowledge(message, String(message.value) === 'b' && !isAgain ? 'release' : 'accept')
      await consumer.commit()
    }
    assert.deepEqual(
      seen.sort(([a, m], [b, n]) => a.localeCompare(b) || m - n),
      [
        ['a', 1],
        ['b', 1],
        ['b', 2],
        ['c', 1],
      ],
    )
  } finally {
    await consumer.close()
  }
})

test('topics are made, described, enlarged, configured and deleted', async () => {
  const topic = await topicOf(2)
  const [described] = await admin.describeTopics([topic])
  assert.equal(described?.partitions.length, 2)
  const [grown] = await admin.createPartitions([{ topic, increaseTo: 5 }])
  assert.equal(grown?.error, undefined)
  const entries = [{ name: 'retention.ms', value: '60000', operation: 'set' as const }]
  const [altered] = await admin.incrementalAlterConfigs([{ type: 'topic', name: topic, entries }])
  assert.equal(altered?.error, undefined)
  const [configs] = await admin.describeConfigs([{ type: 'topic', name: topic }])
  assert.equal(configs?.entries['retention.ms']?.value, '60000')
  await withProducer({}, producer => producer.sendBatch(['a', 'b', 'c'].map(value => ({ topic, partition: 0, value }))))
  const [deleted] = await admin.deleteRecords([{ topic, partition: 0, offset: 2 }])
  assert.equal(deleted?.lowWatermark, 2)
  const specs = ['earliest', 'latest', 'max-timestamp'] as const
  const offsets = await Promise.all(specs.map(spec => admin.listOffsets([{ topic, partition: 0, spec }])))
  assert.deepEqual(offsets.map(([o]) => [o?.offset, o?.error]).slice(0, 2), [
    [2, undefined],
    [3, undefined],
  ])
  const [gone] = await admin.deleteTopics([topic])
  assert.equal(gone?.error, undefined)
})

test('groups are listed, their offsets changed, and they are deleted', async () => {
  const topic = await topicOf()
  const group = `group-${++names}`
  const [set] = await admin.alterConsumerGroupOffsets(group, [{ topic, partition: 0, offset: 5 }])
  assert.equal(set?.error, undefined)
  assert.equal((await admin.listConsumerGroupOffsets(group))[0]?.offset, 5)
  const { groups } = await admin.listGroups()
  assert.ok(groups.some(g => g.groupId === group))
  const [deleted] = await admin.deleteConsumerGroups([group])
  assert.equal(deleted?.error, undefined)
})

test('rules and passwords come back as they were set', async () => {
  const acl = {
    resourceType: 'topic',
    name: 'orders',
    resourcePatternType: 'literal',
    principal: 'User:alice',
    host: '*',
    operation: 'read',
    permissionType: 'allow',
  } as const
  const [created] = await admin.createAcls([acl])
  assert.equal(created?.error, undefined)
  assert.equal((await admin.describeAcls({ name: 'orders' })).length, 1)
  const [user] = await admin.alterUserScramCredentials([
    { user: 'alice', mechanism: 'SCRAM-SHA-256', iterations: 4096, password: 'secret' },
  ])
  assert.equal(user?.error, undefined)
  const users = await admin.describeUserScramCredentials()
  assert.ok(users.some(u => u.user === 'alice'))
})
