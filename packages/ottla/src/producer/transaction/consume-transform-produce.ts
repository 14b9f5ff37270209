/** Consume, transform, produce: what comes of a batch and the offset behind it are committed together, or not at all. */
import { onAbort } from '../../base/abort.ts'
import type { Wait } from '../../base/wait.ts'
import { clientHandle, type ClientHandle } from '../../cluster/handle.ts'
import { ErrorCode, KafkaError } from '../../errors.ts'
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
 * What `transactional` reads from: a `Consumer` with a group.
 * @since 0.1.0
 */
export interface TransactionalSource<B extends TransactionalBatch> {
  batches(options?: { readonly maxMessages?: number; readonly maxWaitMs?: number }): AsyncIterable<B>
  groupMetadata(): ConsumerGroupMetadata
  seek(partitions: readonly TopicPartitionOffset[]): Promise<unknown>
  /** @internal */
  readonly [clientHandle]: ClientHandle
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
  /** Ends it, after the transaction that is open. */
  readonly signal?: AbortSignal
}

// The partition has another reader now, or the coordinator has given the transaction up: others, or a second try, will
// read the batch again.
const passing = new Set<number>([
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
  const message =
    'transactional needs a consumer with enable.auto.commit=false: offsets are committed by the transaction'
  throw new KafkaError(ErrorCode.ERR__INVALID_ARG, message)
}

/** Until the signal is aborted, the consumer is closed, or something fails for good. See Producer.transactional. */
export async function consumeTransformProduce<B extends TransactionalBatch>(
  transactions: Transactions,
  source: TransactionalSource<B>,
  work: (batch: B) => Promise<void>,
  { signal, ...limits }: TransactionalOptions,
  wait: Wait,
  logger: Logger,
): Promise<void> {
  const batches = source.batches(limits)[Symbol.asyncIterator]()
  try {
    for (;;) {
      const batch = await nextBefore(source, batches, signal)
      if (batch === null) return
      try {
        await runTransaction(transactions, () => process(transactions, source, work, batch, wait), wait)
      } catch (error) {
        await rewind(source, batch)
        const reason = transactions.lastError
        if (reason === null || !passing.has(reason.code) || transactions.isDead) throw error
        logger.info('TXNRETRY', `${batch.topic} [${batch.partition}] is read again: ${reason.message}`)
      }
    }
  } finally {
    await batches.return?.()
  }
}

async function process<B extends TransactionalBatch>(
  transactions: Transactions,
  source: TransactionalSource<B>,
  work: (batch: B) => Promise<void>,
  batch: B,
  wait: Wait,
): Promise<void> {
  const { topic, partition, lastOffset } = batch
  // Of the member that was given the batch: were it read later, it might be that of another assignment.
  const group = source.groupMetadata()
  await work(batch)
  await transactions.sendOffsets([{ topic, partition, offset: lastOffset + 1 }], group, wait)
}

/** The next batch; null at the end, or when the signal is aborted before there is one. */
async function nextBefore<B extends TransactionalBatch>(
  source: TransactionalSource<B>,
  batches: AsyncIterator<B>,
  signal: AbortSignal | undefined,
): Promise<B | null> {
  if (signal?.aborted === true) return null
  const next = batches.next()
  if (signal === undefined) return orNull(await next)
  let stopListening = (): void => undefined
  const aborted = new Promise<null>(resolve => {
    stopListening = onAbort(signal, () => resolve(null))
  })
  const result = await Promise.race([next, aborted]).finally(() => stopListening())
  if (result !== null) return orNull(result)
  // What comes all the same goes back.
  next.then(
    late => (late.done === true ? undefined : rewind(source, late.value)),
    () => undefined,
  )
  return null
}

function orNull<B>(result: IteratorResult<B>): B | null {
  return result.done === true ? null : result.value
}

// A partition that is not assigned any more begins at its committed offset anyway.
async function rewind(source: TransactionalSource<TransactionalBatch>, batch: TransactionalBatch): Promise<void> {
  const { topic, partition, firstOffset } = batch
  await source.seek([{ topic, partition, offset: firstOffset }]).catch(() => undefined)
}
