/** Typed topics: what is checked and inferred by topic, and what must not compile. Compiled, never run. */
import {
  AdminClient,
  Consumer,
  Producer,
  ShareConsumer,
  int32,
  json,
  string,
  type BatchRunOptions,
  type Bytes,
  type ConsumedMessage,
  type DeliveryReport,
  type Message,
  type MessageBatch,
  type PartitionStream,
  type ProducerMessage,
  type RunOptions,
  type ShareMessage,
  type TopicMessage,
} from '../../src/index.ts'
import { check, exactly } from './same.ts'

interface Order {
  readonly amount: number
}

/** As the application writes it. */
interface Topics {
  orders: { key: string; value: Order }
  clicks: { key: number; value: string }
  /** Keys are Buffers. */
  logs: { value: string }
  /** All of it is Buffers. */
  raw: object
}

const config = { 'bootstrap.servers': 'localhost:9092' }
const member = { ...config, 'group.id': 'shop' }

/** A producer sends text and bytes as they are. */
const serializers = {
  orders: { value: json<Order>() },
  clicks: { key: int32 },
} as const
/** A consumer reads Buffers as they are. */
const deserializers = {
  orders: { key: string, value: json<Order>() },
  clicks: { key: int32, value: string },
  logs: { value: string },
} as const

export async function producing(): Promise<void> {
  const producer = new Producer<Topics>(config, { topics: serializers })
  producer.produce({ topic: 'orders', key: 'a', value: { amount: 1 } })
  producer.produce({ topic: 'orders', key: 'a', value: null })
  producer.produce({ topic: 'orders', key: 'a' }, report => {
    if (report.topic === 'orders') check(report.value satisfies Order | null)
  })
  producer.produce({ topic: 'clicks', key: 1, value: 'home', headers: { a: 'b' }, partition: 0 })
  producer.produce({ topic: 'raw', key: Buffer.alloc(1), value: 'text' })
  const sent = await producer.send({ topic: 'logs', key: 'bytes', value: 'line' })
  if (sent.topic === 'clicks') exactly<number | null>()(sent.key)
  await producer.sendBatch([
    { topic: 'orders', value: { amount: 1 } },
    { topic: 'logs', value: 'line' },
  ])
  await producer.transaction(async tx => {
    await tx.send({ topic: 'orders', value: { amount: 1 } })
    // @ts-expect-error of another topic
    await tx.send({ topic: 'orders', value: 'line' })
  })
  // @ts-expect-error there is no such topic
  producer.produce({ topic: 'ordres', value: { amount: 1 } })
  // @ts-expect-error there is no such topic, even without a value
  producer.produce({ topic: 'ordres' })
  // @ts-expect-error the value of another topic
  producer.produce({ topic: 'orders', key: 'a', value: 'line' })
  // @ts-expect-error the key of another topic
  producer.produce({ topic: 'clicks', key: 'a', value: 'home' })
  // @ts-expect-error of two messages, one is wrong
  await producer.sendBatch([
    { topic: 'logs', value: 'line' },
    { topic: 'logs', value: 1 },
  ])
  // @ts-expect-error the topic is not known before run time
  await producer.send({ topic: String(Math.random()), value: 'line' })
  producer.on('delivery', ({ report }) => {
    if (report.topic === 'orders') exactly<Order | null>()(report.value)
    if (report.topic === 'clicks') exactly<number | null>()(report.key)
    // @ts-expect-error it may be of another topic
    check(report.value satisfies Order | null)
  })
  for await (const event of producer.events()) {
    if (event.type === 'delivery' && event.report.topic === 'orders') check(event.report.value satisfies Order | null)
  }
  await producer.writable().getWriter().write({ topic: 'logs', value: 'line' })
}

export async function consuming(): Promise<void> {
  const consumer = new Consumer<Topics>(member, { topics: deserializers })
  consumer.subscribe('orders')
  consumer.subscribe(['orders', 'clicks'])
  // @ts-expect-error there is no such topic
  consumer.subscribe('ordres')
  // @ts-expect-error what a pattern matches is known at run time only
  consumer.subscribe(/^orders/)
  for await (const message of consumer) {
    if (message.topic === 'orders') {
      exactly<Order | null>()(message.value)
      exactly<string | null>()(message.key)
    } else if (message.topic === 'logs') {
      exactly<string | null>()(message.value)
      exactly<Buffer | null>()(message.key)
    } else if (message.topic === 'raw') exactly<Buffer | null>()(message.value)
    else check(message satisfies TopicMessage<'clicks', number, string>)
    // @ts-expect-error there is no such topic
    check(message.topic === 'ordres')
  }
  const message = await consumer.readMessage()
  exactly<ConsumedMessage<Topics>>()(message)
  const event = await consumer.poll()
  if (event?.type === 'message' && event.message.topic === 'orders') check(event.message.value satisfies Order | null)
  for await (const batch of consumer.batches()) {
    if (batch.topic !== 'orders') continue
    for (const { value } of batch) exactly<Order | null>()(value)
    batch.markProcessed(batch.messages[0] ?? null)
  }
  for await (const stream of consumer.partitions()) {
    if (stream.topic !== 'clicks') continue
    for await (const { key } of stream) exactly<number | null>()(key)
  }
  await consumer.run({
    handler: each => {
      if (each.topic === 'orders') check(each.value satisfies Order | null)
      // @ts-expect-error it may be of another topic
      check(each.value satisfies Order | null)
    },
  })
  const options: RunOptions<Topics> = { handler: each => check(each.topic satisfies keyof Topics) }
  const batches: BatchRunOptions<Topics> = {
    batchHandler: batch => {
      if (batch.topic === 'orders') for (const { value } of batch) exactly<Order | null>()(value)
    },
  }
  await Promise.all([consumer.run(options), consumer.run(batches)])
  const producer = new Producer<Topics>(config, { topics: serializers })
  await producer.transactional(consumer, (batch, tx) => {
    if (batch.topic === 'orders') tx.produce({ topic: 'logs', value: String(batch.messages[0]?.value?.amount) })
  })
  await consumer.commitMessage(message)
}

export async function sharing(): Promise<void> {
  const consumer = new ShareConsumer<Topics>(member, { topics: deserializers })
  consumer.subscribe(['orders', 'logs'])
  // @ts-expect-error there is no such topic
  consumer.subscribe('ordres')
  for await (const message of consumer) {
    if (message.topic === 'orders') check(message.value satisfies Order | null)
    check(message.deliveryCount satisfies number)
    consumer.acknowledge(message, 'accept')
  }
  await consumer.run({ handler: message => (message.topic === 'logs' && message.value === 'x' ? 'reject' : 'accept') })
}

export function serdes(): void {
  const { orders, clicks } = deserializers
  new Consumer<Topics>(member, { topics: { ...deserializers, raw: {} } })
  // @ts-expect-error its topics need deserializers
  new Consumer<Topics>(member)
  // @ts-expect-error its topics need deserializers
  new Consumer<Topics>(member, {})
  // @ts-expect-error `logs` needs one
  new Consumer<Topics>(member, { topics: { orders, clicks } })
  // @ts-expect-error the keys of `orders` need one
  new Consumer<Topics>(member, { topics: { ...deserializers, orders: { value: json<Order>() } } })
  // @ts-expect-error it makes something else
  new Consumer<Topics>(member, { topics: { ...deserializers, orders: { key: int32, value: json<Order>() } } })
  // @ts-expect-error its topics need serializers
  new Producer<Topics>(config)
  // @ts-expect-error it takes something else
  new Producer<Topics>(config, { topics: { ...serializers, clicks: { key: json<Order>() } } })
  const ordres = { value: string }
  // @ts-expect-error there is no such topic
  new Producer<Topics>(config, { topics: { orders: serializers.orders, clicks: serializers.clicks, ordres } })
  // What is bytes and text on the way in needs none.
  new Producer<{ logs: { key: string; value: string }; raw: object }>(config)
  new Consumer<{ raw: object; more: { key: Buffer } }>(member)
  new ShareConsumer<{ raw: object }>({ ...member, 'share.acknowledgement.mode': 'explicit' })
}

/** One map of pairs for both directions. */
export function both(): void {
  const topics = { orders: { key: string, value: json<Order>() } }
  new Producer<Pick<Topics, 'orders'>>(config, { topics })
  const consumer = new Consumer<Pick<Topics, 'orders'>>(member, { topics, logger: () => undefined })
  const producer = new Producer<Topics>(config, { topics: deserializers, partitioner: () => 0 })
  check(AdminClient.from(producer), AdminClient.from(consumer))
  // @ts-expect-error `topics` takes the place of `key` and `value`
  new Producer<Pick<Topics, 'orders'>>(config, { topics, key: string })
  // @ts-expect-error the types of topics come from a map
  new Producer(config, { topics })
}

/** `any`, which this code does not write. */
type Loose = ReturnType<typeof JSON.parse>

/** Nothing changes without a map of topics. */
export async function untyped(): Promise<void> {
  const producer = new Producer(config)
  exactly<Producer<Bytes, Bytes>>()(producer)
  producer.produce({ topic: String(Math.random()), key: 'a', value: Buffer.alloc(1) })
  const consumer = new Consumer(member, { value: json<Order>() })
  exactly<Consumer<Buffer, Order>>()(consumer)
  consumer.subscribe([/^orders/, 'clicks'])
  const message = await consumer.readMessage()
  exactly<Message<Buffer, Order>>()(message)
  const named = new Consumer<string>(member, { key: string })
  exactly<Consumer<string, Buffer>>()(named)
  // A key of its own type is not a map of topics.
  const keyed = new Consumer<{ id: string }, Order>(member, { key: json<{ id: string }>(), value: json<Order>() })
  check((await keyed.readMessage()).key satisfies { id: string } | null)
  const wide: Consumer<Buffer, unknown> = consumer
  check(wide)
  const loose = new Consumer<Loose>(member)
  exactly<Consumer<Loose, Buffer>>()(loose)
  const none = new Consumer<never>(member)
  exactly<Consumer<never, Buffer>>()(none)
}

/** Functions that are generic themselves see messages of their K and V. */
export async function generic<K, V>(
  consumer: Consumer<K, V>,
  producer: Producer<K, V>,
  handler: (message: Message<K, V>) => void,
  options: RunOptions<K, V>,
  message: ProducerMessage<K, V>,
): Promise<void> {
  for await (const each of consumer) {
    handler(each)
    check(each.key satisfies K | null)
    check(each.offset satisfies number)
    producer.produce({ topic: 'copies', key: each.key, value: each.value })
  }
  await consumer.run({ handler })
  await consumer.run(options)
  const report: DeliveryReport<K, V> = await producer.send(message)
  const batches: AsyncIterable<MessageBatch<K, V>> = consumer.batches()
  const streams: AsyncIterable<PartitionStream<K, V>> = consumer.partitions()
  check(report, batches, streams)
}

export async function genericShare<K, V>(consumer: ShareConsumer<K, V>): Promise<ShareMessage<K, V>[]> {
  const all: ShareMessage<K, V>[] = []
  for await (const message of consumer) {
    consumer.acknowledge(message)
    all.push(message)
  }
  return all
}
