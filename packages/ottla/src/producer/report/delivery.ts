/** Delivery reports: one for each accepted message, to its sink. */
import type { TurnClock } from '../../base/turn-clock.ts'
import { stackOf } from '../../base/unknown-error.ts'
import type { KafkaError } from '../../errors.ts'
import type { EventHub } from '../../observe/events.ts'
import type { Logger } from '../../observe/logger.ts'
import type { DeliveryReport } from '../../types.ts'
import type { Accumulator } from '../queue/accumulator.ts'
import type { Batch, Outcome } from '../queue/batch.ts'
import { BatchEntries, type ReportSink } from '../queue/entries.ts'
import type { AnyMessage } from '../queue/message.ts'
import { refused } from './outcomes.ts'
import { makeReport, Report, type Settled } from './report.ts'
import { UnclaimedReports } from './unclaimed-reports.ts'

type Reportable = Pick<Settled, 'entries' | 'wallOffset'>

/** Turns settled batches into reports. */
export class Delivery {
  readonly #accumulator: Accumulator
  readonly #events: EventHub
  readonly #logger: Logger
  readonly #clock: TurnClock
  readonly #onlyErrors: boolean
  readonly #unclaimed: UnclaimedReports
  #isQuiet = false
  /** Called with every batch before its reports are delivered. */
  onSettled: ((settled: Settled) => void) | null = null

  /** @param onlyErrors - `delivery.report.only.error` */
  constructor(accumulator: Accumulator, events: EventHub, logger: Logger, clock: TurnClock, onlyErrors: boolean) {
    this.#accumulator = accumulator
    this.#events = events
    this.#logger = logger
    this.#clock = clock
    this.#onlyErrors = onlyErrors
    this.#unclaimed = new UnclaimedReports(logger)
  }

  /** The reports kept for the first listener to delivery events; keeps none from now on. */
  takeUnclaimed(): DeliveryReport[] {
    return this.#unclaimed.take()
  }

  /** Logs how many reports were dropped. */
  close(): void {
    this.#unclaimed.close()
  }

  /** Does not log failures reported during `run`: the application learns of them in another way. */
  quietly(run: () => void): void {
    this.#isQuiet = true
    try {
      run()
    } finally {
      this.#isQuiet = false
    }
  }

  /** Reports every message of a batch and releases the batch. A second call for the same batch does nothing. */
  settle(topic: string, partition: number, batch: Batch, outcome: Outcome): void {
    if (batch.isSettled) return
    batch.isSettled = true
    const { entries, wallOffset, queuedBytes } = batch
    batch.dispose()
    this.#report(topic, partition, { entries, wallOffset }, queuedBytes, outcome)
  }

  /** Reports an accepted message that no batch could take. */
  refuse(
    topic: string,
    message: AnyMessage,
    sink: ReportSink,
    enqueuedAt: number,
    wallOffset: number,
    error: KafkaError,
  ): void {
    const outcome = refused('not-persisted', error, null)
    const entries = new BatchEntries()
    entries.add(message, sink, enqueuedAt)
    this.#report(topic, message.partition ?? -1, { entries, wallOffset }, 0, outcome)
  }

  #report(topic: string, partition: number, what: Reportable, queuedBytes: number, outcome: Outcome): void {
    const { entries, wallOffset } = what
    const { count } = entries
    const settled: Settled = { topic, partition, entries, wallOffset, settledAt: this.#clock.now(), outcome }
    // Before the reports, so that a message produced from within one finds the room.
    this.#accumulator.release(count, queuedBytes)
    if (this.onSettled !== null) this.onSettled(settled)
    const errors = outcome.error !== null || outcome.recordErrors !== null
    const isWanted = errors || !this.#onlyErrors
    const common = entries.commonSink
    if (typeof common !== 'function' || errors) this.#tellEach(settled, isWanted)
    else if (isWanted) this.#callEach(common, settled)
    this.#accumulator.checkEmpty()
  }

  // By far the most common case: one callback for all messages, and no errors. Written out, so that the engine has
  // little to compile before it is fast.
  #callEach(callback: (report: DeliveryReport) => void, settled: Settled): void {
    const { topic, partition, entries, wallOffset, settledAt, outcome } = settled
    const { status, baseOffset, logAppendTime, logStartOffset } = outcome
    const { count, messages } = entries
    for (let i = 0; i < count; i++) {
      const message = messages[i] as AnyMessage // i is below the count
      const acceptedAt = entries.acceptedAt(i)
      const offset = baseOffset < 0 ? -1 : baseOffset + i
      const timestamp = logAppendTime < 0 ? (message.timestamp ?? Math.floor(acceptedAt + wallOffset)) : logAppendTime
      try {
        const latencyMs = settledAt - acceptedAt
        callback(new Report(topic, partition, offset, timestamp, message, status, latencyMs, logStartOffset))
      } catch (error) {
        this.#callbackThrew(error)
      }
    }
  }

  #tellEach(settled: Settled, isWanted: boolean): void {
    const { entries } = settled
    let unclaimed = 0
    for (let i = 0; i < entries.count; i++) {
      const sink = entries.sinkOf(i)
      if (sink === null) {
        unclaimed++
      } else if (typeof sink !== 'function') {
        sink.settle(makeReport(settled, i))
      } else if (isWanted) {
        try {
          sink(makeReport(settled, i))
        } catch (error) {
          this.#callbackThrew(error)
        }
      }
    }
    if (unclaimed > 0 && isWanted) this.#emit(settled, unclaimed)
  }

  #callbackThrew(error: unknown): void {
    const why = stackOf(error)
    this.#logger.error('DRCALLBACK', `a delivery report callback threw: ${why}`)
  }

  #emit(settled: Settled, count: number): void {
    if (!this.#events.hasListener('delivery')) {
      this.#logFailure(settled, count)
      this.#unclaimed.keep(settled, count)
      return
    }
    this.#unclaimed.stop()
    const { entries } = settled
    for (let i = 0; i < entries.count; i++) {
      if (entries.sinkOf(i) === null) this.#events.emit({ type: 'delivery', report: makeReport(settled, i) })
    }
  }

  #logFailure({ topic, partition, outcome }: Settled, count: number): void {
    const { error } = outcome
    if (error === null || this.#isQuiet) return
    const what = count === 1 ? '1 message' : `${count} messages`
    const where = partition < 0 ? topic : `${topic} [${partition}]`
    this.#logger.error(
      'DRFAIL',
      `${what} to ${where} not delivered (${outcome.status}): ${error.name}: ${error.message}`,
    )
  }
}
