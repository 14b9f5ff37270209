/** The namespace `KafkaJS`: kafkajs's calls, with librdkafka's properties. */
export * from './kafkajs/errors.ts'
export { Kafka } from './kafkajs/kafka.ts'
export {
  AclOperationTypes,
  CompressionTypes,
  ConsumerGroupStates,
  ConsumerGroupTypes,
  IsolationLevel,
  logLevel,
  PartitionAssigners,
  PartitionAssignors,
} from './enums.ts'
export type {
  DeleteGroupsResult,
  DeleteRecordsResult,
  DescribeOptions,
  GroupDescription,
  GroupDescriptions,
  GroupOverview,
  GroupOverviews,
  ListGroupsOptions,
  MemberAssignment,
  MemberDescription,
  Node,
  Uuid,
} from './types/admin.ts'
export type * from './types/kafkajs/admin.ts'
export type * from './types/kafkajs/client.ts'
export type * from './types/kafkajs/consumer.ts'
export type * from './types/kafkajs/producer.ts'
export type * from './types/kafkajs/values.ts'
export type { LibrdKafkaError } from '@ottla/node-rdkafka'
