import { ErrorCode } from '@ottla/protocol'
import { addToGroup } from '../base/grouping.ts'
import { requestInRounds, worthAnotherRound } from '../cluster/rounds.ts'
import type { PartitionSnapshot, Snapshot } from '../cluster/snapshot.ts'
import { KafkaError } from '../errors.ts'
import type { TopicPartition } from '../types.ts'
import { isItemError, itemError, missingAnswer, settle, type AdminCall } from './call.ts'

/** A leader's answer for one partition. */
export interface PartitionAnswer<R> extends TopicPartition {
  readonly code: number
  readonly value: R
}

/** Sends a request about partitions to their leader. */
export type LeaderRequest<T, R> = (brokerId: number, items: readonly T[]) => Promise<readonly PartitionAnswer<R>[]>

/**
 * Groups the items by the leaders of their partitions, sends one request to each leader, and retries what has moved
 * until the call's deadline.
 * @returns the answer or the error of each item, in order
 */
export async function requestFromLeaders<T extends TopicPartition, R>(
  call: AdminCall,
  items: readonly T[],
  send: LeaderRequest<T, R>,
): Promise<(R | KafkaError)[]> {
  return requestInRounds(call.context, call, items.length, {
    send: open => requestOnce(call, items, open, send),
    // The cluster has already retried a request that failed as a whole until the deadline.
    isOpen: (result, attempt) =>
      result instanceof KafkaError && result.code > 0 && worthAnotherRound(result.code, attempt),
  })
}

async function requestOnce<T extends TopicPartition, R>(
  call: AdminCall,
  items: readonly T[],
  open: readonly number[],
  send: LeaderRequest<T, R>,
): Promise<Map<number, R | KafkaError>> {
  const topics = new Set<string>()
  for (const i of open) topics.add(itemAt(items, i).topic)
  const { deadline, signal } = call
  const snapshot = await call.cluster.metadata.refresh([...topics], {
    deadline,
    signal,
    allowAutoCreate: false,
    responseOnly: true,
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
        const own = indices.map(i => itemAt(items, i))
        const answers = await send(leader, own)
        for (const i of indices) results.set(i, pick(answers, itemAt(items, i)))
      } catch (error) {
        // An aborted call rejects as a whole; an unreachable broker fails its own partitions only.
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
 * Sends a request to each of the brokers named, or to all of the cluster.
 * @returns the answer or the error of each broker, in order, or by id if none are named
 */
export async function requestFromBrokers<R>(
  call: AdminCall,
  ids: readonly number[] | undefined,
  send: (brokerId: number) => Promise<R>,
): Promise<{ brokerId: number; answer: R | KafkaError }[]> {
  const { deadline, signal } = call
  const targets =
    ids ?? [...(await call.cluster.metadata.refresh([], { deadline, signal })).brokers.keys()].sort((a, b) => a - b)
  return Promise.all(targets.map(async brokerId => ({ brokerId, answer: await settle(send(brokerId)) })))
}

/**
 * Lists what each broker of the cluster has.
 * @param what - the items, for errors
 * @returns `errors` has one for each broker that could not answer, or not in full
 */
export async function listFromBrokers<A extends { readonly errorCode: number }, T>(
  call: AdminCall,
  what: string,
  send: (brokerId: number) => Promise<A>,
  itemsOf: (answer: A, brokerId: number) => readonly T[],
): Promise<{ items: T[]; errors: KafkaError[] }> {
  const items: T[] = []
  const errors: KafkaError[] = []
  for (const { brokerId, answer } of await requestFromBrokers(call, undefined, send)) {
    if (answer instanceof KafkaError) {
      errors.push(answer)
      continue
    }
    const error = itemError(answer.errorCode, null, `listing the ${what} of broker ${brokerId}`)
    if (error !== undefined) errors.push(error)
    items.push(...itemsOf(answer, brokerId))
  }
  return { items, errors }
}

/** A partition's name for errors, as in librdkafka: `orders [3]`. */
export function partitionSubject(item: TopicPartition): string {
  return `${item.topic} [${item.partition}]`
}

function itemAt<T>(items: readonly T[], index: number): T {
  return items[index] as T // every index used here was made from the array itself
}
