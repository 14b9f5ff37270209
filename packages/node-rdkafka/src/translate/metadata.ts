/** Metadata in node-rdkafka's shape. */
import type { Metadata as OttlaMetadata } from 'ottla'
import type { Metadata } from '../types/client.ts'

export function toMetadata({ brokers, topics }: OttlaMetadata): Metadata {
  const [first] = brokers
  return {
    orig_broker_id: first?.id ?? -1,
    orig_broker_name: first === undefined ? '' : `${first.host}:${first.port}/${first.id}`,
    topics: topics.map(({ topic, partitions }) => ({
      name: topic,
      partitions: partitions.map(({ partition, leader, replicas, isr }) => ({
        id: partition,
        leader,
        replicas,
        isrs: isr,
      })),
    })),
    brokers: brokers.map(({ id, host, port }) => ({ id, host, port })),
  }
}
