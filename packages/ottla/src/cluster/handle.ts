import type { ClientContext } from './context.ts'
import type { Cluster } from './cluster.ts'
import type { ConsumerGroupMetadata, TopicPartitionOffset } from '../types.ts'

/** The key under which clients keep what `AdminClient.from` shares. */
export const clientHandle: unique symbol = Symbol('ottla.clientHandle')

/** @internal */
export interface ClientHandle {
  readonly context: ClientContext
  readonly cluster: Cluster
}

/** The key under which a consumer keeps its reader for a producer's transactions. */
export const transactionalReads: unique symbol = Symbol('ottla.transactionalReads')

/**
 * What is read for one transaction.
 * @internal
 */
export interface Portion<B> {
  /** Null if only offsets without messages were passed. */
  readonly batch: B | null
  /** The metadata at the time of the read; fetched later, it might belong to another assignment. */
  readonly group: ConsumerGroupMetadata
}

/**
 * Reads for transactions, one portion at a time: each is `ended` before the next.
 * @internal
 */
export interface TransactionalReader<B> {
  /** The next portion; null after `stop`, or once the consumer is closed. */
  next(): Promise<Portion<B> | null>
  /** The offsets for the portion's transaction to commit; called once the portion is processed. */
  offsets(): TopicPartitionOffset[]
  /** Ends the portion; if it is not committed, its messages are read again. */
  ended(isCommitted: boolean): void
  /** Ends a pending `next`, or the one to come. */
  stop(): void
  close(): void
}
