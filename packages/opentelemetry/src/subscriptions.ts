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
    // On the payload, which is the operation's own object, for as long as it takes.
    const key = Symbol(name)
    type Followed = ChannelPayloads[N] & { [key]?: T | undefined }
    this.on(name, 'start', (payload: Followed) => {
      payload[key] = open(payload)
    })
    this.on(name, 'asyncEnd', (payload: Followed) => {
      const opened = payload[key]
      if (opened === undefined) return
      payload[key] = undefined
      close(payload, opened)
    })
  }

  end(): void {
    for (const end of this.#ends.splice(0)) end()
  }
}
