// A program that uses the declarations widely, for each TypeScript: it is compiled, never run.
import { EmbeddedCluster, type EmbeddedClusterOptions } from '@ottla/broker'
import { Dice, simulate } from '@ottla/broker/simulation'
import { eventually, type EventuallyOptions } from '@ottla/broker/testing'
import { run, type Terminal } from '@ottla/cli'
import { KafkaJS, RdKafka } from '@ottla/kafka-javascript'
import { CompressionTypes, Kafka, KafkaJSProtocolError, type EachMessagePayload } from '@ottla/kafkajs'
import { CODES, HighLevelProducer, KafkaConsumer } from '@ottla/node-rdkafka'
import { ApiKey, Metadata, Writer, type MetadataResponse } from '@ottla/protocol'
import {
  AdminClient,
  Consumer,
  envConfig,
  ErrorCode,
  json,
  KafkaError,
  OFFSET_BEGINNING,
  Producer,
  ShareConsumer,
  string,
  type ConsumerConfig,
  type DeliveryReport,
  type Message,
  type ProducerInterceptor,
} from 'ottla'

interface Order {
  readonly id: number
}

const servers = { 'bootstrap.servers': 'localhost:9092' }
const config: ConsumerConfig = { ...servers, 'group.id': 'orders', 'auto.offset.reset': 'earliest' }
const counting: ProducerInterceptor<string, Order> = { onAcknowledgement: report => console.log(report.partition) }

export async function produces(signal: AbortSignal): Promise<Buffer | null> {
  const producer = new Producer(
    { ...servers, acks: 'all' },
    { key: string, value: json<Order>(), interceptors: [counting] },
  )
  producer.produce({ topic: 'orders', key: 'a', value: { id: 1 } }, (report: DeliveryReport<string, Order>) => {
    if (report.error instanceof KafkaError && report.error.code === ErrorCode.ERR__MSG_TIMED_OUT) throw report.error
  })
  const report = await producer.send({ topic: 'orders', value: { id: 2 }, headers: { at: 'noon' } }, { signal })
  const left: number = await producer.flush(1000)
  for await (const event of producer.events()) if (event.type === 'delivery') break
  producer.on('error', ({ error }) => error.name.toLowerCase())
  await producer.close()
  return left === 0 && report.offset === 0 ? Buffer.from('none') : null
}

export async function consumes(): Promise<(Message<string, Order> | null)[]> {
  const consumer = new Consumer(config, { key: string, value: json<Order>() })
  consumer.subscribe(['orders', /^more-.*/], async (event, reader) => {
    if (event.type === 'assign')
      await reader.assign(event.partitions.map(each => ({ ...each, offset: OFFSET_BEGINNING })))
  })
  for await (const message of consumer) if (message.value?.id === 2) break
  for await (const batch of consumer.batches({ maxMessages: 10 })) batch.markProcessed(batch.messages[0] ?? null)
  await consumer.run({ concurrency: 2, handler: ({ value }) => console.log(value?.id) })
  const first = await consumer.readMessage(1000)
  await consumer.close()
  return [first]
}

interface Topics {
  orders: { key: string; value: Order }
  audit: { value: string }
}

/** What is known of a topic is checked and inferred. */
export async function typesTopics(): Promise<string> {
  const topics = { orders: { key: string, value: json<Order>() }, audit: { value: string } }
  const producer = new Producer<Topics>({ ...envConfig(process.env), 'linger.ms': 5 }, { topics })
  producer.produce({ topic: 'orders', key: 'a', value: { id: 1 } })
  const report = await producer.send({ topic: 'audit', value: 'one' })
  // @ts-expect-error an order is no text
  producer.produce({ topic: 'orders', key: 'a', value: 'one' })
  // @ts-expect-error there is no such topic
  producer.produce({ topic: 'ordres' })
  const consumer = new Consumer<Topics>(config, { topics })
  consumer.subscribe(['orders', 'audit'])
  for await (const message of consumer) {
    const id: number | undefined = message.topic === 'orders' ? message.value?.id : message.value?.length
    if (id === 2) break
  }
  for await (const batch of consumer.batches()) {
    if (batch.topic === 'orders') for (const { value } of batch) if (value?.id === 2) return value.id.toFixed()
  }
  await consumer.run({ handler: message => console.log(message.topic === 'audit' && message.value?.trim()) })
  await producer.transactional(consumer, (batch, tx) => tx.produce({ topic: 'audit', value: batch.topic }))
  return report.topic === 'audit' && report.value !== null ? report.value : ''
}

export async function administers(producer: Producer): Promise<string> {
  const admin = AdminClient.from(producer)
  const [created] = await admin.createTopics([{ topic: 'orders', numPartitions: 3 }])
  const share = new ShareConsumer({ ...servers, 'group.id': 'orders' })
  share.on('acknowledged', ({ offsets }) => offsets.length)
  await share.close()
  const lag: string[] = (await admin.describeCluster()).nodes.map(({ host }) => host)
  return created?.error?.message ?? lag.join()
}

export async function standsIn(options: EventuallyOptions): Promise<string[]> {
  const kafka = new Kafka({ brokers: ['localhost:9092'], sasl: { mechanism: 'plain', username: 'a', password: 'b' } })
  const producer = kafka.producer({ idempotent: true })
  await producer.send({ topic: 'bills', messages: [{ value: '1' }], compression: CompressionTypes.GZIP })
  const removal = producer.on(producer.events.REQUEST, ({ payload }) => payload.duration.toFixed())
  removal()
  const consumer = kafka.consumer({ groupId: 'bills' })
  await consumer.run({
    eachMessage: async (payload: EachMessagePayload) => {
      if (payload.message.offset.endsWith('0')) await payload.heartbeat()
    },
  })
  const topics = await eventually(() => kafka.admin().listTopics(), options)
  return topics.filter(topic => topic !== new KafkaJSProtocolError('none').type)
}

export async function standsInForConfluent(): Promise<KafkaJS.RecordMetadata[]> {
  const kafka = new KafkaJS.Kafka({ kafkaJS: { brokers: ['localhost:9092'], logLevel: KafkaJS.logLevel.ERROR } })
  const producer: KafkaJS.Producer = kafka.producer({
    'linger.ms': 5,
    kafkaJS: { compression: KafkaJS.CompressionTypes.ZSTD, acks: -1 },
  })
  const consumer = kafka.consumer({
    kafkaJS: { groupId: 'bills', partitionAssigners: [KafkaJS.PartitionAssigners.range] },
  })
  await consumer.run({
    eachBatch: ({ batch, resolveOffset }: KafkaJS.EachBatchPayload) => {
      resolveOffset(batch.lastOffset())
      return Promise.resolve()
    },
  })
  const groups = await kafka.admin().listGroups({ matchConsumerGroupStates: [KafkaJS.ConsumerGroupStates.STABLE] })
  const admin: RdKafka.IAdminClient = RdKafka.AdminClient.create({ 'bootstrap.servers': 'localhost:9092' })
  admin.listTopics((error, topics) => console.log(error.code === KafkaJS.ErrorCodes.ERR__STATE, topics.length))
  return producer.send({ topic: 'bills', messages: [{ value: groups.groups[0]?.groupId ?? null }] })
}

export function standsInForLibrdkafka(): void {
  const servers = { 'metadata.broker.list': 'localhost:9092' }
  const producer = new HighLevelProducer({ ...servers, 'linger.ms': 5 })
  producer.setValueSerializer((value: number) => Buffer.from(String(value)))
  producer.produce('bills', null, 12, 'alice', null, (error, offset) => console.log(error, offset))
  const consumer = new KafkaConsumer({ ...servers, 'group.id': 'bills' }, { 'auto.offset.reset': 'earliest' })
  consumer.on('data', ({ value, offset }) => console.log(value?.length, offset))
  consumer.on('event.error', error => console.log(error.code === CODES.ERRORS.ERR__ALL_BROKERS_DOWN))
}

export async function simulates(options: EmbeddedClusterOptions, terminal: Terminal): Promise<number> {
  const cluster: EmbeddedCluster = await EmbeddedCluster.start(options)
  cluster.failNext(ApiKey.Produce, [ErrorCode.ERR_NOT_ENOUGH_REPLICAS])
  await cluster.close()
  new Writer().int8(1)
  const facts: Pick<MetadataResponse, 'brokers'> = { brokers: [] }
  return (
    new Dice(facts.brokers.length + Metadata.maxVersion + simulate.length).next() + (await run(['--version'], terminal))
  )
}
