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

type Reportable = Pick<Settled, 'entries' | 'from' | 'end' | 'wallOffset'>

/** Turns settled batches into reports. */
export class Delivery {
  readonly #accumulator: Accumulator
  readonly #events: EventHub
  readonly #logger: Logger
  readonly #clock: TurnClock
  readonly #onlyErrors: boolean
  readonly #unclaimed: UnclaimedReports
  #isQuiet = false
  /** Called with messages before their reports are delivered. */
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

  /** The reports kept for the first reader of delivery events; keeps none from now on. */
  takeUnclaimed(): DeliveryReport[] {
    return this.#unclaimed.take()
  }

  /** Gives them to the first listener: not within this call, as the application may still set up what it uses. */
  giveUnclaimed(): void {
    const reports = this.#unclaimed.take()
    if (reports.length === 0) return
    const accumulator = this.#accumulator
    accumulator.reporting += reports.length
    queueMicrotask(() => {
      for (const report of reports) {
        this.#events.emit({ type: 'delivery', report })
        accumulator.reporting--
      }
      accumulator.checkEmpty()
    })
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

  /**
   * Reports every message of a batch that has not been reported, and releases the batch. A second call for the same
   * batch does nothing.
   */
  settle(topic: string, partition: number, batch: Batch, outcome: Outcome): void {
    if (batch.isSettled) return
    batch.isSettled = true
    const { entries, reported: from, wallOffset, queuedBytes } = batch
    batch.dispose()
    this.#report(topic, partition, { entries, from, end: entries.count, wallOffset }, queuedBytes, outcome)
  }

  /** Reports the first messages of a batch that goes on with the others. @param end - index behind the last of them */
  settleFirst(topic: string, partition: number, batch: Batch, end: number, outcome: Outcome): void {
    const { entries, reported: from, wallOffset } = batch
    // Before the reports: code within one may end the batch.
    batch.reported = end
    this.#report(topic, partition, { entries, from, end, wallOffset }, 0, outcome)
  }

  /** Releases a batch that has no messages without a report any more. */
  release(batch: Batch): void {
    batch.isSettled = true
    this.#accumulator.release(0, batch.queuedBytes)
    batch.dispose()
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
    this.#report(topic, message.partition ?? -1, { entries, from: 0, end: 1, wallOffset }, 0, outcome)
  }

  #report(topic: string, partition: number, what: Reportable, queuedBytes: number, outcome: Outcome): void {
    const { entries, from, end, wallOffset } = what
    const settled: Settled = { topic, partition, entries, from, end, wallOffset, settledAt: this.#clock.now(), outcome }
    // Before the reports, so that a message produced from within one finds the room.
    this.#accumulator.reporting += end - from
    this.#accumulator.release(end - from, queuedBytes)
    if (this.onSettled !== null) this.onSettled(settled)
    const errors = outcome.error !== null || outcome.recordErrors !== null
    const isWanted = errors || !this.#onlyErrors
    const common = entries.commonSink
    if (typeof common !== 'function' || errors) this.#tellEach(settled, isWanted)
    else if (isWanted) this.#callEach(common, settled)
    else this.#accumulator.reporting -= end - from
    this.#accumulator.checkEmpty()
  }

  // By far the most common case: one callback for all messages, and no errors. Written out, so that the engine has
  // little to compile before it is fast.
  #callEach(callback: (report: DeliveryReport) => void, settled: Settled): void {
    const { topic, partition, entries, from, end, wallOffset, settledAt, outcome } = settled
    const { status, baseOffset, logAppendTime, logStartOffset } = outcome
    const { messages } = entries
    const accumulator = this.#accumulator
    for (let i = from; i < end; i++) {
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
      accumulator.reporting--
    }
  }

  #tellEach(settled: Settled, isWanted: boolean): void {
    const { entries, from, end } = settled
    let unclaimed = 0
    for (let i = from; i < end; i++) {
      const sink = entries.sinkOf(i)
      if (sink === null) {
        unclaimed++
        continue
      }
      if (typeof sink !== 'function') {
        sink.settle(makeReport(settled, i))
      } else if (isWanted) {
        try {
          sink(makeReport(settled, i))
        } catch (error) {
          this.#callbackThrew(error)
        }
      }
      this.#accumulator.reporting--
    }
    if (unclaimed === 0) return
    if (isWanted) this.#emit(settled, unclaimed)
    else this.#accumulator.reporting -= unclaimed
  }

  #callbackThrew(error: unknown): void {
    const why = stackOf(error)
    this.#logger.error('DRCALLBACK', `a delivery report callback threw: ${why}`)
  }

  #emit(settled: Settled, count: number): void {
    if (!this.#events.hasListener('delivery')) {
      this.#logFailure(settled, count)
      this.#unclaimed.keep(settled, count)
      // As if it had been given: nobody may ever ask for it.
      this.#accumulator.reporting -= count
      return
    }
    this.#unclaimed.stop()
    const { entries, from, end } = settled
    for (let i = from; i < end; i++) {
      if (entries.sinkOf(i) !== null) continue
      this.#events.emit({ type: 'delivery', report: makeReport(settled, i) })
      this.#accumulator.reporting--
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
