/** Makes delivery reports. */
import { KafkaError } from '../../errors.ts'
import type { Bytes, DeliveryReport, HeadersInput, PersistenceStatus } from '../../types.ts'
import type { Outcome } from '../queue/batch.ts'
import type { BatchEntries } from '../queue/entries.ts'
import type { AnyMessage } from '../queue/message.ts'

/** Messages of a batch and their outcome: what reports are made from. */
export interface Settled {
  readonly topic: string
  readonly partition: number
  readonly entries: BatchEntries
  /** Index of the first of them in `entries`. */
  readonly from: number
  /** Index behind the last one. */
  readonly end: number
  readonly wallOffset: number
  /** Monotonic ms. */
  readonly settledAt: number
  readonly outcome: Outcome
}

/** The report of one message of a batch. */
export function makeReport(settled: Settled, index: number): DeliveryReport {
  const { outcome } = settled
  const message = settled.entries.messages[index] as AnyMessage // callers stay below the number of messages
  const enqueuedAt = settled.entries.acceptedAt(index)
  const error = outcome.recordErrors?.get(index) ?? outcome.error
  const own = message.timestamp ?? Math.floor(enqueuedAt + settled.wallOffset)
  const report = new Report(
    settled.topic,
    settled.partition,
    outcome.baseOffset < 0 || error !== null ? -1 : outcome.baseOffset + index,
    outcome.logAppendTime < 0 ? own : outcome.logAppendTime,
    message,
    outcome.status,
    settled.settledAt - enqueuedAt,
    outcome.logStartOffset,
  )
  if (error !== null) (report as { error?: KafkaError }).error = error
  return report
}

/** The report of a message that was not accepted, for calls that never reject (`sendBatch`). */
export function refusal(message: AnyMessage, error: KafkaError): DeliveryReport {
  const { topic, partition, timestamp } = message
  const report = new Report(topic, partition ?? -1, -1, timestamp ?? -1, message, 'not-persisted', 0, -1)
  ;(report as { error?: KafkaError }).error = error
  return report
}

/** The error with which `send` rejects: a report's error, with the report attached. */
export function withReport(report: DeliveryReport, error: KafkaError): KafkaError {
  const { isFatal, isRetriable, txnRequiresAbort } = error
  const traits = { fatal: isFatal, retriable: isRetriable, txnRequiresAbort, report }
  return new KafkaError(
    error.code,
    error.message,
    error.cause === undefined ? traits : { ...traits, cause: error.cause },
  )
}

/** @internal */
export class Report implements DeliveryReport {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly key: Bytes | null
  readonly value: Bytes | null
  readonly headers: HeadersInput | undefined
  readonly opaque: unknown
  readonly status: PersistenceStatus
  readonly latencyMs: number
  // Not a property of its own: whoever compares or prints reports sees what they were before there was one.
  readonly #logStartOffset: number
  declare readonly error?: KafkaError

  constructor(
    topic: string,
    partition: number,
    offset: number,
    timestamp: number,
    message: AnyMessage,
    status: PersistenceStatus,
    latencyMs: number,
    logStartOffset: number,
  ) {
    this.topic = topic
    this.partition = partition
    this.offset = offset
    this.timestamp = timestamp
    // As passed: with serializers, the application's own data of any type.
    this.key = (message.key ?? null) as Bytes | null
    this.value = (message.value ?? null) as Bytes | null
    this.headers = message.headers
    this.opaque = message.opaque
    this.status = status
    this.latencyMs = latencyMs
    this.#logStartOffset = logStartOffset
  }

  get logStartOffset(): number {
    return this.#logStartOffset
  }
}
