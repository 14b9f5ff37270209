/** The outcomes of batches, and their errors. */
import { ErrorCode } from '@ottla/protocol'
import { KafkaError } from '../../errors.ts'
import type { Batch, Outcome } from '../queue/batch.ts'
import type { PartitionQueue } from '../queue/partition-queue.ts'

/** The outcome of a batch that is given up. */
export function failure(batch: Batch, error: KafkaError): Outcome {
  return { status: batch.unpersisted, baseOffset: -1, logAppendTime: -1, error, recordErrors: null }
}

/** The error of messages that timed out, with the last error as its cause. */
export function expiry(queue: PartitionQueue, timeoutMs: number, last: KafkaError | null): KafkaError {
  const message = `${queue.name}: not delivered within ${timeoutMs} ms (message.timeout.ms)`
  if (last === null) return new KafkaError(ErrorCode.ERR__MSG_TIMED_OUT, message)
  return new KafkaError(ErrorCode.ERR__MSG_TIMED_OUT, `${message}; last error: ${last.message}`, { cause: last })
}

/** The outcome of a batch that was written. */
export function written(status: Outcome['status'], baseOffset: number, logAppendTime: number): Outcome {
  return { status, baseOffset, logAppendTime, error: null, recordErrors: null }
}
