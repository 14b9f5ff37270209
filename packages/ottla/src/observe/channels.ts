/**
 * Tracing channels of `node:diagnostics_channel`: what the client does, for whoever subscribes. While nobody does,
 * nothing is built: callers ask `hasSubscribers` first, once per batch or request.
 */
import { channel, type Channel as NodeChannel } from 'node:diagnostics_channel'
import type { ChannelPayload, ChannelPayloads } from './channel-payloads.ts'

/**
 * The version of the contract: grows when a channel or a field of a payload goes away or changes its meaning.
 * @since 0.1.0
 */
export const CHANNELS_VERSION = 1

/**
 * One tracing channel: `start` when an operation begins, `end` when its synchronous part is over, `error` if it fails,
 * `asyncStart` and `asyncEnd` when its outcome is there. `asyncEnd` comes exactly once for each `start`, except on
 * channels without an asynchronous part. The names are those of `diagnostics_channel.tracingChannel(name)`.
 */
export class TracingChannel<P extends ChannelPayload> {
  // Held here: the registry keeps a channel only while somebody refers to it.
  readonly #start: NodeChannel
  readonly #end: NodeChannel
  readonly #asyncStart: NodeChannel
  readonly #asyncEnd: NodeChannel
  readonly #error: NodeChannel

  constructor(name: string) {
    this.#start = channel(`tracing:${name}:start`)
    this.#end = channel(`tracing:${name}:end`)
    this.#asyncStart = channel(`tracing:${name}:asyncStart`)
    this.#asyncEnd = channel(`tracing:${name}:asyncEnd`)
    this.#error = channel(`tracing:${name}:error`)
  }

  /** Whether anybody would see anything. Bun's own tracing channels cannot tell. */
  get hasSubscribers(): boolean {
    return (
      this.#start.hasSubscribers ||
      this.#asyncEnd.hasSubscribers ||
      this.#error.hasSubscribers ||
      this.#end.hasSubscribers ||
      this.#asyncStart.hasSubscribers
    )
  }

  /** Whether anybody would see how an operation ends. */
  get hasOutcomeSubscribers(): boolean {
    return this.#asyncEnd.hasSubscribers || this.#error.hasSubscribers || this.#asyncStart.hasSubscribers
  }

  /** An operation begins that `succeed` or `fail` ends later, outside of the application's code. */
  begin(payload: P): P {
    this.#start.publish(payload)
    if (this.#end.hasSubscribers) this.#end.publish(payload)
    return payload
  }

  succeed(payload: P, result: P['result']): void {
    payload.result = result
    this.#settled(payload)
  }

  fail(payload: P, error: unknown): void {
    this.noteError(payload, error)
    this.#settled(payload)
  }

  /** The operation has failed in a way that it recovers from by itself: its end follows. */
  noteError(payload: P, error: unknown): void {
    payload.error = error
    this.#error.publish(payload)
  }

  /** Publishes around work that is done when it returns. */
  traceSync(payload: P, work: () => void): void {
    try {
      this.#begun(payload, work)
    } finally {
      this.#end.publish(payload)
    }
  }

  /**
   * Publishes around `work`, and settles as it does; `work` itself sets `payload.result`, if there is one. Async functions
   * only, so that the stack tells who waits for whom.
   */
  async trace<T>(payload: P, work: () => T | PromiseLike<T>): Promise<T> {
    return await this.traceWork(payload, work)
  }

  /** As `trace`; work that is done when it returns is settled then, without a promise. */
  traceWork<T>(payload: P, work: () => T | PromiseLike<T>): T | Promise<T> {
    let outcome: T | PromiseLike<T>
    try {
      try {
        outcome = this.#begun(payload, work)
      } finally {
        this.#end.publish(payload)
      }
    } catch (error) {
      this.fail(payload, error)
      throw error
    }
    if (isThenable(outcome)) return this.#outcome(payload, outcome)
    this.#settled(payload)
    return outcome
  }

  async #outcome<T>(payload: P, pending: PromiseLike<T>): Promise<T> {
    let outcome: T
    try {
      outcome = await pending
    } catch (error) {
      this.fail(payload, error)
      throw error
    }
    this.#settled(payload)
    return outcome
  }

  /** Calls `work` with the stores that are bound to `start`. */
  #begun<T>(payload: P, work: () => T): T {
    if (typeof this.#start.runStores === 'function') return this.#start.runStores(payload, work)
    this.#start.publish(payload)
    return work()
  }

  #settled(payload: P): void {
    this.#asyncStart.publish(payload)
    this.#asyncEnd.publish(payload)
  }
}

function isThenable<T>(outcome: T | PromiseLike<T>): outcome is PromiseLike<T> {
  return typeof outcome === 'object' && outcome !== null && 'then' in outcome && typeof outcome.then === 'function'
}

function tracing<N extends keyof ChannelPayloads>(name: N): TracingChannel<ChannelPayloads[N]> {
  return new TracingChannel(name)
}

/** All channels; each name is that of its payload's documentation. */
export const channels = {
  connect: tracing('ottla:connect'),
  authenticate: tracing('ottla:authenticate'),
  request: tracing('ottla:request'),
  carry: tracing('ottla:carry'),
  send: tracing('ottla:send'),
  produce: tracing('ottla:produce'),
  delivery: tracing('ottla:delivery'),
  fetch: tracing('ottla:fetch'),
  process: tracing('ottla:process'),
  rebalance: tracing('ottla:rebalance'),
  commit: tracing('ottla:commit'),
  transaction: tracing('ottla:transaction'),
  admin: tracing('ottla:admin'),
} as const
