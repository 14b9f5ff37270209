import { DescribeProducers, WriteTxnMarkers } from '@ottla/protocol'
import { groupByTopic } from '../base/grouping.ts'
import { KafkaError } from '../errors.ts'
import type { TopicPartition } from '../types.ts'
import { INT16_MAX, INT32_MAX, requireInteger, requirePartitions, requireProducerId } from './arguments.ts'
import { missingAnswer, withError, type AdminCall, type AdminOptions } from './call.ts'
import { requestFromLeaders, partitionSubject, type PartitionAnswer } from './fan-out.ts'

/**
 * Options of `describeProducers`.
 * @since 0.1.0
 */
export interface DescribeProducersOptions extends AdminOptions {
  /** Ask this replica instead of the leader. */
  readonly brokerId?: number
}

/**
 * An active idempotent or transactional producer of a partition.
 * @since 0.1.0
 */
export interface ProducerState {
  producerId: bigint
  producerEpoch: number
  /** -1 if none of its records are left. */
  lastSequence: number
  /** ms since the epoch of its last batch; -1 if there is none. */
  lastTimestamp: number
  /** The epoch of the coordinator that ended its last transaction; null if none has. */
  coordinatorEpoch: number | null
  /** The first offset of its open transaction; null if none is open. */
  currentTransactionStartOffset: number | null
}

/**
 * The producers of one partition.
 * @since 0.1.0
 */
export interface PartitionProducers extends TopicPartition {
  producers: ProducerState[]
  error?: KafkaError
}

/**
 * A hanging transaction on one partition; `describeProducers` returns the fields.
 * @since 0.1.0
 */
export interface TransactionToAbort extends TopicPartition {
  readonly producerId: bigint | number
  readonly producerEpoch: number
  /** Null or omitted if no transaction of this producer has ended on the partition yet. */
  readonly coordinatorEpoch?: number | null
}

export async function describeProducers(
  call: AdminCall,
  partitions: readonly TopicPartition[],
  brokerId: number | undefined,
): Promise<PartitionProducers[]> {
  requirePartitions(partitions, 'partitions')
  if (brokerId !== undefined) requireInteger(brokerId, 'brokerId', 0, INT32_MAX)
  const { deadline, signal } = call
  const send = async (
    id: number,
    items: readonly TopicPartition[],
  ): Promise<readonly PartitionAnswer<ProducerState[]>[]> => {
    const topics = groupByTopic(items, p => p.partition).map(t => ({ name: t.name, partitionIndexes: t.partitions }))
    const response = await call.cluster.request({ to: 'node', id }, DescribeProducers, { topics }, { deadline, signal })
    return response.topics.flatMap(t =>
      t.partitions.map(p => ({
        topic: t.name,
        partition: p.partitionIndex,
        code: p.errorCode,
        value: p.activeProducers.map(producer => ({
          producerId: producer.producerId,
          producerEpoch: producer.producerEpoch,
          lastSequence: producer.lastSequence,
          lastTimestamp: producer.lastTimestamp,
          coordinatorEpoch: known(producer.coordinatorEpoch),
          currentTransactionStartOffset: known(producer.currentTxnStartOffset),
        })),
      })),
    )
  }
  // A replica that was named is asked, whoever leads.
  const sendTo = brokerId === undefined ? send : (_: number, items: readonly TopicPartition[]) => send(brokerId, items)
  const answers = await requestFromLeaders(call, partitions, sendTo)
  return partitions.map(({ topic, partition }, i) => {
    const answer = answers[i]
    return answer instanceof KafkaError || answer === undefined
      ? { topic, partition, producers: [], ...withError(answer) }
      : { topic, partition, producers: answer }
  })
}

/** Rejects with the leader's error. */
export async function abortTransaction(call: AdminCall, transaction: TransactionToAbort): Promise<void> {
  const { topic, partition, producerEpoch } = transaction
  requirePartitions([transaction], 'the transaction')
  const producerId = requireProducerId(transaction.producerId, 'producerId')
  requireInteger(producerEpoch, 'producerEpoch', 0, INT16_MAX)
  // To the leader, epoch 0 is a coordinator that it has not heard from yet.
  const coordinatorEpoch = requireInteger(transaction.coordinatorEpoch ?? 0, 'coordinatorEpoch', 0, INT32_MAX)
  const marker = {
    producerId,
    producerEpoch,
    coordinatorEpoch,
    transactionResult: false,
    topics: [{ name: topic, partitionIndexes: [partition] }],
  }
  const { deadline, signal } = call
  const [answer] = await requestFromLeaders(call, [{ topic, partition }], async id => {
    const body = { markers: [marker] }
    const response = await call.cluster.request({ to: 'node', id }, WriteTxnMarkers, body, { deadline, signal })
    return response.markers.flatMap(m =>
      m.topics.flatMap(t =>
        t.partitions.map(p => ({ topic: t.name, partition: p.partitionIndex, code: p.errorCode, value: null })),
      ),
    )
  })
  if (answer === undefined) throw missingAnswer(partitionSubject(transaction))
  if (answer !== null) throw answer
}

/** Null instead of -1. */
function known(value: number): number | null {
  return value < 0 ? null : value
}
