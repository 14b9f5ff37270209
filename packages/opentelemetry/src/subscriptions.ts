/** Subscriptions to ottla's channels that end together. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { ChannelPayloads } from 'ottla'

type Name = keyof ChannelPayloads
type Step = 'start' | 'end' | 'asyncStart' | 'asyncEnd' | 'error'

export class Subscriptions {
  readonly #ends: (() => void)[] = []

  on<N extends Name>(name: N, step: Step, listener: (payload: ChannelPayloads[N]) => void): void {
    const channel = `tracing:${name}:${step}`
    // A channel carries payloads of its name only.
    const heard = (payload: unknown): void => listener(payload as ChannelPayloads[N])
    subscribe(channel, heard)
    this.#ends.push(() => void unsubscribe(channel, heard))
  }

  /** What is in progress, from `start` to `asyncEnd`; `open` may leave an operation out with undefined. */
  follow<N extends Name, T>(
    name: N,
    open: (payload: ChannelPayloads[N]) => T | undefined,
    close: (payload: ChannelPayloads[N], opened: T) => void,
  ): void {
    // Each start has its end, so nothing stays.
    const opened = new Map<ChannelPayloads[N], T>()
    this.on(name, 'start', payload => {
      const each = open(payload)
      if (each !== undefined) opened.set(payload, each)
    })
    this.on(name, 'asyncEnd', payload => {
      const each = opened.get(payload)
      if (each === undefined) return
      opened.delete(payload)
      close(payload, each)
    })
  }

  end(): void {
    for (const end of this.#ends.splice(0)) end()
  }
}
