import { Ring } from '../../base/ring.ts'
import type { PartitionQueue } from '../queue/partition-queue.ts'

/** What is to be sent to one broker. */
export class Outbox {
  readonly brokerId: number
  /** Queues whose head may leave, in the order in which they became ready. */
  readonly #ready = new Ring<PartitionQueue>()
  /** Queues with a message that does not wait for company unless a request is under way. */
  #eager: PartitionQueue[] = []
  /** Requests under way. */
  inFlight = 0
  /**
   * Whether the broker has answered since the last trouble with its connection. Until then one request at a time is
   * enough: more of them would only be smaller batches that wait for the same connection.
   */
  isProven = false

  constructor(brokerId: number) {
    this.brokerId = brokerId
  }

  get readyCount(): number {
    return this.#ready.length
  }

  /** Puts a queue in; one that stood in another broker's outbox is there in name only from then on. */
  list(queue: PartitionQueue): void {
    if (queue.listedIn === this.brokerId) return
    queue.listedIn = this.brokerId
    this.#ready.push(queue)
  }

  /** Puts a queue back to the front. */
  relist(queue: PartitionQueue): void {
    queue.listedIn = this.brokerId
    this.#ready.unshift(queue)
  }

  /** The first queue, or null when it has moved to another outbox meanwhile. */
  next(): PartitionQueue | null {
    const queue = this.#ready.shift()
    if (queue === undefined || queue.listedIn !== this.brokerId) return null
    queue.listedIn = -1
    return queue
  }

  /** Puts a queue in, unless it is in. */
  addEager(queue: PartitionQueue): void {
    if (queue.eagerIn === this.brokerId) return
    queue.eagerIn = this.brokerId
    this.#eager.push(queue)
  }

  takeEager(): readonly PartitionQueue[] {
    const eager = this.#eager
    if (eager.length === 0) return eager
    this.#eager = []
    for (const queue of eager) queue.eagerIn = -1
    return eager
  }
}
