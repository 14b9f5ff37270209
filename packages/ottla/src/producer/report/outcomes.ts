/** The outcomes of batches, and their errors. */
import { ErrorCode } from '@ottla/protocol'
import { KafkaError } from '../../errors.ts'
import type { Batch, Outcome } from '../queue/batch.ts'
import type { PartitionQueue } from '../queue/partition-queue.ts'

/** The outcome of a batch that is given up. */
export function failure(batch: Batch, error: KafkaError): Outcome {
  return refused(batch.unpersisted, error, null)
}

/** The outcome of messages that were not written. @param recordErrors of single records by index, if they differ */
export function refused(status: Outcome['status'], error: KafkaError, recordErrors: Outcome['recordErrors']): Outcome {
  return { status, baseOffset: -1, logAppendTime: -1, logStartOffset: -1, error, recordErrors }
}

/** The error of messages that timed out, with the last error as its cause. */
export function expiry(queue: PartitionQueue, timeoutMs: number, last: KafkaError | null): KafkaError {
  const message = `${queue.name}: not delivered within ${timeoutMs} ms (message.timeout.ms)`
  if (last === null) return new KafkaError(ErrorCode.ERR__MSG_TIMED_OUT, message)
  return new KafkaError(ErrorCode.ERR__MSG_TIMED_OUT, `${message}; last error: ${last.message}`, { cause: last })
}

/** The outcome of a batch that was written. */
export function written(
  status: Outcome['status'],
  baseOffset: number,
  logAppendTime: number,
  logStartOffset: number,
): Outcome {
  return { status, baseOffset, logAppendTime, logStartOffset, error: null, recordErrors: null }
}
