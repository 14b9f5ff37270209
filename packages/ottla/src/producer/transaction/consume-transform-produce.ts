/**
 * Consume, transform, produce: the results of a batch and the offset after it are committed together, or not at all.
 */
import { onAbort } from '../../base/abort.ts'
import type { Wait } from '../../base/wait.ts'
import { clientHandle, transactionalReads, type ClientHandle, type TransactionalReader } from '../../cluster/handle.ts'
import { ErrorCode, invalidArgument } from '../../errors.ts'
import type { Logger } from '../../observe/logger.ts'
import type { ConsumerGroupMetadata, TopicPartition, TopicPartitionOffset } from '../../types.ts'
import { runTransaction } from './run.ts'
import type { Transactions } from './transactions.ts'

/**
 * Messages of one partition, such as a `MessageBatch`.
 * @since 0.1.0
 */
export interface TransactionalBatch extends TopicPartition {
  readonly firstOffset: number
  readonly lastOffset: number
}

/**
 * The source of `transactional`: a `Consumer` with a group.
 * @since 0.1.0
 */
export interface TransactionalSource<B extends TransactionalBatch> {
  batches(options?: { readonly maxMessages?: number; readonly maxWaitMs?: number }): AsyncIterable<B>
  groupMetadata(): ConsumerGroupMetadata
  seek(partitions: readonly TopicPartitionOffset[]): Promise<unknown>
  /** @internal */
  readonly [clientHandle]: ClientHandle
  /** @internal */
  [transactionalReads](options: { readonly maxMessages?: number; readonly maxWaitMs?: number }): TransactionalReader<B>
}

/**
 * How `transactional` reads.
 * @since 0.1.0
 */
export interface TransactionalOptions {
  /** Most messages of one batch, which is one transaction; 10,000 by default. */
  readonly maxMessages?: number
  /** How long to wait for a fuller batch once there is a message, in ms; 0 by default. */
  readonly maxWaitMs?: number
  /** Ends it, after the open transaction. */
  readonly signal?: AbortSignal
}

// The partition has another owner now, or the coordinator gave up the transaction: the owner, or a retry, reads the
// batch again.
const transient = new Set<number>([
  ErrorCode.ERR_ILLEGAL_GENERATION,
  ErrorCode.ERR_UNKNOWN_MEMBER_ID,
  ErrorCode.ERR_STALE_MEMBER_EPOCH,
  ErrorCode.ERR_FENCED_MEMBER_EPOCH,
  ErrorCode.ERR_GROUP_ID_NOT_FOUND,
  ErrorCode.ERR_REBALANCE_IN_PROGRESS,
  ErrorCode.ERR_INVALID_PRODUCER_EPOCH,
  ErrorCode.ERR_INVALID_PRODUCER_ID_MAPPING,
  ErrorCode.ERR_UNKNOWN_PRODUCER_ID,
  ErrorCode.ERR_INVALID_TXN_STATE,
  ErrorCode.ERR_TRANSACTION_ABORTABLE,
])

/** @throws KafkaError ERR__INVALID_ARG for a consumer that commits by itself */
export function checkSource(source: TransactionalSource<TransactionalBatch>): void {
  const { settings } = source[clientHandle].context
  if ((settings as { readonly 'enable.auto.commit'?: boolean })['enable.auto.commit'] !== true) return
  const message = 'transactional needs a consumer with enable.auto.commit=false: the transaction commits the offsets'
  throw invalidArgument(message)
}

/** Runs until the signal aborts, the consumer is closed, or something fails for good. See `Producer.transactional`. */
export async function consumeTransformProduce<B extends TransactionalBatch>(
  transactions: Transactions,
  source: TransactionalSource<B>,
  work: (batch: B) => Promise<void>,
  { signal, ...limits }: TransactionalOptions,
  wait: Wait,
  logger: Logger,
): Promise<void> {
  if (signal?.aborted === true) return
  const reader = source[transactionalReads](limits)
  const stopListening = onAbort(signal, () => reader.stop())
  try {
    for (let portion = await reader.next(); portion !== null; portion = await reader.next()) {
      const { batch, group } = portion
      const process = async (): Promise<void> => {
        if (batch !== null) await work(batch)
        await transactions.sendOffsets(reader.offsets(), group, wait)
      }
      try {
        await runTransaction(transactions, process, wait)
        reader.ended(true)
      } catch (error) {
        reader.ended(false)
        const reason = transactions.lastError
        if (reason === null || !transient.has(reason.code) || transactions.isDead) throw error
        const again = batch === null ? 'offsets are committed' : `${batch.topic} [${batch.partition}] is read`
        logger.info('TXNRETRY', `${again} again: ${reason.message}`)
      }
    }
  } finally {
    stopListening()
    reader.close()
  }
}
