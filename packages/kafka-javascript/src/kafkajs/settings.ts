/** What a client is configured with: the block, and what stands beside it, which takes precedence. */
import { logLevel } from '../enums.ts'
import type { Logger } from '../types/kafkajs/client.ts'
import { blockProperties, type Block, type Kind, type Properties } from './block.ts'
import { invalid } from './failures.ts'
import { ConsoleLogger, levelOf } from './logging.ts'

/** A configuration as programs give it: `kafkaJS` and properties. */
export type Given = Readonly<Record<string, unknown>> & { readonly kafkaJS?: Block }

export interface Settings {
  /** For a client of `RdKafka`. */
  readonly properties: Properties
  readonly onStats: ((event: unknown) => void) | null
}

/** The most messages of a batch without `js.consumer.max.batch.size`. */
const MOST_PER_BATCH = 32
const LONGEST_POLL_INTERVAL_MS = 86_400_000
const POLL_INTERVAL_MS = 300_000

/** The program's logger, or one of its own for each client. */
export function loggerOf({ kafkaJS }: Given): Logger {
  return kafkaJS?.logger ?? new ConsoleLogger()
}

/** A configuration of a `Kafka`, and that of one of its clients, which takes precedence. */
export function merged(common: Given, own: Given): Given {
  return { ...common, ...own, kafkaJS: { ...common.kafkaJS, ...own.kafkaJS } }
}

/**
 * Sets the level of the logger, too.
 * @throws KafkaJSError for what is wrong in the block
 */
export function settingsOf(kind: Kind, config: Given, logger: Logger): Settings {
  const { kafkaJS = {}, stats_cb: onStats, ...beside } = config
  const ofBlock = blockProperties(kind, kafkaJS, beside['group.protocol'])
  const properties: Properties = { ...ofBlock, ...beside }
  if (Object.hasOwn(beside, 'debug')) logger.setLogLevel(logLevel.DEBUG)
  else if (properties['log_level'] !== undefined) logger.setLogLevel(levelOf(Number(properties['log_level'])))
  return { properties, onStats: typeof onStats === 'function' ? (onStats as (event: unknown) => void) : null }
}

export interface ConsumerSettings extends Settings {
  readonly maxBatchSize: number
  readonly isAutoCommit: boolean
  /** How long a handler may take, ms. */
  readonly maxPollIntervalMs: number
  readonly onRebalance: ((...args: never[]) => unknown) | null
}

/** As settingsOf, for a consumer. */
export function consumerSettingsOf(config: Given, logger: Logger): ConsumerSettings {
  const { properties: all, onStats } = settingsOf('consumer', config, logger)
  const { 'js.consumer.max.batch.size': size = MOST_PER_BATCH, ...others } = all
  const { 'js.consumer.max.cache.size.per.worker.ms': cache = 1, rebalance_cb: onRebalance, ...rest } = others
  if (Object.hasOwn(config, 'enable.auto.offset.store'))
    throw invalid("'enable.auto.offset.store' cannot be set: an offset is stored when its message is processed")
  if (!isCount(size) && Number(size) !== -1)
    throw invalid("'js.consumer.max.batch.size' must be a whole number, 1 or more, or -1 for no limit")
  if (!isCount(cache)) throw invalid("'js.consumer.max.cache.size.per.worker.ms' must be a whole number, 1 or more")
  const pollIntervalMs = Number(rest['max.poll.interval.ms'] ?? POLL_INTERVAL_MS)
  // As Confluent's, whose handlers get it for what is fetched already, and once more for the last message.
  const maxPollIntervalMs = Math.min(LONGEST_POLL_INTERVAL_MS, 2 * pollIntervalMs)
  const isAutoCommit = isTrue(rest['enable.auto.commit'] ?? true)
  return {
    properties: { ...rest, 'enable.auto.offset.store': false, 'max.poll.interval.ms': maxPollIntervalMs },
    onStats,
    maxBatchSize: Number(size) === -1 ? Infinity : Number(size),
    isAutoCommit,
    maxPollIntervalMs,
    onRebalance: typeof onRebalance === 'function' ? (onRebalance as () => unknown) : null,
  }
}

function isCount(value: unknown): boolean {
  return Number.isInteger(Number(value)) && Number(value) >= 1
}

function isTrue(value: unknown): boolean {
  return value === true || (typeof value === 'string' && value.toLowerCase() === 'true')
}
