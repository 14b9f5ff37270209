/** Which intake a producer's messages take: a plain one, unless somebody wants to see each message. */
import type { ChannelClient } from '../observe/channel-payloads.ts'
import { channels } from '../observe/channels.ts'
import { Carriers } from './carriers.ts'
import { Intake } from './intake.ts'
import type { Settled } from './report/report.ts'
import { ChainedHooks, HookedIntake, type SendHooks } from './send-hooks.ts'
import { SendTraces } from './send-traces.ts'

export class Intakes {
  readonly #client: ChannelClient
  readonly #interceptors: SendHooks | null
  readonly #carriers: Carriers
  readonly #traces: SendTraces
  readonly #plain: Intake
  readonly #carried: Intake
  readonly #traced: Intake
  #hasAsked = false

  /** @param interceptors the application's; null without any */
  constructor(client: ChannelClient, interceptors: SendHooks | null, ...args: ConstructorParameters<typeof Intake>) {
    const carriers = new Carriers(client)
    const traces = new SendTraces(client)
    this.#client = client
    this.#interceptors = interceptors
    this.#carriers = carriers
    this.#traces = traces
    const first = interceptors === null ? [] : [interceptors]
    this.#plain = intakeWith(first, args)
    this.#carried = intakeWith([...first, carriers], args)
    // Last, so that what it follows is what is sent.
    this.#traced = intakeWith([...first, carriers, traces], args)
  }

  /** The intake for what is sent now. */
  get current(): Intake {
    if (channels.carry.hasSubscribers) {
      if (!this.#hasAsked) this.#carriers.ask()
      this.#hasAsked = true
      return channels.send.hasSubscribers ? this.#traced : this.#carried
    }
    if (this.#hasAsked) this.#forget()
    return channels.send.hasSubscribers ? this.#traced : this.#plain
  }

  /** The intake for what is sent from now on: a batch begins. */
  next(): Intake {
    this.#hasAsked = false
    return this.current
  }

  #forget(): void {
    this.#carriers.forget()
    this.#hasAsked = false
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

function intakeWith(hooks: readonly SendHooks[], args: ConstructorParameters<typeof Intake>): Intake {
  const [first, ...others] = hooks
  if (first === undefined) return new Intake(...args)
  return new HookedIntake(
    others.reduce((chain, each) => new ChainedHooks(chain, each), first),
    ...args,
  )
}
