/** The options of `consumer.run`, with kafkajs's defaults. Pure. */
import type { ConsumerRunConfig, EachBatchHandler, EachMessageHandler } from '../types/consumer.ts'

export interface RunSettings {
  readonly autoCommit: boolean
  /** ms; null for none. */
  readonly autoCommitInterval: number | null
  readonly autoCommitThreshold: number | null
  readonly eachBatchAutoResolve: boolean
  readonly concurrency: number
  readonly eachBatch: EachBatchHandler | null
  readonly eachMessage: EachMessageHandler | null
}

export function runSettings(options: ConsumerRunConfig = {}): RunSettings {
  const { autoCommit = true, eachBatchAutoResolve = true, partitionsConsumedConcurrently = 1 } = options
  const { autoCommitInterval = null, autoCommitThreshold = null, eachBatch = null, eachMessage = null } = options
  const concurrency = Math.max(1, Math.floor(partitionsConsumedConcurrently))
  return {
    autoCommit,
    autoCommitInterval,
    autoCommitThreshold,
    eachBatchAutoResolve,
    concurrency,
    eachBatch,
    eachMessage,
  }
}
