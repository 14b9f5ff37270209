/** `request` events: what was asked of brokers, and how long they took. */
import { ErrorCode } from '@ottla/protocol'
import type { Clock } from '../base/clock.ts'
import { KafkaError } from '../errors.ts'
import type { EventHub } from '../observe/events.ts'
import type { PendingRequest } from './in-flight.ts'

export class RequestReports {
  readonly #clock: Clock
  readonly #events: EventHub

  constructor(clock: Clock, events: EventHub) {
    this.#clock = clock
    this.#events = events
  }

  /** @param now monotonic ms */
  answered(brokerName: string, pending: PendingRequest, sizeBytes: number, now: number): void {
    if (this.#events.isListenedTo('request')) this.#emit(brokerName, pending, sizeBytes, now, null)
  }

  /** @param now monotonic ms */
  timedOut(brokerName: string, pending: PendingRequest, why: string, now: number): void {
    if (!this.#events.isListenedTo('request')) return
    this.#emit(brokerName, pending, 0, now, new KafkaError(ErrorCode.ERR__TIMED_OUT, why))
  }

  #emit(brokerName: string, pending: PendingRequest, sizeBytes: number, now: number, error: KafkaError | null): void {
    const { api, version, correlationId, sentAt } = pending
    const durationMs = now - sentAt
    this.#events.emit({
      type: 'request',
      brokerName,
      apiKey: api.key,
      apiName: api.name,
      apiVersion: version,
      correlationId,
      sentAt: this.#clock.wallTime() - durationMs,
      durationMs,
      sizeBytes,
      ...(error === null ? {} : { error }),
    })
  }
}
