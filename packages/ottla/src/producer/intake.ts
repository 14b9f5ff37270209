/** Accepts messages: `produce`, `send`, `sendBatch`. */
import { ErrorCode } from '@ottla/protocol'
import { abortReason } from '../base/clock.ts'
import { rejectLater } from '../base/turn.ts'
import { KafkaError, invalidArgument } from '../errors.ts'
import type { Bytes, DeliveryReport, Header, Serializer } from '../types.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { Pipeline } from './pipeline.ts'
import type { ReportSink } from './queue/entries.ts'
import { headerList } from './queue/headers.ts'
import { kindOf } from './queue/kinds.ts'
import {
  checkMessage,
  checkTopicName,
  noBytes,
  serializationError,
  serialize,
  withHeaders,
  type AnyMessage,
} from './queue/message.ts'
import { refusal } from './report/report.ts'
import { ReportCollector, SendTicket } from './report/tickets.ts'

/** Null if the application passes bytes. */
export interface Serializers {
  readonly key: Serializer<unknown> | null
  readonly value: Serializer<unknown> | null
}

type Data = Bytes | null | undefined

export class Intake {
  readonly #pipeline: Pipeline
  readonly #lifecycle: Lifecycle
  readonly #key: Serializer<unknown> | null
  readonly #value: Serializer<unknown> | null
  readonly #adaptive: boolean

  /** @param adaptive - `ottla.linger.adaptive` */
  constructor(pipeline: Pipeline, lifecycle: Lifecycle, serializers: Serializers, adaptive: boolean) {
    this.#pipeline = pipeline
    this.#lifecycle = lifecycle
    this.#key = serializers.key
    this.#value = serializers.value
    this.#adaptive = adaptive
  }

  /** See `Producer.produce`. */
  produce(message: AnyMessage, sink: ReportSink): void {
    this.#check()
    checkMessage(message)
    this.#enqueue(message, sink)
  }

  /** As `produce`, for a message whose shape has been checked. */
  protected produceChecked(message: AnyMessage, sink: ReportSink): void {
    this.#check()
    this.#enqueue(message, sink)
  }

  #enqueue(message: AnyMessage, sink: ReportSink): void {
    if (this.#key === null && this.#value === null) {
      // Without serializers the application passes bytes; `put` checks that it does.
      this.#pipeline.put(message, message.key as Data, message.value as Data, sink)
      return
    }
    checkTopicName(message.topic)
    // A serializer may have returned a promise, which `put` refuses.
    const headers = headerList(message.topic, message.headers)
    const given = headers.length
    const key = this.#serialized(message, 'key', headers) as Data
    const value = this.#serialized(message, 'value', headers) as Data
    this.#pipeline.put(withHeaders(message, headers, given), key, value, sink)
  }

  /** See `Producer.send`. Creates no promise for a message except the one returned. */
  send(message: AnyMessage, signal: AbortSignal | undefined): Promise<DeliveryReport> {
    if (signal?.aborted === true) return Promise.reject(abortReason(signal))
    const ticket = new SendTicket()
    try {
      const entered = this.enter(message, ticket, signal)
      if (entered !== null) return afterwards(entered, ticket)
    } catch (error) {
      const refused = error instanceof Error ? error : invalidArgument(String(error))
      return this.#lifecycle.isOpen ? Promise.reject(refused) : rejectLater(refused)
    }
    return ticket.promise
  }

  /** See `Producer.sendBatch`. */
  async sendBatch(messages: Iterable<AnyMessage>): Promise<DeliveryReport[]> {
    const given: unknown = messages
    if (typeof given !== 'object' || given === null || !(Symbol.iterator in given)) {
      throw invalidArgument(`sendBatch takes a list of messages, each with its topic, not ${kindOf(given)}`)
    }
    const collector = new ReportCollector()
    for (const message of messages) {
      const ticket = collector.next()
      try {
        const entered = this.enter(message, ticket, undefined)
        if (entered !== null) await entered
      } catch (error) {
        ticket.settle(refusal(message, error instanceof KafkaError ? error : invalidArgument(String(error))))
      }
    }
    return collector.all()
  }

  /** Waits for room and enqueues; for `writable()`. */
  async accept(message: AnyMessage, sink: ReportSink): Promise<void> {
    await this.enter(message, sink, undefined)
  }

  /** Accepts a message, waiting for room; null if no wait was needed. */
  protected enter(message: AnyMessage, sink: ReportSink, signal: AbortSignal | undefined): Promise<void> | null {
    this.#check()
    checkMessage(message)
    if (this.#key === null && this.#value === null) {
      return this.#putWhenRoom(message, message.key as Data, message.value as Data, sink, signal) // as in produce
    }
    checkTopicName(message.topic)
    const headers = headerList(message.topic, message.headers)
    const given = headers.length
    const key = this.#serialized(message, 'key', headers)
    const value = this.#serialized(message, 'value', headers)
    // Anything else is checked by `put`.
    if (!isPromise(key) && !isPromise(value))
      return this.#putWhenRoom(withHeaders(message, headers, given), key as Data, value as Data, sink, signal)
    return this.#putSerialized(message, key, value, () => withHeaders(message, headers, given), sink, signal)
  }

  async #putSerialized(
    message: AnyMessage,
    pendingKey: unknown,
    pendingValue: unknown,
    complete: () => AnyMessage,
    sink: ReportSink,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { topic } = message
    const { accumulator } = this.#pipeline
    let entered: Promise<void> | null
    accumulator.beginPending()
    try {
      const [key, value] = await Promise.all([
        settled(pendingKey, error => serializationError(error, topic, 'key')),
        settled(pendingValue, error => serializationError(error, topic, 'value')),
      ])
      if (key === undefined && pendingKey !== key) throw noBytes(topic, 'key')
      if (value === undefined && pendingValue !== value) throw noBytes(topic, 'value')
      if (signal?.aborted === true) throw abortReason(signal)
      if (!this.#lifecycle.acceptsPending) throw this.#lifecycle.refusal()
      // As in enter.
      entered = this.#putWhenRoom(complete(), key as Data, value as Data, sink, signal)
    } finally {
      // Counted as accepted, or as waiting for room, by now.
      accumulator.endPending()
    }
    await entered
  }

  #putWhenRoom(
    message: AnyMessage,
    key: Data,
    value: Data,
    sink: ReportSink,
    signal: AbortSignal | undefined,
  ): Promise<void> | null {
    if (this.#pipeline.accumulator.hasWaiters) return this.#wait(message, key, value, sink, signal)
    try {
      this.#put(message, key, value, sink)
      return null
    } catch (error) {
      if (!(error instanceof KafkaError) || error.code !== ErrorCode.ERR__QUEUE_FULL) throw error
      return this.#wait(message, key, value, sink, signal)
    }
  }

  // A function of its own: one with a closure pays for it at every call.
  #wait(message: AnyMessage, key: Data, value: Data, sink: ReportSink, signal: AbortSignal | undefined): Promise<void> {
    const bytes = this.#pipeline.sizeOf(message, key ?? null, value ?? null)
    return this.#pipeline.accumulator.waitForRoom(bytes, () => this.#put(message, key, value, sink), signal)
  }

  #put(message: AnyMessage, key: Data, value: Data, sink: ReportSink): void {
    const queue = this.#pipeline.put(message, key, value, sink)
    if (this.#adaptive) this.#pipeline.sender.eager(queue)
  }

  #serialized(message: AnyMessage, field: 'key' | 'value', headers: Header[]): unknown {
    const data = message[field]
    const serializer = field === 'key' ? this.#key : this.#value
    return serializer === null || data === null || data === undefined
      ? data
      : serialize(serializer, data, message, field, headers)
  }

  #check(): void {
    if (!this.#lifecycle.isOpen) throw this.#lifecycle.refusal()
  }
}

function afterwards(entered: Promise<void>, ticket: SendTicket): Promise<DeliveryReport> {
  return entered.then(() => ticket.promise)
}

function isPromise(data: unknown): data is PromiseLike<unknown> {
  return typeof data === 'object' && data !== null && typeof (data as { then?: unknown }).then === 'function'
}

async function settled(data: unknown, onError: (error: unknown) => Error): Promise<unknown> {
  try {
    return await data
  } catch (error) {
    throw onError(error)
  }
}
