import { bound } from '../base/bound.ts'
import type { Event } from '../types.ts'

/** Most events kept for a slow reader of `events()`; beyond it the oldest are dropped. */
export const STREAM_LIMIT = 10_000

type EventType = Event['type']
type EventOf<T extends EventType> = Extract<Event, { type: T }>
type AnyListener = (event: Event) => void

/** Reports what a listener threw. */
type OnListenerError = (type: EventType, error: unknown) => void

/**
 * Emits events to typed listeners and to any number of streams. A listener that throws is reported;
 * the others still get the event.
 */
export class EventHub {
  // From each listener as given to the function that is called for it.
  readonly #listeners = new Map<EventType, Map<AnyListener, AnyListener>>()
  readonly #taps = new Set<AnyListener>()
  readonly #streams = new Set<EventStream>()
  readonly #onRead = new Set<() => void>()
  readonly #onListenerError: OnListenerError
  #closed = false

  constructor(onListenerError: OnListenerError) {
    this.#onListenerError = onListenerError
  }

  /** Adds a listener, to be called in the asynchronous context of this call. */
  on<T extends EventType>(type: T, listener: (event: EventOf<T>) => void): void {
    let map = this.#listeners.get(type)
    if (map === undefined) this.#listeners.set(type, (map = new Map<AnyListener, AnyListener>()))
    // A listener is only ever called with events of the type it was registered for.
    const known = listener as AnyListener
    if (!map.has(known)) map.set(known, bound(known))
  }

  off<T extends EventType>(type: T, listener: (event: EventOf<T>) => void): void {
    this.#listeners.get(type)?.delete(listener as AnyListener)
  }

  /**
   * Calls `callback` for every event from now on, until the returned function is called. Does not count as a listener
   * in `emit`.
   */
  subscribe(callback: (event: Event) => void): () => void {
    this.#taps.add(callback)
    return () => void this.#taps.delete(callback)
  }

  /** Whether an event of this type would reach anybody; if not, a costly one need not be made. */
  hasListener(type: EventType): boolean {
    return this.#taps.size > 0 || this.#streams.size > 0 || (this.#listeners.get(type)?.size ?? 0) > 0
  }

  /** Whether `on` was called for events of this type, which no stream carries. */
  isListenedTo(type: EventType): boolean {
    return (this.#listeners.get(type)?.size ?? 0) > 0
  }

  /** @returns whether it reached a listener or a stream */
  emit(event: Event): boolean {
    let delivered = false
    const listeners = this.#listeners.get(event.type)
    if (listeners !== undefined) {
      for (const listener of listeners.values()) {
        delivered = true
        this.#call(listener, event)
      }
    }
    for (const tap of this.#taps) this.#call(tap, event)
    for (const stream of this.#streams) {
      delivered = true
      stream.push(event)
    }
    return delivered
  }

  /**
   * Every event from now on, in order, until the reader stops or the hub is closed.
   * @param first events that the reader gets before any later one
   * @param accepts the types that the stream carries; all if omitted
   */
  stream(first: readonly Event[] = [], accepts?: ReadonlySet<EventType>): AsyncIterableIterator<Event> {
    const onRead = (): void => {
      for (const listener of this.#onRead) listener()
    }
    const stream = new EventStream(first, accepts, s => this.#streams.delete(s), onRead)
    if (this.#closed) stream.end()
    else this.#streams.add(stream)
    return stream
  }

  /**
   * How many delivery reports wait for a reader of a stream: the one that has read the most counts, as any may be the one
   * that handles them. Nobody waits for a stream that has not been read yet.
   */
  get unreadReports(): number {
    let fewest = Infinity
    for (const stream of this.#streams) if (stream.isRead) fewest = Math.min(fewest, stream.unreadReports)
    return fewest === Infinity ? 0 : fewest
  }

  /** Calls `listener` whenever a stream has been read, or its reader has stopped. @returns a function that ends this */
  onRead(listener: () => void): () => void {
    this.#onRead.add(listener)
    return () => void this.#onRead.delete(listener)
  }

  /** Ends every stream once its queue has been read; later events still reach listeners. */
  close(): void {
    this.#closed = true
    for (const stream of this.#streams) stream.end()
    this.#streams.clear()
  }

  #call(listener: AnyListener, event: Event): void {
    try {
      listener(event)
    } catch (error) {
      this.#onListenerError(event.type, error)
    }
  }
}

class EventStream implements AsyncIterableIterator<Event> {
  #queue: Event[]
  #head = 0
  #waiting: ((result: IteratorResult<Event, undefined>) => void)[] = []
  #ended = false
  readonly #accepts: ReadonlySet<EventType> | undefined
  readonly #onReturn: (stream: EventStream) => void
  readonly #onRead: () => void
  /** Whether anybody has asked for an event. */
  isRead = false
  /** Delivery reports in the queue. */
  unreadReports = 0

  constructor(
    first: readonly Event[],
    accepts: ReadonlySet<EventType> | undefined,
    onReturn: (s: EventStream) => void,
    onRead: () => void,
  ) {
    this.#queue = first.slice()
    this.#accepts = accepts
    this.#onReturn = onReturn
    this.#onRead = onRead
    for (const event of first) if (event.type === 'delivery') this.unreadReports++
  }

  push(event: Event): void {
    if (this.#ended || this.#accepts?.has(event.type) === false) return
    const waiting = this.#waiting.shift()
    if (waiting !== undefined) {
      waiting({ value: event, done: false })
      return
    }
    this.#queue.push(event)
    if (event.type === 'delivery') this.unreadReports++
    if (this.#queue.length - this.#head > STREAM_LIMIT) this.#drop()
  }

  end(): void {
    this.#ended = true
    for (const waiting of this.#waiting) waiting({ value: undefined, done: true })
    this.#waiting = []
  }

  next(): Promise<IteratorResult<Event, undefined>> {
    this.isRead = true
    if (this.#head < this.#queue.length) {
      const value = this.#queue[this.#head] as Event // head is below the length
      this.#drop()
      this.#onRead()
      return Promise.resolve({ value, done: false })
    }
    if (this.#ended) return Promise.resolve({ value: undefined, done: true })
    return new Promise(resolve => this.#waiting.push(resolve))
  }

  return(): Promise<IteratorResult<Event, undefined>> {
    this.#onReturn(this)
    this.#queue = []
    this.#head = 0
    this.unreadReports = 0
    this.end()
    this.#onRead()
    return Promise.resolve({ value: undefined, done: true })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  // Advances the head; the consumed front is cut off now and then, so that a shift costs O(1).
  #drop(): void {
    if (this.#queue[this.#head]?.type === 'delivery') this.unreadReports--
    this.#head++
    if (this.#head < 1024 || this.#head * 2 < this.#queue.length) return
    this.#queue = this.#queue.slice(this.#head)
    this.#head = 0
  }
}
