/** What `@ottla/kafka-javascript` shares with this package. Not for programs: it may change with any release. */
export { createPartitions, createTopic, deleteTopic, type Done } from './admin/topic-calls.ts'
export { answer, timeoutAndCallback } from './translate/calling.ts'
export { configurationOf, type Configuration, type Entries } from './translate/configuration.ts'
export { converting, disconnected, librdKafkaError, toLibrdKafkaError } from './translate/errors.ts'
export { tokenOptions } from './translate/tokens.ts'
export type { NewTopic } from './types/admin.ts'
export type { LibrdKafkaError } from './types/errors.ts'
