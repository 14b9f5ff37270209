import { Ring } from '../../base/ring.ts'
import type { PartitionQueue } from '../queue/partition-queue.ts'

/** The queues with something to send to one broker. */
export class Outbox {
  readonly brokerId: number
  /** Queues whose head can be sent, in the order in which they became ready. */
  readonly #ready = new Ring<PartitionQueue>()
  /** Queues with a message that does not linger unless a request is in flight. */
  #eager: PartitionQueue[] = []
  /** Requests in flight. */
  inFlight = 0
  /**
   * Whether the broker has answered since its last connection failure. Until then, one request at a time is enough:
   * more would only mean smaller batches waiting for the same connection.
   */
  isProven = false

  constructor(brokerId: number) {
    this.brokerId = brokerId
  }

  get readyCount(): number {
    return this.#ready.length
  }

  /** Adds a queue, which moves it from another broker's outbox. */
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

  /** The first queue, or null if it has moved to another outbox meanwhile. */
  next(): PartitionQueue | null {
    const queue = this.#ready.shift()
    if (queue === undefined || queue.listedIn !== this.brokerId) return null
    queue.listedIn = -1
    return queue
  }

  /** Adds an eager queue, unless it is listed already. */
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
