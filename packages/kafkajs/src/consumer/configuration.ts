/** The configuration of a consumer of `ottla`, from kafkajs's. Pure. */
import type { ConsumerConfig as OttlaConfig } from 'ottla'
import { KafkaJSNonRetriableError } from '../errors.ts'
import type { ConsumerConfig } from '../types/consumer.ts'
import type { RunSettings } from './run-settings.ts'

const DEFAULT_SESSION_TIMEOUT_MS = 30_000
export const DEFAULT_HEARTBEAT_INTERVAL_MS = 3000
const DEFAULT_MAX_BYTES_PER_PARTITION = 1_048_576
const DEFAULT_MAX_BYTES = 10_485_760
export const DEFAULT_MAX_WAIT_MS = 5000
/** kafkajs's is a minute, and it does not limit handlers. */
const DEFAULT_MAX_POLL_INTERVAL_MS = 300_000
const LEAST_HEARTBEAT_INTERVAL_MS = 10
const DAY_MS = 86_400_000
const LONGEST_WAIT_MS = 300_000
/** Where nothing else says when to commit: offsets of what is never delivered, like the markers of transactions. */
const DEFAULT_COMMIT_INTERVAL_MS = 5000

/** @throws KafkaJSNonRetriableError */
export function checkConsumerConfig(config: ConsumerConfig): void {
  const { groupId } = config
  const { sessionTimeout = DEFAULT_SESSION_TIMEOUT_MS, heartbeatInterval = DEFAULT_HEARTBEAT_INTERVAL_MS } = config
  if (!groupId) throw new KafkaJSNonRetriableError('Consumer groupId must be a non-empty string.')
  if (heartbeatInterval < sessionTimeout) return
  throw new KafkaJSNonRetriableError(
    `Consumer heartbeatInterval (${heartbeatInterval}) must be lower than sessionTimeout (${sessionTimeout}). It is recommended to set heartbeatInterval to approximately a third of the sessionTimeout.`,
  )
}

/**
 * @param strategies names of the assigners
 * @param fromBeginning where topics without a committed offset begin
 */
export function consumerProperties(
  config: ConsumerConfig,
  { autoCommit, autoCommitInterval }: RunSettings,
  strategies: readonly string[],
  fromBeginning: boolean,
): Partial<OttlaConfig> {
  const { sessionTimeout = DEFAULT_SESSION_TIMEOUT_MS, heartbeatInterval = DEFAULT_HEARTBEAT_INTERVAL_MS } = config
  const { maxBytesPerPartition = DEFAULT_MAX_BYTES_PER_PARTITION, maxBytes = DEFAULT_MAX_BYTES, minBytes = 1 } = config
  const { maxWaitTimeInMs = DEFAULT_MAX_WAIT_MS, rebalanceTimeout = DEFAULT_MAX_POLL_INTERVAL_MS } = config
  const { allowAutoTopicCreation = true, readUncommitted = false, rackId } = config
  const interval = autoCommitInterval ?? DEFAULT_COMMIT_INTERVAL_MS
  return {
    'group.id': config.groupId,
    'session.timeout.ms': sessionTimeout,
    'heartbeat.interval.ms': Math.max(LEAST_HEARTBEAT_INTERVAL_MS, heartbeatInterval),
    'max.poll.interval.ms': Math.min(DAY_MS, Math.max(rebalanceTimeout, sessionTimeout)),
    'partition.assignment.strategy': strategies,
    'enable.auto.commit': autoCommit,
    'auto.commit.interval.ms': Math.min(DAY_MS, Math.max(1, interval)),
    'auto.offset.reset': fromBeginning ? 'earliest' : 'latest',
    'isolation.level': readUncommitted ? 'read_uncommitted' : 'read_committed',
    'allow.auto.create.topics': allowAutoTopicCreation,
    'fetch.message.max.bytes': Math.max(1, maxBytesPerPartition),
    'fetch.max.bytes': Math.max(1000, maxBytes),
    'message.max.bytes': Math.min(1_000_000, Math.max(1000, maxBytes)),
    'fetch.min.bytes': Math.max(0, minBytes),
    'fetch.wait.max.ms': Math.min(LONGEST_WAIT_MS, Math.max(0, maxWaitTimeInMs)),
    ...(rackId ? { 'client.rack': rackId } : {}),
  }
}
