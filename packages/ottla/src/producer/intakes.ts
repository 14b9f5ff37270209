/** Which intake a producer's messages take: a plain one, unless somebody wants to see each message. */
import type { ChannelClient } from '../observe/channel-payloads.ts'
import { channels } from '../observe/channels.ts'
import { Intake } from './intake.ts'
import type { Settled } from './report/report.ts'
import { ChainedHooks, HookedIntake, type SendHooks } from './send-hooks.ts'
import { SendTraces } from './send-traces.ts'

export class Intakes {
  readonly #client: ChannelClient
  readonly #interceptors: SendHooks | null
  readonly #traces: SendTraces
  readonly #plain: Intake
  readonly #traced: Intake

  /** @param interceptors the application's; null without any */
  constructor(client: ChannelClient, interceptors: SendHooks | null, ...args: ConstructorParameters<typeof Intake>) {
    const traces = new SendTraces(client)
    this.#client = client
    this.#interceptors = interceptors
    this.#traces = traces
    this.#plain = interceptors === null ? new Intake(...args) : new HookedIntake(interceptors, ...args)
    // Last, so that what it follows is what is sent.
    this.#traced = new HookedIntake(interceptors === null ? traces : new ChainedHooks(interceptors, traces), ...args)
  }

  /** The intake for what is sent now. */
  get current(): Intake {
    return channels.send.hasSubscribers ? this.#traced : this.#plain
  }

  /** Messages have an outcome; their reports follow. */
  settled(settled: Settled): void {
    this.#interceptors?.settled(settled)
    this.#traces.settled(settled)
    if (channels.delivery.hasSubscribers) this.#publish(settled)
  }

  #publish({ topic, partition, entries, from, end, settledAt, outcome }: Settled): void {
    const { status, error } = outcome
    const messageCount = end - from
    const latencyMs = settledAt - entries.firstAt
    const payload = { client: this.#client, topic, partition, messageCount, status, latencyMs }
    channels.delivery.begin(payload)
    if (error !== null) channels.delivery.noteError(payload, error)
  }
}
