/** What a broker knows of a share consumer: a request names only the partitions that have changed (KIP-932). Pure. */
import { groupBy } from '../../base/grouping.ts'
import type { AcknowledgementBatch } from './acknowledgements.ts'

/** One partition of a topic, by the topic's id. */
export interface IdPartition {
  readonly topicId: string
  readonly partition: number
}

export interface SessionPartition {
  readonly partitionIndex: number
  readonly acknowledgementBatches: readonly AcknowledgementBatch[]
}

export interface SessionTopic {
  readonly topicId: string
  readonly partitions: SessionPartition[]
}

export interface SessionRequest {
  readonly epoch: number
  readonly topics: readonly SessionTopic[]
  readonly forgotten: readonly { readonly topicId: string; readonly partitions: readonly number[] }[]
}

/** The acknowledgements of a partition that a request carries. */
export interface Acknowledged extends IdPartition {
  readonly batches: readonly AcknowledgementBatch[]
}

/** Ends a session, which releases what is not acknowledged. */
const FINAL_EPOCH = -1
const MOST_EPOCH = 2_147_483_647

export function keyOf({ topicId, partition }: IdPartition): string {
  return `${topicId}:${partition}`
}

export class ShareSession {
  #epoch = 0
  /** The partitions that the broker has in the session. */
  #known = new Map<string, IdPartition>()
  /** The same after the request in flight; null when that changes nothing. */
  #wanted: Map<string, IdPartition> | null = null

  /** Whether the broker has opened the session; before, it accepts no acknowledgements. */
  get isOpen(): boolean {
    return this.#epoch > 0
  }

  /** A fetch of exactly these partitions. */
  fetch(partitions: readonly IdPartition[], acknowledged: readonly Acknowledged[]): SessionRequest {
    const wanted = new Map(partitions.map(each => [keyOf(each), each]))
    const added = [...wanted.values()].filter(each => !this.#known.has(keyOf(each)))
    // A partition with pending acknowledgements is removed by a later request.
    const busy = new Set(acknowledged.map(keyOf))
    const removed = [...this.#known.values()].filter(each => !wanted.has(keyOf(each)) && !busy.has(keyOf(each)))
    // An acknowledgement adds its partition to the session, wanted or not.
    for (const { topicId, partition } of acknowledged) wanted.set(keyOf({ topicId, partition }), { topicId, partition })
    this.#wanted = wanted
    return {
      epoch: this.#epoch,
      topics: topicsOf(added, acknowledged),
      forgotten: byTopicId(removed, each => each.partition),
    }
  }

  /** A request with nothing but acknowledgements. @param isLast it ends the session */
  acknowledge(acknowledged: readonly Acknowledged[], isLast: boolean): Omit<SessionRequest, 'forgotten'> {
    this.#wanted = null
    return { epoch: isLast ? FINAL_EPOCH : this.#epoch, topics: topicsOf([], acknowledged) }
  }

  /** The broker has accepted the last request. */
  answered(): void {
    if (this.#wanted !== null) this.#known = this.#wanted
    this.#wanted = null
    this.#epoch = this.#epoch >= MOST_EPOCH ? 1 : this.#epoch + 1
  }

  /** The broker has lost the session, or its state is unknown. */
  reset(): void {
    this.#epoch = 0
    this.#known = new Map()
    this.#wanted = null
  }
}

function topicsOf(added: readonly IdPartition[], acknowledged: readonly Acknowledged[]): SessionTopic[] {
  const batches = new Map<string, Acknowledged>()
  for (const each of added) batches.set(keyOf(each), { ...each, batches: [] })
  for (const each of acknowledged) batches.set(keyOf(each), each)
  return byTopicId(batches.values(), ({ partition, batches: acknowledgementBatches }) => ({
    partitionIndex: partition,
    acknowledgementBatches,
  }))
}

function byTopicId<T extends IdPartition, P>(
  items: Iterable<T>,
  toPartition: (item: T) => P,
): { topicId: string; partitions: P[] }[] {
  const topics = groupBy(items, item => item.topicId, toPartition)
  return Array.from(topics, ([topicId, partitions]) => ({ topicId, partitions }))
}
