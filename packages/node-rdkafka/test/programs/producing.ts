/** A program written against node-rdkafka's declarations of producers: it compiles against ours, and is never run. */
/* eslint-disable @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-call -- node-rdkafka's own types */
import * as Kafka from '@ottla/node-rdkafka'
import {
  CODES,
  HighLevelProducer,
  Producer,
  type DeliveryReport,
  type LibrdKafkaError,
  type ProducerGlobalConfig,
  type ProducerTopicConfig,
} from '@ottla/node-rdkafka'

interface OwnConfig extends ProducerGlobalConfig {
  readonly label: string
}

const conf: ProducerGlobalConfig = {
  'metadata.broker.list': 'localhost:9092',
  'client.id': 'kafka',
  'compression.codec': 'gzip',
  'retry.backoff.ms': 200,
  'message.send.max.retries': 10,
  'socket.keepalive.enable': true,
  'queue.buffering.max.messages': 100_000,
  'queue.buffering.max.ms': 1000,
  'batch.num.messages': 1_000_000,
  'security.protocol': 'sasl_ssl',
  'sasl.mechanisms': 'SCRAM-SHA-512',
  dr_cb: true,
  event_cb: false,
}
const topicConf: ProducerTopicConfig = {
  'request.required.acks': -1,
  'compression.codec': 'inherit',
  partitioner: 'murmur2',
}
export const own: OwnConfig = { ...conf, label: 'mine' }
export const retries: number | undefined = conf['message.send.max.retries']

class Counting extends Producer {
  count = 0

  override produce(
    topic: string,
    partition: Kafka.NumberNullUndefined,
    message: Kafka.MessageValue,
    key?: Kafka.MessageKey,
    timestamp?: Kafka.NumberNullUndefined,
    opaque?: unknown,
    headers?: Kafka.MessageHeader[],
  ): unknown {
    this.count++
    return super.produce(topic, partition, message, key, timestamp, opaque, headers)
  }
}

const producer: Kafka.Producer = new Counting(conf, topicConf)
producer
  .connect({ timeout: 1000, allTopics: true }, (err: LibrdKafkaError, data: Kafka.Metadata) => {
    console.log(err, data.orig_broker_name, data.topics[0]?.partitions[0]?.isrs)
  })
  .on('ready', (info, metadata) => console.log(info.name, metadata.brokers.length))
  .on('event.error', err => console.error(err.message, err.code, err.errno, err.origin, err.stack))
  .on('event.log', log => console.log(log.fac))
  .once('disconnected', metrics => console.log(metrics.connectionOpened.toFixed()))
  .on('connection.failure', (error, metrics) => console.error(error.isFatal, metrics))
producer.on('delivery-report', (err: LibrdKafkaError, report: DeliveryReport) => {
  if (err.code === CODES.ERRORS.ERR__MSG_TIMED_OUT)
    console.log(report.offset, report.value?.toString(), report.opaque.id)
})
producer
  .setPollInterval(100)
  .poll()
  .flush(1000, err => console.log(err.code))
producer.flush()
producer.produce('topic', null, Buffer.from('value'), 'key', Date.now(), { id: 1 }, [
  { name: 'value' },
  { bytes: Buffer.alloc(1) },
])
producer.queryWatermarkOffsets('topic', 0, 5000, (_, offsets) => console.log(offsets.highOffset - offsets.lowOffset))
producer.queryWatermarkOffsets('topic', 0, (_, offsets) => console.log(offsets))
producer.getMetadata({ topic: 'topic' }, (_, metadata) => console.log(metadata.brokers[0]?.host))
producer.getClient().anything()
producer.setOauthBearerToken('token').disconnect(1000, (_, metrics) => console.log(metrics.connectionOpened))
producer.disconnect()
console.log(producer.connectedTime(), producer.isConnected(), producer.getLastError().message)

declare const consumer: Kafka.KafkaConsumer
producer.initTransactions(err => console.log(err))
producer.initTransactions(1000, err => console.log(err.isRetriable))
producer.beginTransaction(err => console.log(err.isTxnRequiresAbort))
producer.sendOffsetsToTransaction([{ topic: 't', partition: 0, offset: 1 }], consumer, err => console.log(err))
producer.sendOffsetsToTransaction(consumer.position(), consumer, 1000, err => console.log(err))
producer.commitTransaction(1000, err => console.log(err))
producer.abortTransaction(err => console.log(err))

const highLevel = new HighLevelProducer(conf)
highLevel.setKeySerializer((key: { id: string }) => key.id)
highLevel.setKeySerializer(async (key: string) => Promise.resolve(key))
highLevel.setValueSerializer((value: object) => Buffer.from(JSON.stringify(value)))
highLevel.setValueSerializer((value: string, cb: (err: unknown, value: Kafka.MessageValue) => void) => {
  cb(null, Buffer.from(value))
})
highLevel.produce('topic', null, { any: 'thing' }, null, Date.now(), (err, offset) => console.log(err, offset))
highLevel.produce('topic', 0, 'text', 'key', null, [{ name: 'value' }], (err, offset) => console.log(err, offset))

const stream: Kafka.ProducerStream = Producer.createWriteStream(conf, {}, { topic: 'topic', autoClose: false })
stream.write(Buffer.from('value'))
stream.producer.on('event.error', err => console.error(err))
stream.connect({ timeout: 1000 })
stream.close(() => console.log('closed'))
Kafka.createWriteStream(conf, topicConf, { objectMode: true, pollInterval: 100, connectOptions: {} }).end()
