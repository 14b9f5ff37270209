/** Deletes records: by the retention rules of their topics, and the oldest when memory runs out. */
import type { Clock, Timer } from '../base/clock.ts'
import { indexOfOrder } from '../log/stored-batch.ts'
import type { LogMemory } from '../log/log-memory.ts'
import type { PartitionLog } from '../log/log.ts'
import { segmentFrom, segmentRules, type SegmentRules } from './segments.ts'
import type { Topic, TopicStore } from './topics.ts'

/** The retention settings of a topic; -1: no limit. */
export interface RetentionRules extends SegmentRules {
  readonly retentionMs: number
  readonly retentionBytes: number
}

// Kafka's default for producer.id.expiration.ms.
const PRODUCER_EXPIRATION_MS = 86_400_000
// When memory runs out, records are deleted down to this share of the limit, in up to so many steps.
const EVICTION_TARGET = 0.9
const EVICTION_STEPS = 64

// Kafka's default for log.retention.check.interval.ms.
const CHECK_MS = 300_000

export interface RetentionOptions {
  readonly topics: TopicStore
  readonly clock: Clock
  /** Limit for the records of all topics together, bytes. */
  readonly maxBytes: number
  /** Called with each run, to expire other state. */
  readonly expire: () => void
}

/** Applies the retention of topics every five minutes, and the limit of memory when called. */
export class Retention {
  readonly maxBytes: number
  readonly #options: RetentionOptions
  #timer: Timer

  constructor(options: RetentionOptions) {
    this.maxBytes = options.maxBytes
    this.#options = options
    this.#timer = this.#schedule()
  }

  /** Runs what is due every five minutes. */
  run(): void {
    const { topics, clock, expire } = this.#options
    runRetention(topics, clock.now())
    expire()
  }

  /** Deletes the oldest records of all topics if they exceed the limit together. */
  limitMemory(): void {
    const { topics } = this.#options
    if (topics.memory.used > this.maxBytes) evict(topics, topics.memory, this.maxBytes)
  }

  close(): void {
    this.#timer.cancel()
  }

  #schedule(): Timer {
    return this.#options.clock.setTimer(CHECK_MS, () => {
      this.run()
      this.#timer = this.#schedule()
    })
  }
}

/** Applies `retention.ms` and `retention.bytes`, and forgets producers idle for a day. */
export function runRetention(topics: TopicStore, now: number): void {
  for (const topic of topics.all()) {
    const rules = topics.config(topic, 'cleanup.policy').includes('delete') ? rulesOf(topics, topic) : null
    for (const { log } of topic.partitions) {
      if (rules !== null) log.deleteBefore(retainedFrom(log, rules, now))
      log.producers.expire(now - PRODUCER_EXPIRATION_MS)
    }
  }
}

/** Deletes the oldest records of all logs until memory is below the limit. */
export function evict(topics: TopicStore, memory: LogMemory, limit: number): void {
  const target = limit * EVICTION_TARGET
  const logs: PartitionLog[] = []
  for (const topic of topics.all()) for (const { log } of topic.partitions) if (log.batches.length > 0) logs.push(log)
  let oldest = Infinity
  let newest = 0
  for (const { batches } of logs) {
    oldest = Math.min(oldest, batches[0]?.order ?? Infinity)
    newest = Math.max(newest, batches.at(-1)?.order ?? 0)
  }
  const step = Math.max(1, Math.ceil((newest - oldest) / EVICTION_STEPS))
  for (let order = oldest + step; memory.used > target && order < newest + step; order += step) {
    for (const log of logs) {
      const first = log.batches[indexOfOrder(log.batches, Math.min(order, newest))]
      log.deleteBefore(first?.baseOffset ?? log.highWatermark)
      if (memory.used <= target) return
    }
  }
}

function rulesOf(topics: TopicStore, topic: Topic): RetentionRules {
  const number = (name: string): number => Number(topics.config(topic, name))
  return {
    retentionMs: number('retention.ms'),
    retentionBytes: number('retention.bytes'),
    ...segmentRules(topics, topic),
  }
}

// Only whole segments are deleted, as by a broker: one recent record keeps all of its segment.
function retainedFrom(log: PartitionLog, rules: RetentionRules, now: number): number {
  const { batches } = log
  let size = log.sizeBytes
  for (let i = 0; i < batches.length;) {
    const segment = segmentFrom(batches, i, rules)
    const isOld = rules.retentionMs >= 0 && now - segment.maxTimestamp > rules.retentionMs
    const isTooMuch = rules.retentionBytes >= 0 && size - segment.bytes >= rules.retentionBytes
    if (!isOld && !isTooMuch) return batches[i]?.baseOffset ?? log.startOffset
    size -= segment.bytes
    i = segment.end
  }
  return log.highWatermark
}
