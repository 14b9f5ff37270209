/** Events: their `type` tells what else they have; each client has its own. Compiled, never run. */
import type {
  AdminClient,
  Consumer,
  ConsumerEvent,
  DeliveryReport,
  KafkaError,
  Message,
  Producer,
  ProducerEvent,
  RebalanceEvent,
  ShareConsumer,
  ShareMessage,
  TopicPartitionOffset,
} from '../../src/index.ts'
import { check, exactly } from './same.ts'

interface Order {
  readonly amount: number
}

export async function ofProducers(producer: Producer<string, Order>, plain: Producer): Promise<void> {
  producer.on('delivery', event => exactly<DeliveryReport<string, Order>>()(event.report))
  producer.on('error', ({ error }) => exactly<KafkaError>()(error))
  producer.on('throttle', ({ throttleTimeMs, brokerName }) => check(throttleTimeMs satisfies number, brokerName))
  producer.produce({ topic: 'orders', key: 'a', value: { amount: 1 } }, report => {
    exactly<Order | null>()(report.value)
    exactly<KafkaError | undefined>()(report.error)
  })
  // @ts-expect-error a producer reads nothing
  producer.on('message', () => undefined)
  // @ts-expect-error it is misspelt
  producer.on('deliveries', () => undefined)
  // @ts-expect-error what it reports is no text
  producer.on('delivery', ({ report }) => check(report.value satisfies string | null))
  for await (const event of producer.events()) {
    if (event.type === 'delivery') exactly<Order | null>()(event.report.value)
    // @ts-expect-error only a delivery has a report
    else check(event.report)
  }
  const events: AsyncIterable<ProducerEvent> = plain.events()
  check(events)
}

export async function ofConsumers(consumer: Consumer<string, Order>): Promise<void> {
  consumer.on('rebalance', ({ event }) => exactly<RebalanceEvent>()(event))
  consumer.on('offsets-committed', ({ offsets }) => check(offsets satisfies readonly TopicPartitionOffset[]))
  consumer.on('message', ({ message }) => exactly<Message<string, Order>>()(message))
  // @ts-expect-error a consumer delivers nothing to brokers
  consumer.on('delivery', () => undefined)
  const event = await consumer.poll(100)
  if (event !== null) check(worded(event))
}

/** Every kind of event, and no other. */
function worded(event: ConsumerEvent<string, Order>): string {
  switch (event.type) {
    case 'message':
      return `${event.message.key}: ${event.message.value?.amount}`
    case 'partition-eof':
    case 'partition-stalled':
      return `${event.topic} [${event.partition}] at ${event.offset}`
    case 'gap':
      return `${event.topic} [${event.partition}] from ${event.firstOffset} to ${event.lastOffset} of ${event.highWatermark}`
    case 'offsets-committed':
      return `${event.offsets.length} offsets`
    case 'rebalance':
      return event.event.type
    case 'error':
      return event.error.name
    case 'stats':
      return event.statistics.name
    case 'throttle':
      return `${event.brokerId}`
    case 'request':
      return `${event.apiName} took ${event.durationMs} ms`
    case 'log':
      return event.message
    case 'oauthbearer-token-refresh':
      return event.config
    default:
      return event satisfies never
  }
}

export async function ofOthers(sharer: ShareConsumer<string, Order>, admin: AdminClient): Promise<void> {
  sharer.on('acknowledged', event => check(event.offsets satisfies readonly unknown[]))
  // @ts-expect-error there are no rebalances in share groups
  sharer.on('rebalance', () => undefined)
  const event = await sharer.poll(100)
  if (event?.type === 'message') exactly<ShareMessage<string, Order>>()(event.message)
  admin.on('error', ({ error }) => exactly<KafkaError>()(error))
  // @ts-expect-error an administrator reads nothing
  admin.on('message', () => undefined)
}
