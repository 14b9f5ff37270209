// An application of node-rdkafka: `node program.cjs PACKAGE BROKERS NAME`. Prints what it sees, the same with whichever
// package. NAME begins the names of topics and groups, and is printed as `$`.
'use strict'
const [, , path, brokers, name] = process.argv
const { AdminClient, CODES, HighLevelProducer, KafkaConsumer, Producer } = require(path)

const common = { 'metadata.broker.list': brokers, 'client.id': 'program' }
const print = (...values) =>
  console.log(
    values
      .map(value => (typeof value === 'string' ? value : JSON.stringify(value)))
      .join(' ')
      .replaceAll(name, '$'),
  )
const text = bytes => (Buffer.isBuffer(bytes) ? `bytes ${bytes}` : bytes)
const codeOf = error => (error ? error.code : 'none')
const done = work => new Promise((resolve, reject) => work((error, value) => (error ? reject(error) : resolve(value))))
const outcome = work =>
  new Promise(resolve => work((error, value) => resolve(error ? `error ${codeOf(error)}` : value)))
const connected = client => done(callback => client.connect({ timeout: 10000 }, callback)).then(() => client)
const disconnected = client => new Promise(resolve => client.disconnect(resolve))

async function administer() {
  const admin = AdminClient.create(common)
  const create = (topic, more) =>
    outcome(callback =>
      admin.createTopic({ topic, num_partitions: 2, replication_factor: 1, ...more }, 10000, callback),
    )
  print('create', (await create(`${name}-topic`)) ?? 'done')
  print('again', await create(`${name}-topic`))
  print('too many replicas', await create(`${name}-none`, { replication_factor: 99 }))
  print('more', (await outcome(callback => admin.createPartitions(`${name}-topic`, 3, 10000, callback))) ?? 'done')
  print('fewer', await outcome(callback => admin.createPartitions(`${name}-topic`, 1, 10000, callback)))
  print('delete none', await outcome(callback => admin.deleteTopic(`${name}-none`, 10000, callback)))
  admin.disconnect()
}

async function produce() {
  const producer = new Producer({ ...common, dr_msg_cb: true }, { acks: -1 })
  producer.setPollInterval(10)
  await connected(producer)
  print('connected', producer.isConnected())
  const reports = []
  producer.on('delivery-report', (error, report) => reports.push([codeOf(error), report]))
  const headers = [{ one: 'a' }, { two: Buffer.from('b') }]
  producer.produce(`${name}-topic`, 0, Buffer.from('value'), 'key', 1700000000000, { mine: 1 }, headers)
  producer.produce(`${name}-topic`, 1, null, Buffer.from('k'), 1700000000001)
  producer.produce(`${name}-topic`, 2, Buffer.from('last'), null, 1700000000002, 'mine')
  await done(callback => producer.flush(10000, callback))
  // They may come after the callback of flush.
  while (reports.length < 3) await new Promise(resolve => setTimeout(resolve, 10))
  const sorted = reports.sort(([, a], [, b]) => a.partition - b.partition)
  for (const [code, { topic, partition, offset, key, value, opaque, timestamp, size }] of sorted)
    print('report', code, topic, partition, offset, text(key), text(value), opaque ?? 'nothing', timestamp, size)
  print('watermarks', await done(callback => producer.queryWatermarkOffsets(`${name}-topic`, 0, 10000, callback)))
  const { topics } = await done(callback => producer.getMetadata({ topic: `${name}-topic`, timeout: 10000 }, callback))
  print('partitions', topics.find(each => each.name === `${name}-topic`).partitions.length)
  try {
    producer.produce(`${name}-topic`, 0, 'a string')
  } catch (error) {
    print('a string', error instanceof Error)
  }
  await disconnected(producer)
  print('connected', producer.isConnected())
}

async function produceHighLevel() {
  const producer = new HighLevelProducer({ ...common }, { acks: -1 })
  producer.setValueSerializer(value => Buffer.from(JSON.stringify(value)))
  await connected(producer)
  for (const value of [{ a: 1 }, ['b']])
    print('offset', await done(callback => producer.produce(`${name}-topic`, 0, value, 'k', 1700000000003, callback)))
  await disconnected(producer)
}

async function consume() {
  const consumer = new KafkaConsumer(
    { ...common, 'group.id': `${name}-group`, 'enable.auto.commit': false },
    { 'auto.offset.reset': 'earliest' },
  )
  await connected(consumer)
  consumer.assign([0, 1, 2].map(partition => ({ topic: `${name}-topic`, partition })))
  print('assignments', consumer.assignments())
  const seen = []
  while (seen.length < 5) seen.push(...(await done(callback => consumer.consume(5 - seen.length, callback))))
  seen.sort((a, b) => a.partition - b.partition || a.offset - b.offset)
  for (const { topic, partition, offset, key, value, timestamp, size, headers = [] } of seen) {
    const given = headers.map(each => Object.fromEntries(Object.entries(each).map(([of, bytes]) => [of, text(bytes)])))
    print('message', topic, partition, offset, text(key), text(value), timestamp, size, given)
  }
  print(
    'positions',
    consumer.position().sort((a, b) => a.partition - b.partition),
  )
  consumer.commitSync({ topic: `${name}-topic`, partition: 0, offset: 2 })
  const asked = [0, 1].map(partition => ({ topic: `${name}-topic`, partition }))
  print('committed', await done(callback => consumer.committed(asked, 10000, callback)))
  const times = asked.map(each => ({ ...each, offset: 1700000000002 }))
  print('times', await done(callback => consumer.offsetsForTimes(times, 10000, callback)))
  await done(callback => consumer.seek({ topic: `${name}-topic`, partition: 0, offset: 1 }, 1000, callback))
  const [again] = await done(callback => consumer.consume(1, callback))
  print('again', again.partition, again.offset, text(again.value))
  await disconnected(consumer)
}

async function consumeInGroup(isCalledBack) {
  const rebalances = []
  const rebalance = {
    rebalance_cb(error, partitions) {
      rebalances.push([error.code, partitions.length])
      if (error.code === CODES.ERRORS.ERR__ASSIGN_PARTITIONS) this.assign(partitions)
      else this.unassign()
    },
  }
  const consumer = new KafkaConsumer(
    { ...common, 'group.id': `${name}-members-${isCalledBack}`, ...(isCalledBack ? rebalance : {}) },
    { 'auto.offset.reset': 'earliest' },
  )
  await connected(consumer)
  consumer.subscribe([`${name}-topic`])
  print('subscription', consumer.subscription())
  let count = 0
  await new Promise(resolve => {
    consumer.on('data', () => ++count === 5 && resolve())
    consumer.consume()
  })
  print('assignments', consumer.assignments())
  consumer.unsubscribe()
  while (isCalledBack && rebalances.length < 2) await new Promise(resolve => setTimeout(resolve, 50))
  print('rebalances', rebalances)
  await disconnected(consumer)
}

async function main() {
  await administer()
  await produce()
  await produceHighLevel()
  await consume()
  await consumeInGroup(true)
  await consumeInGroup(false)
  process.exit(0)
}

main().catch(error => {
  console.error(error)
  process.exit(1)
})
