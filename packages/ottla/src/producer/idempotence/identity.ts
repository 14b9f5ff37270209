/** What sender and pipeline use of the identity of an idempotent or transactional producer. */
import type { KafkaError } from '../../errors.ts'
import type { Identity } from '../queue/batch.ts'
import type { PartitionQueue } from '../queue/partition-queue.ts'
import type { IdempotenceState } from './states.ts'

/** The state, for statistics. Times are monotonic ms. */
export interface IdentityStatus {
  readonly state: IdempotenceState
  readonly since: number
  /** How many ids or epochs there have been. */
  readonly grants: number
  /** Null unless the producer is transactional. */
  readonly transaction: { readonly state: string; readonly since: number; readonly mayProduce: boolean } | null
}

/** The part of an idempotent producer's identity that the sender uses. */
export interface SenderIdentity {
  readonly current: Identity | null
  /** Null unless the producer is transactional. */
  readonly transaction: SenderTransaction | null
  /** The sequence of a partition has a gap. @param code - the error that revealed it */
  gap(identity: Identity | null, reason: string, code: number): void
  fenced(identity: Identity | null, reason: string): void
  /** Messages could not be delivered; null if the application purged them. */
  lost(error: KafkaError | null): void
}

/** The part of a transactional producer that the sender uses. */
export interface SenderTransaction {
  /** `transactional.id` */
  readonly id: string
  readonly maxProduceVersion: number
  /** Whether the transaction is being aborted, so that nothing is retried. */
  readonly isLost: boolean
  /** Whether the partition's batches may be sent; if not, the queue is listed again when they may. */
  admits(queue: PartitionQueue): boolean
}

/** The identity of an idempotent producer. */
export interface PipelineIdentity extends SenderIdentity {
  readonly status: IdentityStatus
  /** Requests an id, unless the application does (`initTransactions`). */
  start(): void
  close(): void
}
