/** One ProduceRequest: batches of many partitions with the same leader, and the matching of answers to them. */
import { ErrorCode, type Decoded, type ProduceRequest, type ProduceResponse } from '@ottla/protocol'
import { KafkaError } from '../../errors.ts'
import type { Batch } from '../queue/batch.ts'
import type { PartitionQueue } from '../queue/partition-queue.ts'

// From this version on, topics are named by id only (KIP-516).
const TOPIC_ID_VERSION = 13

/** A batch in flight. */
export interface Shipment {
  readonly queue: PartitionQueue
  readonly batch: Batch
  /** The sealed batch. */
  readonly records: Buffer
  /** The topic's id at the time of sending: it changes if the topic is recreated. */
  readonly topicId: string
}

/** A request from when it is handed to a broker's lane, where it may have to wait for a connection, to its outcome. */
export class ShippedRequest {
  readonly brokerId: number
  readonly shipments: readonly Shipment[]
  /** Whether its bytes may have left: not while it waits for a connection. */
  isWritten = false
  /** It must not be written any more: some of its messages, or of a request before it, were reported meanwhile. */
  isRecalled = false

  constructor(brokerId: number, shipments: readonly Shipment[]) {
    this.brokerId = brokerId
    this.shipments = shipments
  }
}

/** The answer about one partition. */
export type PartitionAnswer = Decoded<ProduceResponse>['responses'][number]['partitionResponses'][number]

/** The request's body for a version. No two shipments are for the same partition. */
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
 * The highest version for the shipments: topic ids can be used only if all of them are known.
 * @param limit - the highest version in any case
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

/** The answer for each shipment; null if the broker gave none. Answers may come in any order. */
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

/** KIP-467: the records that the broker names have failed themselves; the others only share their batch. */
export function recordErrors(answer: PartitionAnswer, name: string): Map<number, KafkaError> | null {
  const { recordErrors: named, errorCode, errorMessage } = answer
  if (named.length === 0) return null
  // With one culprit, the partition's code is about it; with several, it may be about any of them.
  const code = named.length === 1 ? errorCode : ErrorCode.ERR_INVALID_RECORD
  const errors = new Map<number, KafkaError>()
  for (const { batchIndex, batchIndexErrorMessage } of named) {
    errors.set(batchIndex, KafkaError.of(code, name, batchIndexErrorMessage ?? errorMessage))
  }
  return errors
}
