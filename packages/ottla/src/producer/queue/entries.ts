/** Whom to tell what about the messages of a batch. */
import type { DeliveryReport } from '../../types.ts'
import type { AnyMessage } from './message.ts'

/** Takes the report of one message without a function of its own for each (`send`, `sendBatch`). */
export interface ReportTicket {
  settle(report: DeliveryReport): void
}

/** Where a message's report goes; null: to `events()`. */
export type ReportSink = ((report: DeliveryReport) => void) | ReportTicket | null

/**
 * The messages of a batch as given to `produce`, in order, each with its sink and the time of its acceptance. Most
 * programs have one callback for all reports, and many messages come within one reading of the clock: neither is
 * kept per message then. Plain fields: this is the hot path.
 */
export class BatchEntries {
  count = 0
  messages: AnyMessage[] = nothing
  /** Monotonic ms of the last message's acceptance; NaN while there is none. */
  lastAt = NaN
  // Of all messages, unless `#sinks` has one for each.
  #sink: ReportSink = null
  #sinks: ReportSink[] | null = null
  // Times, and the index of the first message of each.
  #times: number[] = nothing
  #starts: number[] = nothing
  // Which of them answered last: they are asked for in order.
  #run = 0

  /** @param now - monotonic ms, never less than the last one */
  add(message: AnyMessage, sink: ReportSink, now: number): void {
    const count = this.count
    if (count === 0) {
      // Begun with an object, the array is one of objects from the start, and so is every other batch's.
      this.messages = [message]
      this.#sink = sink
    } else {
      this.messages.push(message)
      if (this.#sinks !== null) this.#sinks.push(sink)
      else if (sink !== this.#sink) this.#spread(count, sink)
    }
    if (now !== this.lastAt) this.#newTime(count, now)
    this.count = count + 1
  }

  /** The sink of every message; null also when they have different ones. */
  get commonSink(): ReportSink {
    return this.#sinks === null ? this.#sink : null
  }

  sinkOf(index: number): ReportSink {
    return this.#sinks === null ? this.#sink : (this.#sinks[index] ?? null)
  }

  /** Monotonic ms. */
  acceptedAt(index: number): number {
    const starts = this.#starts
    let run = this.#run
    if ((starts[run] ?? Infinity) > index) run = 0
    while ((starts[run + 1] ?? Infinity) <= index) run++
    this.#run = run
    return this.#times[run] ?? NaN
  }

  get firstAt(): number {
    return this.#times[0] ?? 0
  }

  #spread(count: number, sink: ReportSink): void {
    const sinks: ReportSink[] = []
    for (let i = 0; i < count; i++) sinks.push(this.#sink)
    sinks.push(sink)
    this.#sinks = sinks
  }

  #newTime(count: number, now: number): void {
    if (count === 0) {
      this.#times = [now]
      this.#starts = [0]
    } else {
      this.#times.push(now)
      this.#starts.push(count)
    }
    this.lastAt = now
  }
}

const nothing: never[] = []
