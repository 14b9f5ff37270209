/** One ProduceRequest: batches of many partitions that one broker leads, and whose answer is whose. */
import type { Decoded, ProduceRequest, ProduceResponse } from '@ottla/protocol'
import type { Batch } from './batch.ts'
import type { PartitionQueue } from './partition-queue.ts'

// From this version on a topic is named by its id alone (KIP-516).
const TOPIC_ID_VERSION = 13

/** A batch on its way. */
export interface Shipment {
  readonly queue: PartitionQueue
  readonly batch: Batch
  /** The sealed batch. */
  readonly records: Buffer
  /** The topic's id when it was sent: it changes when the topic is deleted and made anew. */
  readonly topicId: string
}

/** The answer about one partition. */
export type PartitionAnswer = Decoded<ProduceResponse>['responses'][number]['partitionResponses'][number]

/** The body of the request at a version. No two shipments are for the same partition. */
export function requestBody(
  shipments: readonly Shipment[],
  acks: number,
  timeoutMs: number,
  transactionalId: string | null,
  version: number,
): ProduceRequest {
  const topics = new Map<
    string,
    { name: string; topicId: string; partitionData: { index: number; records: Buffer }[] }
  >()
  for (const { queue, records, topicId } of shipments) {
    const name = queue.topic.name
    let topic = topics.get(name)
    if (topic === undefined) topics.set(name, (topic = { name, topicId, partitionData: [] }))
    topic.partitionData.push({ index: queue.partition, records })
  }
  const byId = version >= TOPIC_ID_VERSION
  return {
    transactionalId,
    acks,
    timeoutMs,
    topicData: [...topics.values()].map(({ name, topicId, partitionData }) =>
      byId ? { topicId, partitionData } : { name, partitionData },
    ),
  }
}

/**
 * The highest version that the shipments allow: ids can only be used if every topic's is known.
 * @param limit - that holds in any case
 */
export function highestVersion(
  shipments: readonly Shipment[],
  unknownId: string,
  limit: number | undefined,
): number | undefined {
  for (const { topicId } of shipments) {
    if (topicId === unknownId) return Math.min(limit ?? TOPIC_ID_VERSION - 1, TOPIC_ID_VERSION - 1)
  }
  return limit
}

/** Finds the answer to each shipment; null where the broker gave none. Their order says nothing. */
export function answersOf(
  shipments: readonly Shipment[],
  response: Decoded<ProduceResponse>,
): (PartitionAnswer | null)[] {
  const byTopic = new Map<string, Map<number, PartitionAnswer>>()
  for (const { name, topicId, partitionResponses } of response.responses) {
    const topic = name === '' ? topicId : name
    let byPartition = byTopic.get(topic)
    if (byPartition === undefined) byTopic.set(topic, (byPartition = new Map<number, PartitionAnswer>()))
    for (const answer of partitionResponses) byPartition.set(answer.index, answer)
  }
  const answers: (PartitionAnswer | null)[] = []
  for (const { queue, topicId } of shipments) {
    const byPartition = byTopic.get(topicId) ?? byTopic.get(queue.topic.name)
    answers.push(byPartition?.get(queue.partition) ?? null)
  }
  return answers
}
