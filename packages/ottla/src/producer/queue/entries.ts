/** The messages of a batch and their report sinks. */
import type { DeliveryReport } from '../../types.ts'
import type { AnyMessage } from './message.ts'

/** Takes the report of one message, without a closure per message (`send`, `sendBatch`). */
export interface ReportTicket {
  settle(report: DeliveryReport): void
}

/** Where a message's report goes; null for `events()`. */
export type ReportSink = ((report: DeliveryReport) => void) | ReportTicket | null

/**
 * The messages of a batch as passed to `produce`, in order, each with its sink and the time of its acceptance. Most
 * applications have one callback for all reports, and many messages share a reading of the clock: neither is then kept
 * per message. Plain fields: this is the hot path.
 */
export class BatchEntries {
  count = 0
  messages: AnyMessage[] = nothing
  /** Monotonic ms of the last message's acceptance; NaN while there is none. */
  lastAt = NaN
  // The sink of all messages, unless `#sinks` has one for each.
  #sink: ReportSink = null
  #sinks: ReportSink[] | null = null
  // Distinct times, and the index of the first message of each.
  #times: number[] = nothing
  #starts: number[] = nothing
  // Where the last lookup was: they come in order.
  #run = 0

  /** @param now - monotonic ms, never before the last one */
  add(message: AnyMessage, sink: ReportSink, now: number): void {
    const count = this.count
    if (count === 0) {
      // Created with an object, the array has the engine's kind for objects from the start, like every other batch's.
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

  /** The sink of all messages; also null if they have different ones. */
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

  /** How many of the first messages were accepted at or before a time (monotonic ms). */
  acceptedBy(at: number): number {
    const times = this.#times
    let run = 0
    while (run < times.length && (times[run] ?? Infinity) <= at) run++
    return this.#starts[run] ?? this.count
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
