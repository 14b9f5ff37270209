/** Subscribers of `ottla:carry`: what they add to messages. */
import type { Carry, CarryPayload, ChannelClient } from '../observe/channel-payloads.ts'
import { channels } from '../observe/channels.ts'
import type { AnyMessage } from './queue/message.ts'
import type { SendHooks } from './send-hooks.ts'

export class Carriers implements SendHooks {
  readonly #client: ChannelClient
  #carry: Carry | undefined

  constructor(client: ChannelClient) {
    this.#client = client
  }

  /** Asks the subscribers, until the next batch. */
  ask(): void {
    const payload: CarryPayload = { client: this.#client }
    channels.carry.begin(payload)
    this.#carry = payload.carry
  }

  /** Nobody subscribes any more. */
  forget(): void {
    this.#carry = undefined
  }

  onSend(message: AnyMessage): AnyMessage {
    return this.#carry === undefined ? message : this.#carry(message)
  }

  refused(): void {
    // They need not know.
  }

  settled(): void {
    // Nor this.
  }
}
