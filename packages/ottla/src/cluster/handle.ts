import type { ClientContext } from './context.ts'
import type { Cluster } from './cluster.ts'
import type { ConsumerGroupMetadata, TopicPartitionOffset } from '../types.ts'

/** Where clients keep what an AdminClient made `from` them shares. */
export const clientHandle: unique symbol = Symbol('ottla.clientHandle')

/** @internal */
export interface ClientHandle {
  readonly context: ClientContext
  readonly cluster: Cluster
}

/** Where a consumer keeps what reads for a producer's transactions. */
export const transactionalReads: unique symbol = Symbol('ottla.transactionalReads')

/**
 * One transaction's worth of reading.
 * @internal
 */
export interface Portion<B> {
  /** null when only offsets that hold nothing have been passed. */
  readonly batch: B | null
  /** Of the member that was given it: were it asked for later, it might be that of another assignment. */
  readonly group: ConsumerGroupMetadata
}

/**
 * Reads for transactions, one portion at a time: each is `ended` before the next.
 * @internal
 */
export interface TransactionalReader<B> {
  /** null at the end: `stop` has been called, or the consumer is closed. */
  next(): Promise<Portion<B> | null>
  /** The work on the portion is done: what its transaction commits. */
  offsets(): TopicPartitionOffset[]
  /** Where it is not committed, its messages are read again. */
  ended(isCommitted: boolean): void
  /** Ends a `next` under way, or the one to come. */
  stop(): void
  close(): void
}
