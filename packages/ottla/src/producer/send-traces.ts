/** Single messages on the channel `ottla:send`: from `produce` or `send` to the delivery report. */
import type { ChannelClient, SendPayload } from '../observe/channel-payloads.ts'
import { channels } from '../observe/channels.ts'
import { copyWith, type AnyMessage } from './queue/message.ts'
import { makeReport, type Settled } from './report/report.ts'
import type { SendHooks } from './send-hooks.ts'

export class SendTraces implements SendHooks {
  readonly #client: ChannelClient
  readonly #open = new Map<AnyMessage, SendPayload>()

  constructor(client: ChannelClient) {
    this.#client = client
  }

  onSend(message: AnyMessage): AnyMessage {
    const payload: SendPayload = { client: this.#client, message }
    channels.send.begin(payload)
    if (!channels.send.hasOutcomeSubscribers) return payload.message
    // One object for each call: a program may send the same one again while it is in flight.
    const own = copyWith(payload.message, payload.message.headers)
    this.#open.set(own, payload)
    return own
  }

  refused(message: AnyMessage, error: unknown): void {
    const payload = this.#open.get(message)
    if (payload === undefined) return
    this.#open.delete(message)
    channels.send.fail(payload, error)
  }

  settled(settled: Settled): void {
    if (this.#open.size === 0) return
    const { messages } = settled.entries
    for (let i = settled.from; i < settled.end; i++) {
      const message = messages[i]
      const payload = message === undefined ? undefined : this.#open.get(message)
      if (message === undefined || payload === undefined) continue
      this.#open.delete(message)
      const report = makeReport(settled, i)
      payload.result = report
      if (report.error === undefined) channels.send.succeed(payload, report)
      else channels.send.fail(payload, report.error)
    }
  }
}
