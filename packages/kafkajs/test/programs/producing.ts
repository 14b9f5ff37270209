/** A program written against kafkajs: producers. Compiled against kafkajs and against the facade, never run. */
import {
  CompressionTypes,
  Kafka,
  Partitioners,
  type ICustomPartitioner,
  type IHeaders,
  type Message,
  type Producer,
  type ProducerBatch,
  type ProducerConfig,
  type ProducerRecord,
  type RecordMetadata,
  type TopicMessages,
  type Transaction,
} from 'kafkajs'

const byRegion: ICustomPartitioner = () => {
  const regions = ['eu', 'us']
  return ({ topic, partitionMetadata, message }) => {
    const at = regions.indexOf(String(message.headers?.['region']))
    return topic.length > 0 && at >= 0 ? at % partitionMetadata.length : (partitionMetadata[0]?.partitionId ?? 0)
  }
}

const config: ProducerConfig = {
  createPartitioner: byRegion,
  retry: {
    initialRetryTime: 100,
    retries: 8,
    restartOnFailure: async (error: Error) => Promise.resolve(error.name !== ''),
  },
  metadataMaxAge: 1000,
  allowAutoTopicCreation: false,
  idempotent: true,
  transactionalId: 'orders',
  transactionTimeout: 30_000,
  maxInFlightRequests: 1,
}

class Outbox {
  private readonly producer: Producer

  constructor(kafka: Kafka) {
    this.producer = kafka.producer({ createPartitioner: Partitioners.LegacyPartitioner })
    this.producer.on('producer.connect', ({ timestamp }) => void timestamp.toFixed())
    const remove = this.producer.on(this.producer.events.REQUEST, event => {
      const { apiName, broker, duration, size, correlationId } = event.payload
      this.producer.logger().debug('request', { apiName, broker, ms: duration.toFixed(), size, correlationId })
    })
    this.producer.on(this.producer.events.REQUEST_TIMEOUT, ({ payload: { pendingDuration } }) => void pendingDuration)
    this.producer.on(this.producer.events.REQUEST_QUEUE_SIZE, ({ payload: { queueSize } }) => void queueSize.toFixed())
    this.producer.on(this.producer.events.DISCONNECT, () => {
      remove()
    })
  }

  async put(topic: string, values: readonly (string | Buffer | null)[]): Promise<string[]> {
    await this.producer.connect()
    const headers: IHeaders = { trace: 'a', raw: Buffer.from('b'), several: ['c', Buffer.from('d')], none: undefined }
    const messages: Message[] = values.map(value => ({
      key: Buffer.from('k'),
      value,
      headers,
      timestamp: '1',
      partition: 0,
    }))
    const record: ProducerRecord = { topic, messages, acks: -1, timeout: 5000, compression: CompressionTypes.GZIP }
    const sent: RecordMetadata[] = await this.producer.send(record)
    const topicMessages: TopicMessages[] = [{ topic, messages: [{ value: null }] }]
    const batch: ProducerBatch = { topicMessages, acks: 1, compression: CompressionTypes.None }
    await this.producer.sendBatch(batch)
    await this.producer.disconnect()
    return sent.map(
      ({ topicName, partition, errorCode, baseOffset, offset, timestamp, logAppendTime, logStartOffset }) =>
        [topicName, partition, errorCode, baseOffset, offset, timestamp, logAppendTime, logStartOffset].join(),
    )
  }
}

async function transfer(producer: Producer, offsets: string): Promise<boolean> {
  const transaction: Transaction = await producer.transaction()
  try {
    await transaction.send({ topic: 'out', messages: [{ value: 'v' }] })
    await transaction.sendBatch({ topicMessages: [{ topic: 'out', messages: [] }] })
    await transaction.sendOffsets({
      consumerGroupId: 'group',
      topics: [{ topic: 'in', partitions: [{ partition: 0, offset: offsets }] }],
    })
    await transaction.commit()
  } catch {
    await transaction.abort()
  }
  return transaction.isActive() || producer.isIdempotent()
}

const kafka = new Kafka({ brokers: ['127.0.0.1:9092'] })
const partitioners = [Partitioners.DefaultPartitioner, Partitioners.JavaCompatiblePartitioner]
export const program = {
  Outbox,
  transfer: () => transfer(kafka.producer(config), '1'),
  plain: kafka.producer(),
  partitioners,
}
