/** Reports as promises: one object per message, no closure. */
import type { KafkaError } from '../../errors.ts'
import type { DeliveryReport } from '../../types.ts'
import type { ReportTicket } from '../queue/entries.ts'
import { withReport } from './report.ts'

/** The ticket of `send`: resolves with the report, rejects with its error. */
export class SendTicket implements ReportTicket {
  readonly promise: Promise<DeliveryReport>
  #resolve!: (report: DeliveryReport) => void // set by the executor, which runs within the constructor
  #reject!: (error: KafkaError) => void // likewise

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  settle(report: DeliveryReport): void {
    if (report.error === undefined) this.#resolve(report)
    else this.#reject(withReport(report, report.error))
  }
}

/** Collects the reports of many messages, in the order of the messages. */
export class ReportCollector {
  readonly #reports: DeliveryReport[] = []
  #issued = 0
  #settled = 0
  #waiting: ((reports: DeliveryReport[]) => void) | null = null

  /** The ticket of the next message. */
  next(): ReportTicket {
    return new CollectedTicket(this, this.#issued++)
  }

  /** Resolves when every ticket has been settled. */
  all(): Promise<DeliveryReport[]> {
    return new Promise(resolve => {
      this.#waiting = resolve
      this.#check()
    })
  }

  /** @internal called by the tickets */
  put(index: number, report: DeliveryReport): void {
    this.#reports[index] = report
    this.#settled++
    this.#check()
  }

  #check(): void {
    if (this.#settled === this.#issued) this.#waiting?.(this.#reports)
  }
}

class CollectedTicket implements ReportTicket {
  readonly #collector: ReportCollector
  readonly #index: number

  constructor(collector: ReportCollector, index: number) {
    this.#collector = collector
    this.#index = index
  }

  settle(report: DeliveryReport): void {
    this.#collector.put(this.#index, report)
  }
}
