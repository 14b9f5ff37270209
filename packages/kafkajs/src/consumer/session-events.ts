/** Instrumentation events of a session, from the events of `ottla`. */
import type { Consumer, TopicPartition, TopicPartitionOffset } from 'ottla'
import type { InstrumentationEmitter } from '../observe/emitter.ts'
import { reportRequests } from '../translate/network-events.ts'
import type { ConsumerConfig, ConsumerEvents, IMemberAssignment } from '../types/consumer.ts'
import type { TopicOffsets } from '../types/metadata.ts'
import { DEFAULT_HEARTBEAT_INTERVAL_MS, DEFAULT_MAX_WAIT_MS } from './configuration.ts'
import { FetchTurns } from './fetch-turns.ts'

/** What the events need of their session. */
export interface SessionEventsHost {
  readonly emitter: InstrumentationEmitter<ConsumerEvents>
  readonly config: ConsumerConfig
  readonly clientId: string
  /** No partition is assigned, or all are paused. */
  hasNothingToFetch(): boolean
  /** As many handlers are running as may run at once. */
  isBusy(): boolean
}

export class SessionEvents {
  readonly #emitter: InstrumentationEmitter<ConsumerEvents>
  readonly #groupId: string
  readonly #clientId: string
  readonly #turns: FetchTurns
  #consumer: Consumer | null = null
  /** When the last rebalance began, ms since the epoch. */
  #joiningSince = Date.now()
  /** The strategy by which this member, as leader, has assigned the partitions; null for another leader. */
  #ledWith: string | null = null

  constructor(host: SessionEventsHost) {
    const { emitter, config, clientId } = host
    this.#emitter = emitter
    this.#groupId = config.groupId
    this.#clientId = clientId
    this.#turns = new FetchTurns({
      emitter,
      heartbeatInterval: config.heartbeatInterval ?? DEFAULT_HEARTBEAT_INTERVAL_MS,
      maxWaitTime: config.maxWaitTimeInMs ?? DEFAULT_MAX_WAIT_MS,
      hasNothingToFetch: () => host.hasNothingToFetch(),
      isBusy: () => host.isBusy(),
      member: () => this.#member(),
    })
  }

  observe(consumer: Consumer): void {
    this.#consumer = consumer
    reportRequests(consumer, this.#emitter, this.#clientId)
    consumer.on('request', event => {
      if (event.error === undefined) this.#turns.answered(event)
    })
    consumer.on('offsets-committed', ({ offsets, error }) => {
      if (error !== undefined) return
      const committed = offsets.filter(each => each.error === undefined)
      this.#emitter.emit('COMMIT_OFFSETS', () => ({ ...this.#member(), topics: topicOffsets(committed) }))
    })
  }

  /** A handler goes on, or has ended. */
  alive(): void {
    this.#turns.alive()
  }

  /** The session ends. */
  end(): void {
    this.#turns.end()
  }

  /** This member is the leader, and assigns the partitions. @param strategy the assigner's name */
  leads(strategy: string): void {
    this.#ledWith = strategy
  }

  rebalancing(consumer: Consumer): void {
    this.#turns.end()
    this.#joiningSince = Date.now()
    this.#ledWith = null
    const { memberId } = consumer
    this.#emitter.emit('REBALANCING', () => ({ groupId: this.#groupId, memberId }))
  }

  /**
   * @param subscribed the topics of the payload's assignment come in this order
   * @param strategy the first of its own, which all members use unless there are several
   */
  joined(
    consumer: Consumer,
    partitions: readonly TopicPartition[],
    subscribed: readonly string[],
    strategy = '',
  ): void {
    const { memberId } = consumer
    const isLeader = this.#ledWith !== null
    this.#emitter.emit('GROUP_JOIN', () => ({
      groupId: this.#groupId,
      memberId,
      leaderId: isLeader ? memberId : '',
      isLeader,
      memberAssignment: byTopic(partitions, subscribed),
      groupProtocol: this.#ledWith ?? strategy,
      duration: Date.now() - this.#joiningSince,
    }))
    this.#turns.begin()
  }

  /** The leader has assigned topics that this member has not subscribed to. @returns the event's payload */
  unsubscribed(consumer: Consumer, assigned: readonly TopicPartition[], subscribed: readonly string[]): object {
    const assignedTopics = [...new Set(assigned.map(({ topic }) => topic))]
    const { memberId } = consumer
    const payload = {
      groupId: this.#groupId,
      generationId: consumer.groupMetadata().generationId,
      memberId,
      assignedTopics,
      topicsSubscribed: [...subscribed],
      topicsNotSubscribed: assignedTopics.filter(topic => !subscribed.includes(topic)),
    }
    this.#emitter.emit('RECEIVED_UNSUBSCRIBED_TOPICS', () => payload)
    return payload
  }

  #member(): { groupId: string; memberId: string; groupGenerationId: number } {
    const { memberId = '', generationId = -1 } = this.#consumer?.groupMetadata() ?? {}
    return { groupId: this.#groupId, memberId, groupGenerationId: generationId }
  }
}

function byTopic(partitions: readonly TopicPartition[], order: readonly string[]): IMemberAssignment {
  const assignment: IMemberAssignment = {}
  const assigned = new Set(partitions.map(({ topic }) => topic))
  for (const topic of order) if (assigned.has(topic)) assignment[topic] = []
  for (const { topic, partition } of partitions) (assignment[topic] ??= []).push(partition)
  for (const numbers of Object.values(assignment)) numbers.sort((a, b) => a - b)
  return assignment
}

/** By topic; partitions as text but in what the program has committed with metadata, as in kafkajs. */
function topicOffsets(offsets: readonly TopicPartitionOffset[]): TopicOffsets[] {
  const topics = new Map<string, TopicOffsets>()
  for (const { topic, partition, offset, metadata } of offsets) {
    const entry = topics.get(topic) ?? { topic, partitions: [] }
    const committed = { offset: String(offset), ...(typeof metadata === 'string' ? { metadata } : {}) }
    entry.partitions.push({
      partition: typeof metadata === 'string' ? partition : (String(partition) as unknown as number),
      ...committed,
    })
    topics.set(topic, entry)
  }
  return [...topics.values()]
}
