/** What a broker knows of a share consumer: partitions are told once, then only what changes (KIP-932). Pure. */
import { groupBy } from '../../base/grouping.ts'
import type { AcknowledgementBatch } from './acknowledgements.ts'

/** One partition of a topic, by the topic's id. */
export interface IdPartition {
  readonly topicId: string
  readonly partition: number
}

export interface ToldPartition {
  readonly partitionIndex: number
  readonly acknowledgementBatches: readonly AcknowledgementBatch[]
}

export interface ToldTopic {
  readonly topicId: string
  readonly partitions: ToldPartition[]
}

export interface SessionRequest {
  readonly epoch: number
  readonly topics: readonly ToldTopic[]
  readonly forgotten: readonly { readonly topicId: string; readonly partitions: readonly number[] }[]
}

/** Acknowledgements of a partition that go along. */
export interface Acknowledged extends IdPartition {
  readonly batches: readonly AcknowledgementBatch[]
}

/** Ends a session: what is not acknowledged is released. */
const FINAL_EPOCH = -1
const MOST_EPOCH = 2_147_483_647

export function keyOf({ topicId, partition }: IdPartition): string {
  return `${topicId}:${partition}`
}

export class ShareSession {
  #epoch = 0
  #told = new Map<string, IdPartition>()
  #wanted: Map<string, IdPartition> | null = null

  /** Whether the broker has taken the session up; before, it takes no acknowledgements. */
  get isOpen(): boolean {
    return this.#epoch > 0
  }

  /** The broker is to have exactly these partitions from now on. */
  fetch(partitions: readonly IdPartition[], acknowledged: readonly Acknowledged[]): SessionRequest {
    const wanted = new Map(partitions.map(each => [keyOf(each), each]))
    const added = [...wanted.values()].filter(each => !this.#told.has(keyOf(each)))
    // What is still to be acknowledged of a partition goes first.
    const busy = new Set(acknowledged.map(keyOf))
    const removed = [...this.#told.values()].filter(each => !wanted.has(keyOf(each)) && !busy.has(keyOf(each)))
    // Whatever an acknowledgement names is in the session from then on, wanted or not.
    for (const { topicId, partition } of acknowledged) wanted.set(keyOf({ topicId, partition }), { topicId, partition })
    this.#wanted = wanted
    return {
      epoch: this.#epoch,
      topics: topicsOf(added, acknowledged),
      forgotten: byTopicId(removed, each => each.partition),
    }
  }

  /** Nothing but acknowledgements; with the last ones the session ends. */
  acknowledge(acknowledged: readonly Acknowledged[], isLast: boolean): Omit<SessionRequest, 'forgotten'> {
    this.#wanted = null
    return { epoch: isLast ? FINAL_EPOCH : this.#epoch, topics: topicsOf([], acknowledged) }
  }

  /** The broker has taken what it was told. */
  answered(): void {
    if (this.#wanted !== null) this.#told = this.#wanted
    this.#wanted = null
    this.#epoch = this.#epoch >= MOST_EPOCH ? 1 : this.#epoch + 1
  }

  /** The broker knows nothing any more, or it is not known what it knows. */
  reset(): void {
    this.#epoch = 0
    this.#told = new Map()
    this.#wanted = null
  }
}

function topicsOf(added: readonly IdPartition[], acknowledged: readonly Acknowledged[]): ToldTopic[] {
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
