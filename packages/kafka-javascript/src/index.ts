/** Confluent's exports, by Confluent's names: those of `RdKafka`, and both namespaces. */
export * from './rdkafka.ts'
export * as RdKafka from './rdkafka.ts'
export * as KafkaJS from './kafkajs.ts'
