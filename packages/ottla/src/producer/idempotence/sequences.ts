/**
 * Sequence numbers of one partition's batches (KIP-98, KIP-360). A batch keeps the id, epoch and number it was first
 * sent with, so that a broker recognises it when it comes again.
 */
import { ErrorCode } from '@ottla/protocol'
import type { KafkaError } from '../../errors.ts'
import { SEQUENCES, type Batch, type Identity } from '../queue/batch.ts'
import type { PartitionQueue } from '../queue/partition-queue.ts'
import type { SenderIdentity } from './identity.ts'

/**
 * Stamps the head of a queue, if it can go now.
 * @param current - the id in force; null while there is none
 * @returns false: it has to wait, for another id or for what is under way
 */
export function stampHead(queue: PartitionQueue, head: Batch, current: Identity | null): boolean {
  if (head.stamp !== null && (!queue.hasGap || head.doubt === 'possibly-persisted')) {
    // Whether it was written is only known under its old stamp: elsewhere it would be written twice.
    return true
  }
  if (!queue.hasGap && queue.identity === current && current !== null) {
    // A broker takes any first number of a producer that it does not know: were the first batch refused with a second
    // one under way, that one would be written before it.
    if (!queue.isAcknowledged && queue.inFlight > 0) return false
    stamp(queue, head, current)
    return true
  }
  if (current === null || (queue.hasGap && queue.identity === current) || queue.inFlight > 0) return false
  adopt(queue, head, current)
  return true
}

/** What a broker's refusal of a sequence number means. */
export type SequenceVerdict =
  /** It is not about the sequence, and judged like other answers. */
  | 'other'
  /** It is in the log already. */
  | 'persisted'
  /** Perhaps in the log: a batch behind it that is acknowledged tells that it is, one that nobody acknowledges that it is not. */
  | 'forgotten'
  /** Certainly not in the log; another batch has to go first, or the numbers have to begin anew. */
  | 'again'
  /** An earlier try may be written yet, behind what has been given up and is still on its way: sent anew, it could be there twice. */
  | 'in doubt'
  /** As `again`, and the id is of no more use. */
  | 'fenced'

/** Judges an error code that only idempotent producers get. Marks a gap where there is one. */
export function judgeSequence(queue: PartitionQueue, batch: Batch, code: number): SequenceVerdict {
  switch (code) {
    case ErrorCode.ERR_DUPLICATE_SEQUENCE_NUMBER:
      return 'persisted'
    case ErrorCode.ERR_OUT_OF_ORDER_SEQUENCE_NUMBER:
      return judgeOutOfOrder(queue, batch)
    case ErrorCode.ERR_UNKNOWN_PRODUCER_ID:
      queue.hasGap = true
      return 'again'
    case ErrorCode.ERR_INVALID_PRODUCER_EPOCH:
    case ErrorCode.ERR_PRODUCER_FENCED:
      queue.hasGap = true
      return 'fenced'
    default:
      return 'other'
  }
}

// A leader knows a producer's last five batches again, but after a restart (from a snapshot) only the last one: others that
// are in its log are as much out of order as those that come too early. Numbers are without gaps in a log, so what is
// before a batch that it takes, or knows again, is in the log. And if it knows none of all those that may be there, none is.
function judgeOutOfOrder(queue: PartitionQueue, batch: Batch): SequenceVerdict {
  const isInDoubt = batch.doubt === 'possibly-persisted'
  if (isInDoubt && queue.acknowledgedTo > batch.baseMsgid) return 'persisted'
  // An older batch has come back as well: then this one only came too early.
  if (some(queue.batches(), other => !other.isForgotten && other.baseMsgid < batch.baseMsgid)) return 'again'
  const isBehind = (other: Batch): boolean => other.doubt === 'possibly-persisted' && other.baseMsgid > batch.baseMsgid
  const mayBeFollowed = isInDoubt && some(queue.batches(), isBehind)
  if (mayBeFollowed && !queue.hasGap) return 'forgotten'
  queue.hasGap = true
  if (mayBeFollowed || (isInDoubt && queue.hasStragglers)) return 'in doubt'
  for (const other of queue.batches()) if (other.isForgotten) other.doubt = 'not-persisted'
  queue.remember()
  return 'again'
}

function some(batches: Iterable<Batch>, is: (batch: Batch) => boolean): boolean {
  for (const batch of batches) if (is(batch)) return true
  return false
}

/**
 * A batch was given up: what was stamped behind it has to be stamped anew. To be called before it is settled.
 * @param error - why it could not be delivered; null: the program did not want it any more
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
  identity.gap(queue.identity, `${queue.name}: ${batch.count} messages were given up`, code)
}

/**
 * If the numbers of a batch that is given up were used, those behind it no longer follow on what the broker has.
 * @returns whether that leaves a gap
 */
function dropBatch(queue: PartitionQueue, batch: Batch): boolean {
  if (batch.stamp === null) return false
  queue.remember()
  queue.hasGap = true
  if (batch.doubt === 'possibly-persisted') queue.hasStragglers = true
  return true
}

// Messages that were given up before they had numbers leave no gap: the numbers just go on.
function stamp(queue: PartitionQueue, batch: Batch, identity: Identity): void {
  queue.baseMsgid += batch.baseMsgid - queue.stampedTo
  queue.stampedTo = batch.baseMsgid + batch.count
  const baseSequence = (batch.baseMsgid - queue.baseMsgid) % SEQUENCES
  const { producerId, producerEpoch, isTransactional } = identity
  batch.stamp = { producerId, producerEpoch, isTransactional, baseSequence }
}

// Nothing is under way, and the head is not in doubt. Whatever was stamped behind it cannot be in the log, because
// brokers accept numbers without gaps only.
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
