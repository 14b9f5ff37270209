/** Instrumentation events: a client's `on` and what it calls. */
import { KafkaJSNonRetriableError } from '../errors.ts'
import type { InstrumentationEvent } from '../types/events.ts'
import type { Logger } from '../types/logging.ts'

/** A listener for some event, whatever its payload. */
export type Listener = (event: InstrumentationEvent<never>) => unknown

let events = 0

export class InstrumentationEmitter<Events extends Readonly<Record<string, string>>> {
  readonly #client: string
  readonly #events: Events
  readonly #logger: Logger
  readonly #listeners = new Map<string, Set<Listener>>()

  /** @param client as it is called in errors: `producer` */
  constructor(client: string, names: Events, logger: Logger) {
    this.#client = client
    this.#events = names
    this.#logger = logger
  }

  /**
   * Calls the listener with each event of this name; what it throws, or rejects with, is logged.
   * @returns removes the listener
   * @throws KafkaJSNonRetriableError for a name that the client does not have
   */
  on(eventName: string, listener: Listener): () => void {
    if (!Object.values(this.#events).includes(eventName)) {
      const names = Object.keys(this.#events).map(key => `${this.#client}.events.${key}`)
      throw new KafkaJSNonRetriableError(`Event name should be one of ${names.join(', ')}`)
    }
    // The same function may be registered twice, and is then called twice.
    const call: Listener = event => listener(event)
    const listeners = this.#listeners.get(eventName) ?? new Set()
    this.#listeners.set(eventName, listeners.add(call))
    return () => void listeners.delete(call)
  }

  /** Whether anybody wants events of this name. */
  isHeard(name: keyof Events): boolean {
    return (this.#listeners.get(this.#events[name] as string)?.size ?? 0) > 0 // the name is one of them
  }

  /** @param payload made only if there is a listener */
  emit(name: keyof Events, payload: () => unknown): void {
    const type = this.#events[name] as string // as above
    const listeners = this.#listeners.get(type)
    if (listeners === undefined || listeners.size === 0) return
    // Declared as a string, and a number: both are kafkajs's.
    const id = events++ as unknown as string
    const event = { id, type, timestamp: Date.now(), payload: payload() as never }
    for (const listener of [...listeners]) void this.#call(type, listener, event)
  }

  async #call(eventName: string, listener: Listener, event: InstrumentationEvent<never>): Promise<void> {
    try {
      await listener(event)
    } catch (error) {
      const { message, stack } = error instanceof Error ? error : new Error(String(error))
      this.#logger.error(`Failed to execute listener: ${message}`, { eventName, stack })
    }
  }
}
