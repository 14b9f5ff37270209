/**
 * Sequence numbers of one partition's batches (KIP-98, KIP-360). A batch keeps the id, epoch and sequence number that
 * it was first sent with, so that a broker recognizes a retry.
 */
import { ErrorCode } from '@ottla/protocol'
import type { KafkaError } from '../../errors.ts'
import { SEQUENCES, type Batch, type Identity } from '../queue/batch.ts'
import type { PartitionQueue } from '../queue/partition-queue.ts'
import type { SenderIdentity } from './identity.ts'

/**
 * Stamps the head of a queue, if it can be sent now.
 * @param current - the current id; null if there is none
 * @returns false if it has to wait for another id, or for batches in flight
 */
export function stampHead(queue: PartitionQueue, head: Batch, current: Identity | null): boolean {
  if (head.stamp !== null && (!queue.hasGap || head.doubt === 'possibly-persisted')) {
    // Only its old stamp can tell whether it was written: with another one it could be written twice.
    return true
  }
  if (!queue.hasGap && queue.identity === current && current !== null) {
    // A broker accepts any first number of a producer that it does not know. If it refused the first batch with a
    // second one in flight, the second would be written before it.
    if (!queue.isAcknowledged && queue.inFlight > 0) return false
    stamp(queue, head, current)
    return true
  }
  if (current === null || (queue.hasGap && queue.identity === current) || queue.inFlight > 0) return false
  adopt(queue, head, current)
  return true
}

/** What a broker's error means for the sequence. */
export type SequenceVerdict =
  /** It does not concern the sequence; the usual verdicts apply. */
  | 'other'
  /** It is in the log already. */
  | 'persisted'
  /** It may be in the log: it is if a batch behind it is acknowledged, and it is not if none of them is. */
  | 'set-aside'
  /** Certainly not in the log: another batch has to be sent first, or the sequence has to restart. */
  | 'retry'
  /**
   * An earlier attempt may still be written, behind given-up batches in flight: a retry with a new stamp could
   * duplicate it.
   */
  | 'in-doubt'
  /** Like `retry`, and the id can no longer be used. */
  | 'fenced'

/** The verdict on an error code that only idempotent producers get. Marks the queue if there is a gap. */
export function judgeSequence(queue: PartitionQueue, batch: Batch, code: number): SequenceVerdict {
  switch (code) {
    case ErrorCode.ERR_DUPLICATE_SEQUENCE_NUMBER:
      return 'persisted'
    case ErrorCode.ERR_OUT_OF_ORDER_SEQUENCE_NUMBER:
      return judgeOutOfOrder(queue, batch)
    case ErrorCode.ERR_UNKNOWN_PRODUCER_ID:
      queue.hasGap = true
      return 'retry'
    case ErrorCode.ERR_INVALID_PRODUCER_EPOCH:
    case ErrorCode.ERR_PRODUCER_FENCED:
      queue.hasGap = true
      return 'fenced'
    default:
      return 'other'
  }
}

// A leader recognizes a producer's last five batches, but after a restart (from a snapshot) only the last one: to it,
// others in its log are as much out of order as those that come too early. A log's sequence has no gaps, so everything
// before a batch that the leader accepts or recognizes is in the log. If it recognizes none of those that may be there,
// none is.
function judgeOutOfOrder(queue: PartitionQueue, batch: Batch): SequenceVerdict {
  const isInDoubt = batch.doubt === 'possibly-persisted'
  if (isInDoubt && queue.acknowledgedTo > batch.baseMsgid) return 'persisted'
  // If an older batch has come back as well, this one only came too early.
  if (some(queue.batches(), other => !other.isSetAside && other.baseMsgid < batch.baseMsgid)) return 'retry'
  const isBehind = (other: Batch): boolean => other.doubt === 'possibly-persisted' && other.baseMsgid > batch.baseMsgid
  const mayBeFollowed = isInDoubt && some(queue.batches(), isBehind)
  if (mayBeFollowed && !queue.hasGap) return 'set-aside'
  queue.hasGap = true
  if (mayBeFollowed || (isInDoubt && queue.hasStragglers)) return 'in-doubt'
  for (const other of queue.batches()) if (other.isSetAside) other.doubt = 'not-persisted'
  queue.restore()
  return 'retry'
}

function some(batches: Iterable<Batch>, is: (batch: Batch) => boolean): boolean {
  for (const batch of batches) if (is(batch)) return true
  return false
}

/**
 * A batch was given up: batches stamped after it need new stamps. Call this before settling it.
 * @param error - why it could not be delivered; null if the application purged it
 */
export function giveUp(
  identity: SenderIdentity | null,
  queue: PartitionQueue,
  batch: Batch,
  error: KafkaError | null,
): void {
  if (identity === null) return
  identity.lost(error)
  if (!dropBatch(queue, batch)) return
  const code = error?.code ?? ErrorCode.ERR__INCONSISTENT
  identity.gap(queue.identity, `${queue.name}: ${batch.unreported} messages were given up`, code)
}

/**
 * Messages that were reported before their batch was sent (again) are left out of it: if it was stamped, those behind
 * them need new stamps. As in librdkafka, the epoch is raised for that.
 */
export function leaveOut(identity: SenderIdentity | null, queue: PartitionQueue, batch: Batch): void {
  if (identity === null || !dropBatch(queue, batch)) return
  identity.gap(queue.identity, `${queue.name}: ${batch.reported} messages timed out`, ErrorCode.ERR__MSG_TIMED_OUT)
}

/**
 * If a batch that is given up was stamped, the numbers after it no longer follow what the broker has.
 * @returns whether it leaves a gap
 */
function dropBatch(queue: PartitionQueue, batch: Batch): boolean {
  if (batch.stamp === null) return false
  queue.restore()
  queue.hasGap = true
  if (batch.doubt === 'possibly-persisted') queue.hasStragglers = true
  return true
}

// Messages given up before they were stamped leave no gap: the sequence continues without them.
function stamp(queue: PartitionQueue, batch: Batch, identity: Identity): void {
  queue.baseMsgid += batch.baseMsgid - queue.stampedTo
  queue.stampedTo = batch.baseMsgid + batch.count
  const baseSequence = (batch.baseMsgid - queue.baseMsgid) % SEQUENCES
  const { producerId, producerEpoch, isTransactional } = identity
  batch.stamp = { producerId, producerEpoch, isTransactional, baseSequence }
}

// Nothing is in flight, and the head is not in doubt. Batches stamped after it cannot be in the log, because brokers
// accept sequences without gaps only.
function adopt(queue: PartitionQueue, head: Batch, identity: Identity): void {
  for (const batch of queue.batches()) {
    if (batch.stamp === null) continue
    batch.stamp = null
    batch.doubt = 'not-persisted'
  }
  queue.identity = identity
  queue.isAcknowledged = false
  queue.hasGap = false
  queue.hasStragglers = false
  queue.baseMsgid = head.baseMsgid
  queue.stampedTo = head.baseMsgid
  stamp(queue, head, identity)
}
