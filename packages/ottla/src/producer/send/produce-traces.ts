/** Batches on the channel `ottla:produce`, each time that they are sent. */
import type { ChannelClient, ProducePayload } from '../../observe/channel-payloads.ts'
import { channels } from '../../observe/channels.ts'
import type { Settlement } from './answers.ts'
import type { Shipment } from './produce-request.ts'

export class ProduceTraces {
  readonly #client: ChannelClient
  readonly #open = new Map<Shipment, ProducePayload>()

  constructor(client: ChannelClient) {
    this.#client = client
  }

  /** The batches of a request are about to be sent. Call it only if somebody subscribes. @param now monotonic ms */
  begin(brokerId: number, shipments: readonly Shipment[], now: number): void {
    for (const shipment of shipments) {
      const { queue, batch, records } = shipment
      const payload: ProducePayload = {
        client: this.#client,
        topic: queue.topic.name,
        partition: queue.partition,
        brokerId,
        messageCount: batch.count,
        sizeBytes: records.length,
        queuedMs: now - batch.firstAt,
        attempt: batch.failures + 1,
        messages: batch.entries.messages,
      }
      this.#open.set(shipment, channels.produce.begin(payload))
    }
  }

  /** The request has ended: those that are not done are sent again, unless they have been reported meanwhile. */
  ended(shipments: readonly Shipment[], done: readonly Settlement[]): void {
    if (this.#open.size === 0) return
    for (const shipment of shipments) {
      const payload = this.#open.get(shipment)
      if (payload === undefined) continue
      this.#open.delete(shipment)
      const { batch } = shipment
      const outcome = done.find(each => each.shipment === shipment)?.outcome
      const unsettled = batch.isSettled ? batch.unpersisted : 'retried'
      payload.result = { status: outcome?.status ?? unsettled, baseOffset: outcome?.baseOffset ?? -1 }
      const error = outcome === undefined ? batch.lastError : outcome.error
      if (error === null) channels.produce.succeed(payload, payload.result)
      else channels.produce.fail(payload, error)
    }
  }
}
