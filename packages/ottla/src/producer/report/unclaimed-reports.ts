/** Delivery reports that nobody has asked for yet. */
import { STREAM_LIMIT } from '../../observe/events.ts'
import type { Logger } from '../../observe/logger.ts'
import type { DeliveryReport } from '../../types.ts'
import { makeReport, type Settled } from './report.ts'

interface Kept {
  readonly settled: Settled
  readonly count: number
}

/**
 * Keeps the newest STREAM_LIMIT reports for the first listener to delivery events. They are kept by the batch and made
 * only on request, so that an application that never asks pays next to nothing.
 */
export class UnclaimedReports {
  readonly #logger: Logger
  #kept: Kept[] = []
  #count = 0
  #dropped = 0
  #stopped = false

  constructor(logger: Logger) {
    this.#logger = logger
  }

  keep(settled: Settled, count: number): void {
    if (this.#stopped) return
    this.#kept.push({ settled, count })
    this.#count += count
    for (let oldest = this.#kept[0]; oldest !== undefined; oldest = this.#kept[0]) {
      if (this.#count - oldest.count < STREAM_LIMIT) break
      this.#kept.shift()
      this.#count -= oldest.count
      this.#countDropped(oldest.count)
    }
  }

  /** Returns them, oldest first, and keeps none from now on. */
  take(): DeliveryReport[] {
    const reports: DeliveryReport[] = []
    let surplus = Math.max(0, this.#count - STREAM_LIMIT)
    for (const { settled } of this.#kept) {
      const { entries, from, end } = settled
      for (let i = from; i < end; i++) {
        if (entries.sinkOf(i) !== null) continue
        if (surplus > 0) surplus--
        else reports.push(makeReport(settled, i))
      }
    }
    this.stop()
    return reports
  }

  /** Keeps none from now on, because there is a listener. */
  stop(): void {
    if (this.#stopped) return
    this.#stopped = true
    this.#kept = []
    this.#count = 0
  }

  close(): void {
    if (this.#dropped > 0) {
      this.#logger.warning('DRDROP', `${this.#dropped} delivery reports were dropped because nobody asked for them`)
    }
    this.stop()
  }

  #countDropped(count: number): void {
    if (this.#dropped === 0) {
      this.#logger.warning(
        'DRDROP',
        `nobody has asked for more than ${STREAM_LIMIT} delivery reports: the oldest are dropped; ` +
          'pass a callback to produce(), or read events()',
      )
    }
    this.#dropped += count
  }
}
