// An application of Confluent's package: `node program.cjs PACKAGE BROKERS NAME`. Prints what it sees, the same with
// whichever package. NAME begins the names of topics and groups, and is printed as `$`.
'use strict'
const [, , path, brokers, name] = process.argv
const { ErrorCodes, Kafka, logLevel } = require(path).KafkaJS

const kafka = new Kafka({ kafkaJS: { brokers: brokers.split(','), clientId: 'program', logLevel: logLevel.NOTHING } })
const topic = `${name}-topic`
const print = (...values) =>
  console.log(
    values
      .map(value => (typeof value === 'string' ? value : JSON.stringify(value)))
      .join(' ')
      .replaceAll(name, '$'),
  )
const text = bytes => (Buffer.isBuffer(bytes) ? `bytes ${bytes}` : (bytes ?? 'nothing'))
// `retriable` and the like are always false in Confluent's errors.
const failure = work =>
  work.then(
    () => 'none',
    ({ name: kind, code, type }) => ({ kind, code, type }),
  )
const byPlace = (a, b) => a.partition - b.partition || Number(a.offset ?? 0) - Number(b.offset ?? 0)
const until = async isSo => {
  while (!isSo()) await new Promise(resolve => setTimeout(resolve, 20))
}

async function administer(admin) {
  print('create', await admin.createTopics({ topics: [{ topic, numPartitions: 2 }] }))
  print('again', await admin.createTopics({ topics: [{ topic, numPartitions: 2 }] }))
  print(
    'too many replicas',
    await failure(admin.createTopics({ topics: [{ topic: `${name}-none`, replicationFactor: 99 }] })),
  )
  print(
    'topics',
    (await admin.listTopics()).filter(each => each.startsWith(name)),
  )
  print('delete none', await failure(admin.deleteTopics({ topics: [`${name}-none`] })))
}

async function produce() {
  const producer = kafka.producer({ kafkaJS: { acks: -1 } })
  print('before connect', await failure(producer.send({ topic, messages: [{ value: 'v' }] })))
  await producer.connect()
  const headers = { one: 'a', several: ['b', Buffer.from('c')] }
  const sent = await producer.send({
    topic,
    messages: [
      { partition: 0, key: 'key', value: 'value', headers, timestamp: '1700000000001' },
      { partition: 0, key: null, value: Buffer.from('bytes'), timestamp: '1700000000002' },
      { partition: 1, key: 'key', value: null, timestamp: '1700000000003' },
    ],
  })
  const reports = sent.map(({ topicName, partition, errorCode, baseOffset }) => [
    topicName,
    partition,
    errorCode,
    baseOffset,
  ])
  print('sent', reports.sort())
  const batch = [{ topic, messages: [{ partition: 1, value: 'of a batch', timestamp: '1700000000004' }] }]
  print(
    'sent',
    (await producer.sendBatch({ topicMessages: batch })).map(({ partition, baseOffset }) => [partition, baseOffset]),
  )
  // An error of `RdKafka` in Confluent's package.
  print('no partition', (await failure(producer.send({ topic, messages: [{ partition: 9, value: 'v' }] }))).code)
  await producer.disconnect()
}

async function produceInTransactions() {
  const producer = kafka.producer({ kafkaJS: { transactionalId: `${name}-id` } })
  await producer.connect()
  for (const end of ['abort', 'commit']) {
    const transaction = await producer.transaction()
    await transaction.send({ topic, messages: [{ partition: 0, value: end, timestamp: '1700000000005' }] })
    print('active', transaction.isActive())
    await transaction[end]()
    print('active', transaction.isActive())
  }
  await producer.disconnect()
}

async function consume() {
  const consumer = kafka.consumer({ kafkaJS: { groupId: `${name}-group`, fromBeginning: true, autoCommit: false } })
  await consumer.connect()
  await consumer.subscribe({ topic })
  const seen = []
  await consumer.run({
    eachMessage: async ({ topic, partition, message }) => void seen.push({ topic, partition, ...message }),
  })
  await until(() => seen.length === 5)
  print('assignment', consumer.assignment().sort(byPlace))
  for (const { topic, partition, offset, key, value, timestamp, headers = {} } of seen.sort(byPlace)) {
    const given = Object.entries(headers).map(([of, bytes]) => [
      of,
      Array.isArray(bytes) ? bytes.map(text) : text(bytes),
    ])
    print('message', topic, partition, offset, text(key), text(value), timestamp, given)
  }
  await consumer.commitOffsets([{ topic, partition: 0, offset: '2' }])
  const committed = await consumer.committed(
    [0, 1].map(partition => ({ topic, partition })),
    10000,
  )
  print(
    'committed',
    committed.sort(byPlace).map(({ partition, offset }) => [partition, offset]),
  )
  seen.length = 0
  consumer.seek({ topic, partition: 1, offset: '1' })
  await until(() => seen.length === 1)
  print(
    'sought',
    seen.map(({ partition, offset, value }) => [partition, offset, text(value)]),
  )
  consumer.pause([{ topic, partitions: [1] }])
  print('paused', consumer.paused())
  consumer.resume([{ topic, partitions: [1] }])
  print('paused', consumer.paused())
  await consumer.disconnect()
}

async function consumeBatches() {
  const consumer = kafka.consumer({
    kafkaJS: { groupId: `${name}-batches`, fromBeginning: true, autoCommitInterval: 100 },
  })
  await consumer.connect()
  await consumer.subscribe({ topics: [/^.*-topic$/].map(({ source }) => new RegExp(source.replace('.*', name))) })
  const seen = []
  await consumer.run({
    eachBatch: async ({ batch, resolveOffset, heartbeat, isRunning, isStale }) => {
      for (const { offset, value } of batch.messages) {
        seen.push([batch.partition, offset, text(value), isRunning(), isStale()])
        resolveOffset(offset)
        await heartbeat()
      }
    },
  })
  await until(() => seen.length === 5)
  print(
    'batches',
    seen.sort(([a, b], [c, d]) => a - c || b - d),
  )
  await consumer.disconnect()
}

async function inspect(admin) {
  const groupId = `${name}-group`
  const offsets = await admin.fetchOffsets({ groupId, topics: [topic] })
  print(
    'group',
    offsets.map(each => each.partitions.sort(byPlace).map(({ partition, offset }) => [partition, offset])),
  )
  const ends = await admin.fetchTopicOffsets(topic)
  print(
    'ends',
    ends.sort(byPlace).map(({ partition, offset, high, low }) => [partition, offset, high, low]),
  )
  const { groups } = await admin.listGroups()
  print(
    'groups',
    groups
      .map(each => each.groupId)
      .filter(each => each.startsWith(name))
      .sort(),
  )
  print(
    'deleted',
    (await admin.deleteGroups([groupId])).map(({ groupId: of, errorCode }) => [of, errorCode ?? 0]),
  )
  print('codes', ErrorCodes.ERR_UNKNOWN_TOPIC_OR_PART, ErrorCodes.ERR__TIMED_OUT)
  await admin.deleteTopics({ topics: [topic] })
}

async function main() {
  const admin = kafka.admin()
  await admin.connect()
  await administer(admin)
  await produce()
  await produceInTransactions()
  await consume()
  await consumeBatches()
  await inspect(admin)
  await admin.disconnect()
  process.exit(0)
}

main().catch(error => {
  console.error(error)
  process.exit(1)
})
