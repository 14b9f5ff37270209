/** Events that wait for the application, and the wake-up of the reader that waits for events or messages. */
import { onAbort } from '../../base/abort.ts'
import { abortReason, type Clock } from '../../base/clock.ts'
import { Ring } from '../../base/ring.ts'
import type { KafkaError } from '../../errors.ts'
import type { ConsumerEvent, Event, StatsEvent } from '../../types.ts'

export type AnyEvent = ConsumerEvent<unknown, unknown>

// Without a limit they would pile up when the application reads only batches or iterators.
const MOST_EVENTS = 1000

export class Mailbox {
  readonly #clock: Clock
  readonly #events = new Ring<AnyEvent>()
  readonly #waitingErrors = new Set<string>()
  // Only the newest statistics wait: they are large, and old ones are of no use.
  #stats: StatsEvent | null = null
  #wake: (() => void) | null = null
  /** The last error from which the consumer does not recover. */
  fatal: KafkaError | null = null
  /** Something comes before the next message: an event, a rebalance or the end. */
  attention = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get isEmpty(): boolean {
    return this.#events.length === 0
  }

  /** How many events wait. */
  get length(): number {
    return this.#events.length
  }

  /** As post; ignores events that `poll` does not deliver, and those of other clients. */
  onEvent(event: Event): void {
    if (event.type === 'log' || event.type === 'request' || event.type === 'gap') return
    if (event.type !== 'delivery' && event.type !== 'acknowledged') this.post(event)
  }

  post(event: AnyEvent): void {
    if (event.type === 'error' && event.error.isFatal) this.fatal = event.error
    if (event.type === 'error' && this.#isWaiting(event.error)) return
    if (event.type === 'stats') {
      if (this.#stats !== null) {
        Object.assign(this.#stats, event)
        return
      }
      event = this.#stats = { ...event }
    }
    if (this.#events.length >= MOST_EVENTS) this.take()
    this.#events.push(event)
    this.interrupt()
  }

  take(): AnyEvent | undefined {
    const event = this.#events.shift()
    if (event?.type === 'error') this.#waitingErrors.delete(keyOf(event.error))
    if (event?.type === 'stats') this.#stats = null
    return event
  }

  /** Interrupts the reader before it takes the next message, and wakes it if it waits. */
  interrupt(): void {
    this.attention = true
    this.wake()
  }

  wake(): void {
    this.#wake?.()
  }

  /**
   * Resolves at a wake-up or after `ms` (Infinity: never); rejects with the signal's reason.
   * @param onEnd called first, however it ends
   */
  wait(ms: number, signal: AbortSignal | undefined, onEnd?: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        onEnd?.()
        reject(abortReason(signal))
        return
      }
      const settle = (): void => {
        this.#wake = null
        timer?.cancel()
        stopListening()
        onEnd?.()
      }
      const stopListening = onAbort(signal, () => {
        settle()
        if (signal !== undefined) reject(abortReason(signal))
      })
      this.#wake = () => {
        settle()
        resolve()
      }
      const timer = ms === Infinity ? null : this.#clock.setTimer(ms, () => this.#wake?.())
    })
  }

  // An error that is found again before the application has seen it is one event.
  #isWaiting(error: KafkaError): boolean {
    const key = keyOf(error)
    if (this.#waitingErrors.has(key)) return true
    this.#waitingErrors.add(key)
    return false
  }
}

function keyOf(error: KafkaError): string {
  return `${error.code} ${error.message}`
}
