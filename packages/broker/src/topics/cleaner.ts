/** Compacts logs by itself, as a broker's log cleaner: closed segments only, once enough of a log is dirty. */
import type { Clock, Timer } from '../base/clock.ts'
import { compact, endOfCompaction, type CompactionRules } from '../log/compaction.ts'
import type { PartitionLog } from '../log/log.ts'
import { activeSegment, segmentRules } from './segments.ts'
import type { Topic, TopicStore } from './topics.ts'

export interface CleanerOptions {
  readonly topics: TopicStore
  readonly clock: Clock
  /** All logs of a topic. */
  readonly logsOf: (topic: Topic) => readonly PartitionLog[]
  /** How often it looks for logs to compact, ms (`log.cleaner.backoff.ms`). */
  readonly everyMs: number
}

export class LogCleaner {
  readonly #options: CleanerOptions
  /** Up to where a log is clean. */
  readonly #cleanTo = new WeakMap<PartitionLog, number>()
  #timer: Timer

  constructor(options: CleanerOptions) {
    this.#options = options
    this.#timer = this.#schedule()
  }

  /** Compacts the logs that are due. */
  run(): void {
    const { topics, logsOf } = this.#options
    for (const topic of topics.all()) {
      if (!topics.config(topic, 'cleanup.policy').includes('compact')) continue
      for (const log of logsOf(topic)) this.#clean(topic, log)
    }
  }

  close(): void {
    this.#timer.cancel()
  }

  #schedule(): Timer {
    const { clock, everyMs } = this.#options
    return clock.setTimer(everyMs, () => {
      this.run()
      this.#timer = this.#schedule()
    })
  }

  #clean(topic: Topic, log: PartitionLog): void {
    const { topics, clock } = this.#options
    const number = (name: string): number => Number(topics.config(topic, name))
    const now = clock.now()
    const rules: CompactionRules = {
      minLagMs: number('min.compaction.lag.ms'),
      deleteRetentionMs: number('delete.retention.ms'),
      endOffset: activeSegment(log.batches, segmentRules(topics, topic)),
    }
    const end = endOfCompaction(log, rules, now)
    const cleanTo = this.#cleanTo.get(log) ?? 0
    let clean = 0
    let dirty = 0
    let dirtySince = Infinity
    for (const { baseOffset, bytes, maxTimestamp } of log.batches) {
      if (baseOffset >= end) break
      if (baseOffset < cleanTo) clean += bytes.length
      else {
        dirty += bytes.length
        dirtySince = Math.min(dirtySince, maxTimestamp)
      }
    }
    const isDirty = dirty > 0 && dirty / (clean + dirty) >= number('min.cleanable.dirty.ratio')
    const isOverdue = now - dirtySince > number('max.compaction.lag.ms')
    if (!isDirty && !isOverdue) return
    compact(log, rules, now)
    this.#cleanTo.set(log, end)
  }
}
