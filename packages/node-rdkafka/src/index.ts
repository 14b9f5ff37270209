/** node-rdkafka's exports, by node-rdkafka's names. */
import { AdminOfTopics } from './admin/admin.ts'
import { ConsumerClient } from './consumer/consumer.ts'
import { HighLevelProducerClient } from './producer/high-level-producer.ts'
import { ProducerClient } from './producer/producer.ts'
import { callable } from './translate/callable.ts'
import type * as admins from './types/admin.ts'
import type * as consumers from './types/consumer.ts'
import type * as producers from './types/producer.ts'

export { CODES } from './translate/errors.ts'
export { features, librdkafkaVersion } from './translate/library.ts'
export { Topic, type TopicFunction } from './translate/partitions.ts'

/** Sends messages. */
export const Producer: producers.ProducerConstructor = callable(ProducerClient)
/** Sends messages. */
export type Producer = producers.ProducerInstance
/** Sends messages, and calls back for each. */
export const HighLevelProducer: producers.HighLevelProducerConstructor = callable(HighLevelProducerClient)
/** Sends messages, and calls back for each. */
export type HighLevelProducer = producers.HighLevelProducerInstance
/** Reads messages. */
export const KafkaConsumer: consumers.KafkaConsumerConstructor = callable(ConsumerClient)
/** Reads messages. */
export type KafkaConsumer = consumers.KafkaConsumerInstance
/**
 * The old name of `KafkaConsumer`.
 * @deprecated
 */
export const Consumer = KafkaConsumer
/** Makes admin clients. */
export const AdminClient: admins.AdminClientFactory = { create: (conf, token) => new AdminOfTopics(conf, token) }
/** Creates and deletes topics. */
export type AdminClient = admins.IAdminClient

/** A stream of messages to send. */
export const createWriteStream: producers.ProducerConstructor['createWriteStream'] = (conf, topicConf, streamOptions) =>
  ProducerClient.createWriteStream(conf, topicConf, streamOptions)
/** A stream of messages. */
export const createReadStream: consumers.KafkaConsumerConstructor['createReadStream'] = (
  conf,
  topicConf,
  streamOptions,
) => ConsumerClient.createReadStream(conf, topicConf, streamOptions)

export type { AdminClientFactory, IAdminClient, NewTopic } from './types/admin.ts'
export type * from './types/client.ts'
export type * from './types/config.ts'
export type {
  ConsumerStream,
  KafkaConsumerConstructor,
  KafkaConsumerInstance,
  ReadStreamOptions,
} from './types/consumer.ts'
export type * from './types/errors.ts'
export type * from './types/messages.ts'
export type {
  HighLevelProducerConstructor,
  HighLevelProducerInstance,
  ProducerConstructor,
  ProducerInstance,
  ProducerStream,
  WriteStreamOptions,
} from './types/producer.ts'
