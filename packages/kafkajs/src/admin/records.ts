/** The call of an admin client that deletes records. */
import {
  KafkaJSBrokerNotFound,
  KafkaJSDeleteTopicRecordsError,
  KafkaJSError,
  KafkaJSNonRetriableError,
} from '../errors.ts'
import { exceeded, toKafkaJSError } from '../translate/errors.ts'
import { offsetOf } from '../translate/offsets.ts'
import type { SharedAdmin } from '../translate/shared-admin.ts'
import type { Admin } from '../types/admin.ts'
import type { Logger } from '../types/logging.ts'
import { invalid, requirePartitions } from './arguments.ts'
import { fetchTopicOffsets } from './topic-offsets.ts'
import { OPERATION_TIMEOUT_MS } from './results.ts'

type Options = Parameters<Admin['deleteTopicRecords']>[0]

/** Deletes all records before these offsets; -1 is the end. */
export async function deleteTopicRecords(admin: SharedAdmin, options: Options, logger: Logger): Promise<void> {
  const { topic } = options
  const name: unknown = topic
  if (typeof name !== 'string' || name === '') throw invalid(`Invalid topic "${String(name)}"`)
  const entries = requirePartitions(options.partitions)
  const wanted = entries.map(({ partition, offset }) => ({ topic, partition, offset: offsetOf(offset) }))
  const { partitions: known } = await admin.topic(topic)
  const led = new Set(known.filter(({ leader }) => leader >= 0).map(({ partition }) => partition))
  const orphans = entries.filter(({ partition }) => !led.has(partition))
  if (orphans.length > 0) {
    throw new KafkaJSDeleteTopicRecordsError({
      partitions: orphans.map(entry => ({
        ...entry,
        error: new KafkaJSBrokerNotFound('Could not find the leader for the partition', { retriable: false }),
      })),
    })
  }
  await warnOfNothing(admin, topic, wanted, logger)
  const limits = { operationTimeoutMs: OPERATION_TIMEOUT_MS }
  const results = await admin.call(client => client.deleteRecords(wanted, limits))
  const failed = results.flatMap(({ error }, i) => {
    const entry = entries[i]
    if (error === undefined || entry === undefined) return []
    return [{ ...entry, error: refusal(toKafkaJSError(error)) }]
  })
  if (failed.length === 0) return
  const failure = new KafkaJSDeleteTopicRecordsError({ partitions: failed })
  // `ottla` has retried what may succeed later.
  if (failure.retriable) throw exceeded(failure, admin.plan.retries, admin.plan)
  throw new KafkaJSNonRetriableError(failure, { cause: failure })
}

/** Logs which of them delete nothing, since their records are gone already. */
async function warnOfNothing(
  admin: SharedAdmin,
  topic: string,
  wanted: readonly { readonly partition: number; readonly offset: number }[],
  logger: Logger,
): Promise<void> {
  const lows = new Map((await fetchTopicOffsets(admin, topic)).map(({ partition, low }) => [partition, Number(low)]))
  for (const { partition, offset } of wanted) {
    if (offset === -1 || offset >= (lows.get(partition) ?? 0)) continue
    const at = { topic, partition, offset: String(offset) }
    // In kafkajs's words, which programs look for in their logs.
    const said = 'The requested offset is before the earliest offset maintained on the partition'
    logger.warn(`${said} - no records will be deleted from this partition`, at)
  }
}

function refusal(error: Error): KafkaJSError {
  return error instanceof KafkaJSError ? error : new KafkaJSNonRetriableError(error, { cause: error })
}
