/** The namespace `RdKafka`: callbacks, as node-rdkafka's, and more administration. */
import { AdministeringClient } from './rdkafka/admin.ts'
import { OffsetSpec } from './rdkafka/offset-spec.ts'
import { AclOperationTypes, ConsumerGroupStates, ConsumerGroupTypes, IsolationLevel } from './enums.ts'
import type { AdminClientFactory, IAdminClient } from './types/admin.ts'

export { AclOperationTypes, ConsumerGroupStates, ConsumerGroupTypes, IsolationLevel } from './enums.ts'
export { OffsetSpec } from './rdkafka/offset-spec.ts'
export {
  CODES,
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- it is there nevertheless
  Consumer,
  createReadStream,
  createWriteStream,
  features,
  HighLevelProducer,
  KafkaConsumer,
  librdkafkaVersion,
  Producer,
  Topic,
} from '@ottla/node-rdkafka'

/** Makes admin clients; has the enums, too. */
export const AdminClient: AdminClientFactory & {
  readonly ConsumerGroupStates: typeof ConsumerGroupStates
  readonly ConsumerGroupTypes: typeof ConsumerGroupTypes
  readonly AclOperationTypes: typeof AclOperationTypes
  readonly IsolationLevel: typeof IsolationLevel
  readonly OffsetSpec: typeof OffsetSpec
} = {
  create: (conf, eventHandlers) => AdministeringClient.create(conf, eventHandlers),
  createFrom: (existingClient, eventHandlers) => AdministeringClient.createFrom(existingClient, eventHandlers),
  ConsumerGroupStates,
  ConsumerGroupTypes,
  AclOperationTypes,
  IsolationLevel,
  OffsetSpec,
}
/** Administers a cluster. */
export type AdminClient = IAdminClient

export type * from './types/admin.ts'
export type {
  Assignment,
  BrokerMetadata,
  Client,
  ClientMetrics,
  ConsumerGlobalConfig,
  ConsumerStream,
  ConsumerTopicConfig,
  DeliveryReport,
  EofEvent,
  EventListener,
  EventListenerMap,
  GlobalConfig,
  HighLevelProducerConstructor,
  HighLevelProducerInstance,
  KafkaClientEvents,
  KafkaConsumerConstructor,
  KafkaConsumerEvents,
  KafkaConsumerInstance,
  KafkaProducerEvents,
  LibrdKafkaError,
  Message,
  MessageHeader,
  MessageKey,
  MessageValue,
  Metadata,
  MetadataOptions,
  NewTopic,
  NumberNullUndefined,
  PartitionMetadata,
  ProducerConstructor,
  ProducerGlobalConfig,
  ProducerInstance,
  ProducerStream,
  ProducerTopicConfig,
  ReadStreamOptions,
  ReadyInfo,
  SubscribeTopic,
  SubscribeTopicList,
  TopicConfig,
  TopicFunction,
  TopicMetadata,
  TopicPartition,
  TopicPartitionOffset,
  TopicPartitionTime,
  WatermarkOffsets,
  WriteStreamOptions,
} from '@ottla/node-rdkafka'
