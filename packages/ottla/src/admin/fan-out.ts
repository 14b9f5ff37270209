import { ErrorCode } from '@ottla/protocol'
import { addToGroup } from '../base/grouping.ts'
import { askInRounds, worthAnotherRound } from '../cluster/rounds.ts'
import type { PartitionSnapshot, Snapshot } from '../cluster/snapshot.ts'
import { KafkaError } from '../errors.ts'
import type { TopicPartition } from '../types.ts'
import { isItemError, itemError, missingAnswer, settle, type AdminCall } from './call.ts'

/** What a leader said about one partition. */
export interface PartitionAnswer<R> extends TopicPartition {
  readonly code: number
  readonly value: R
}

/** Asks one broker about the partitions that it leads. */
export type AskLeader<T, R> = (brokerId: number, items: readonly T[]) => Promise<readonly PartitionAnswer<R>[]>

/**
 * Splits the items by the leaders of their partitions, asks each leader once, and asks again what moved
 * meanwhile, until the call's deadline.
 * @returns per item, in the order given: the answer, or the error
 */
export async function askLeaders<T extends TopicPartition, R>(
  call: AdminCall,
  items: readonly T[],
  ask: AskLeader<T, R>,
): Promise<(R | KafkaError)[]> {
  return askInRounds(call.context, call, items.length, {
    ask: open => askOnce(call, items, open, ask),
    // A request that failed as a whole was retried by the cluster until the deadline already.
    isOpen: (result, attempt) =>
      result instanceof KafkaError && result.code > 0 && worthAnotherRound(result.code, attempt),
  })
}

async function askOnce<T extends TopicPartition, R>(
  call: AdminCall,
  items: readonly T[],
  open: readonly number[],
  ask: AskLeader<T, R>,
): Promise<Map<number, R | KafkaError>> {
  const topics = new Set<string>()
  for (const i of open) topics.add(itemAt(items, i).topic)
  const { deadline, signal } = call
  const snapshot = await call.cluster.metadata.refresh([...topics], {
    deadline,
    signal,
    allowAutoCreate: false,
    asTold: true,
  })
  const results = new Map<number, R | KafkaError>()
  const byLeader = new Map<number, number[]>()
  for (const i of open) {
    const found = findPartition(snapshot, itemAt(items, i))
    if (found instanceof KafkaError) results.set(i, found)
    else addToGroup(byLeader, found.leader, i)
  }
  await Promise.all(
    [...byLeader].map(async ([leader, indices]) => {
      try {
        const asked = indices.map(i => itemAt(items, i))
        const answers = await ask(leader, asked)
        for (const i of indices) results.set(i, pick(answers, itemAt(items, i)))
      } catch (error) {
        // An aborted call rejects as a whole; a broker that cannot be reached fails its own partitions only.
        if (!isItemError(error)) throw error
        for (const i of indices) results.set(i, error)
      }
    }),
  )
  return results
}

function pick<R>(answers: readonly PartitionAnswer<R>[], item: TopicPartition): R | KafkaError {
  const answer = answers.find(a => a.topic === item.topic && a.partition === item.partition)
  if (answer === undefined) return missingAnswer(partitionSubject(item))
  return itemError(answer.code, null, partitionSubject(item)) ?? answer.value
}

function findPartition(snapshot: Snapshot, item: TopicPartition): PartitionSnapshot | KafkaError {
  const topic = snapshot.topics.get(item.topic)
  if (topic === undefined) return missingAnswer(`topic '${item.topic}'`)
  const topicError = itemError(topic.errorCode, null, `topic '${item.topic}'`)
  if (topicError !== undefined) return topicError
  const partition = topic.partitions[item.partition]
  const subject = partitionSubject(item)
  if (partition === undefined) {
    const count = topic.partitions.length
    return new KafkaError(ErrorCode.ERR__UNKNOWN_PARTITION, `${subject}: the topic has ${count} partitions`)
  }
  if (partition.leader < 0) {
    return new KafkaError(ErrorCode.ERR_LEADER_NOT_AVAILABLE, `${subject}: the partition has no leader at the moment`)
  }
  return partition
}

/**
 * Asks each of the brokers named, or each that the cluster has.
 * @returns per broker, in the order given (else by id): its answer, or why there is none
 */
export async function askBrokers<R>(
  call: AdminCall,
  ids: readonly number[] | undefined,
  ask: (brokerId: number) => Promise<R>,
): Promise<{ brokerId: number; answer: R | KafkaError }[]> {
  const { deadline, signal } = call
  const asked =
    ids ?? [...(await call.cluster.metadata.refresh([], { deadline, signal })).brokers.keys()].sort((a, b) => a - b)
  return Promise.all(asked.map(async brokerId => ({ brokerId, answer: await settle(ask(brokerId)) })))
}

/** How errors name a partition: `orders [3]`, as librdkafka writes it. */
export function partitionSubject(item: TopicPartition): string {
  return `${item.topic} [${item.partition}]`
}

function itemAt<T>(items: readonly T[], index: number): T {
  return items[index] as T // every index used here was made from the array itself
}
