/** Interceptors of producers and consumers: what they see, change and refuse, and that their errors harm nothing. */
import { after, before, test } from 'node:test'
import assert from 'node:assert/strict'
import { EmbeddedCluster } from '@ottla/broker'
import {
  Consumer,
  ErrorCode,
  KafkaError,
  Producer,
  string,
  type ConsumerInterceptor,
  type DeliveryReport,
  type Message,
  type ProducerInterceptor,
  type ProducerMessage,
  type TopicPartitionOffset,
} from 'ottla'

const LIMIT_MS = 20_000
const quiet = (): void => undefined

let cluster: EmbeddedCluster
let topics = 0

before(async () => {
  cluster = await EmbeddedCluster.start({ brokers: 1 })
})

after(() => cluster.close())

function servers(): { 'bootstrap.servers': string } {
  return { 'bootstrap.servers': cluster.bootstrapServers }
}

function newTopic(): string {
  return `intercepted-${++topics}`
}

/** Messages of a topic's first partition, from its beginning. */
async function read(topic: string, count: number): Promise<Message[]> {
  const consumer = new Consumer(servers(), { logger: quiet })
  await consumer.assign([{ topic, partition: 0, offset: 0 }])
  const messages: Message[] = []
  while (messages.length < count) messages.push(await consumer.readMessage(LIMIT_MS))
  await consumer.close()
  return messages
}

function has(expected: number): (error: unknown) => boolean {
  return error => error instanceof KafkaError && error.code === expected
}

test('onSend changes messages one interceptor after the other, before they are serialized', async () => {
  const topic = newTopic()
  const add = (text: string): ProducerInterceptor<string, string> => ({
    onSend: message => ({ ...message, value: `${message.value}${text}`, headers: { by: text } }),
  })
  const interceptors = [add('+a'), {}, { onSend: () => undefined }, add('+b')]
  const producer = new Producer(servers(), { key: string, value: string, interceptors, logger: quiet })
  const report = await producer.send({ topic, partition: 0, value: 'sent' })
  assert.equal(report.value, 'sent+a+b')
  const [inBatch] = await producer.sendBatch([{ topic, partition: 0, value: 'in a batch' }])
  assert.equal(inBatch?.value, 'in a batch+a+b')
  await new Promise<void>(resolve => producer.produce({ topic, partition: 0, value: 'produced' }, () => resolve()))
  await producer.close()
  const messages = await read(topic, 3)
  assert.deepEqual(
    messages.map(({ value, headers }) => `${String(value)} ${String(headers[0]?.value)}`),
    ['sent+a+b +b', 'in a batch+a+b +b', 'produced+a+b +b'],
  )
})

test('a message that onSend refuses is not sent: produce throws its error, send rejects with it', async () => {
  const topic = newTopic()
  const told: DeliveryReport[] = []
  const refusing: ProducerInterceptor = {
    onSend: ({ value }) =>
      value === 'secret' ? new KafkaError(ErrorCode.ERR_POLICY_VIOLATION, 'secrets stay here') : undefined,
    onAcknowledgement: report => void told.push(report),
  }
  const producer = new Producer(servers(), { interceptors: [refusing], logger: quiet })
  const refused = has(ErrorCode.ERR_POLICY_VIOLATION)
  assert.throws(() => producer.produce({ topic, value: 'secret' }), refused)
  await assert.rejects(producer.send({ topic, value: 'secret' }), refused)
  const [first, second] = await producer.sendBatch([
    { topic, partition: 0, value: 'secret' },
    { topic, partition: 0, value: 'open' },
  ])
  assert.ok(refused(first?.error))
  assert.equal(second?.offset, 0)
  assert.deepEqual(
    told.map(({ value, status }) => `${value as string}: ${status}`),
    ['secret: not-persisted', 'secret: not-persisted', 'secret: not-persisted', 'open: persisted'],
  )
  await producer.close()
})

test('onAcknowledgement hears of every message once, whoever gets the report, and before the program', async () => {
  const topic = newTopic()
  const order: string[] = []
  const seen: ProducerMessage[] = []
  const listening: ProducerInterceptor = {
    onSend: message => void seen.push(message),
    onAcknowledgement: ({ value, error }) =>
      void order.push(`${value as string}${error === undefined ? '' : ` ${error.name}`}`),
  }
  const config = { ...servers(), 'delivery.report.only.error': true, 'message.max.bytes': 2000, 'linger.ms': 20 }
  const producer = new Producer(config, { interceptors: [listening], logger: quiet })
  producer.produce({ topic, value: 'to nobody' })
  producer.produce({ topic, value: 'to a callback' }, () => order.push('callback'))
  const sent = producer.send({ topic, value: 'to a promise' }).then(() => order.push('promise'))
  assert.throws(
    () => producer.produce({ topic, value: 'x'.repeat(3000), opaque: 'large' }),
    has(ErrorCode.ERR_MSG_SIZE_TOO_LARGE),
  )
  await sent
  await producer.close()
  await assert.rejects(producer.send({ topic, value: 'closed' }), has(ErrorCode.ERR__STATE))
  assert.deepEqual(
    order.map(line => line.replace(/x{3000}/, 'large')),
    ['large ERR_MSG_SIZE_TOO_LARGE', 'to nobody', 'to a callback', 'to a promise', 'promise', 'closed ERR__STATE'],
  )
  assert.equal(seen.length, 5)
})

test('what an interceptor throws or returns amiss is logged once, and every message goes its way', async () => {
  const topic = newTopic()
  const logged: string[] = []
  const wrong = (): never => {
    throw new Error('broken')
  }
  // Promises and numbers are what the types forbid and programs without types give.
  const amiss = (() => Promise.resolve()) as unknown as () => undefined
  const interceptors: ProducerInterceptor[] = [{ onSend: wrong, onAcknowledgement: wrong }, { onSend: amiss }]
  const logger = (_level: number, facility: string, message: string): void => void logged.push(`${facility} ${message}`)
  const producer = new Producer(servers(), { interceptors, logger })
  for (let i = 0; i < 5; i++) assert.equal((await producer.send({ topic, partition: 0, value: String(i) })).offset, i)
  await producer.close()
  const lines = logged.filter(line => line.startsWith('INTERCEPT'))
  assert.equal(lines.length, 2, lines.join('\n'))
  assert.match(lines[0] ?? '', /onSend .*broken/)
  assert.match(lines[1] ?? '', /onAcknowledgement .*broken/)
  assert.equal((await read(topic, 5)).length, 5)
  assert.throws(() => new Producer(servers(), { interceptors: [null as never] }), has(ErrorCode.ERR__INVALID_ARG))
  assert.throws(() => new Consumer(servers(), { interceptors: ['x' as never] }), has(ErrorCode.ERR__INVALID_ARG))
})

test('onConsume changes what poll, readMessage, the iterator and batches hand out, and offsets are stored all the same', async () => {
  const topic = newTopic()
  const producer = new Producer(servers(), { logger: quiet })
  await producer.sendBatch(Array.from({ length: 8 }, (_, i) => ({ topic, partition: 0, value: String(i) })))
  await producer.close()
  const config = {
    ...servers(),
    'group.id': topic,
    'auto.offset.reset': 'earliest' as const,
    'enable.auto.commit': false,
  }
  const shout: ConsumerInterceptor<Buffer, string> = {
    onConsume: message => ({ ...plain(message), value: `${message.value}!` }),
  }
  const consumer = new Consumer(config, { value: string, interceptors: [shout, {}, shout], logger: quiet })
  await consumer.assign([{ topic, partition: 0, offset: 0 }])
  const values: (string | null)[] = []
  while (values.length < 1) {
    const event = await consumer.poll(LIMIT_MS)
    if (event?.type === 'message') values.push(event.message.value)
  }
  const read = await consumer.readMessage(LIMIT_MS)
  values.push(read.value)
  for await (const message of consumer) {
    values.push(message.value)
    if (values.length === 4) break
  }
  for await (const batch of consumer.batches()) {
    for (const message of batch) values.push(message.value)
    if (values.length === 8) break
  }
  assert.deepEqual(values, ['0!!', '1!!', '2!!', '3!!', '4!!', '5!!', '6!!', '7!!'])
  const [committed] = await consumer.commitMessage(read)
  assert.equal(committed?.offset, 2)
  await consumer.close()
})

test('without deserializers onConsume gets the message as it was fetched, and what it throws keeps none back', async () => {
  const topic = newTopic()
  const producer = new Producer(servers(), { logger: quiet })
  await producer.sendBatch(Array.from({ length: 3 }, (_, i) => ({ topic, partition: 0, value: String(i) })))
  await producer.close()
  const logged: string[] = []
  const seen: string[] = []
  const interceptors: ConsumerInterceptor[] = [
    {
      onConsume: () => {
        throw new Error('broken')
      },
    },
    { onConsume: message => ({ ...plain(message), offset: 77 }) },
    { onConsume: message => void seen.push(String(message.value)) },
  ]
  const consumer = new Consumer(servers(), { interceptors, logger: (_level, facility) => void logged.push(facility) })
  await consumer.assign([{ topic, partition: 0, offset: 0 }])
  for (let i = 0; i < 3; i++) assert.equal((await consumer.readMessage(LIMIT_MS)).offset, i)
  await consumer.close()
  assert.deepEqual(seen, ['0', '1', '2'])
  assert.equal(logged.filter(facility => facility === 'INTERCEPT').length, 1)
})

test('onCommit hears of commits that were asked for and of automatic ones, failed ones included', async () => {
  const topic = newTopic()
  const producer = new Producer(servers(), { logger: quiet })
  await producer.send({ topic, partition: 0, value: 'x' })
  await producer.close()
  const commits: { offsets: readonly TopicPartitionOffset[]; error: KafkaError | undefined }[] = []
  const interceptors: ConsumerInterceptor[] = [
    {
      onCommit: () => {
        throw new Error('broken')
      },
    },
    { onCommit: (offsets, error) => void commits.push({ offsets, error }) },
  ]
  const config = { ...servers(), 'group.id': topic, 'auto.offset.reset': 'earliest' as const }
  const consumer = new Consumer(config, { interceptors, logger: quiet })
  consumer.subscribe([topic])
  await consumer.commitMessage(await consumer.readMessage(LIMIT_MS))
  await consumer.commit([{ topic, partition: 0, offset: 0 }])
  await assert.rejects(consumer.commit([{ topic: 'not there', partition: 0, offset: 0 }]))
  await consumer.close()
  assert.deepEqual(
    commits.slice(0, 2).map(({ offsets }) => offsets[0]?.offset),
    [1, 0],
  )
  assert.ok(commits[2]?.error instanceof KafkaError)
  assert.equal(commits[3]?.offsets[0]?.offset, 1, 'close commits what is stored')
})

// The fields of a fetched message are accessors, which a spread leaves out.
function plain<V>(message: Message<Buffer, V>): Message<Buffer, V> {
  const { topic, partition, offset, leaderEpoch, timestamp, timestampType, key, value, headers } = message
  return { topic, partition, offset, leaderEpoch, timestamp, timestampType, key, value, headers }
}
