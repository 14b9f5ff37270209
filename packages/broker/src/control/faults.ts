/** Errors, delays and broken responses on command. */
import { ErrorCode } from '@ottla/protocol'

/**
 * What goes wrong with one request.
 * @since 0.1.0
 */
export interface Fault {
  /** Error code of the response; ERR__TRANSPORT cuts the connection instead. ERR_NO_ERROR by default. */
  readonly code?: number
  /** Delay of the response, ms. */
  readonly rttMs?: number
  /**
   * Whether the request is carried out all the same, as when only its response is lost. True by default, unless there
   * is a `code`.
   */
  readonly carriedOut?: boolean
  /** Cuts the connection after so many bytes of the response. */
  readonly cutAfterBytes?: number
  /** Neither this request nor any later one of the connection is answered; the connection stays open. */
  readonly silent?: boolean
  /** Throttle time in the response, ms. */
  readonly throttleMs?: number
}

/**
 * A fault, or just its error code.
 * @since 0.1.0
 */
export type FaultInput = number | Fault

export class Faults {
  readonly #byApi = new Map<string, Fault[]>()
  readonly #byPartition = new Map<string, number[]>()
  readonly #rtt = new Map<number, number>()
  readonly #throttle = new Map<number, number>()

  /** @param brokerId null for the next broker that is asked */
  failNext(brokerId: number | null, apiKey: number, errors: readonly FaultInput[]): void {
    const key = faultKey(brokerId, apiKey)
    const queue = this.#byApi.get(key) ?? []
    for (const error of errors) queue.push(typeof error === 'number' ? { code: error } : error)
    this.#byApi.set(key, queue)
  }

  /** The next requests that name the partition get these errors for it, one each. */
  failPartition(topic: string, partition: number, apiKey: number, codes: readonly number[]): void {
    const key = partitionKey(topic, partition, apiKey)
    this.#byPartition.set(key, [...(this.#byPartition.get(key) ?? []), ...codes])
  }

  clear(): void {
    this.#byApi.clear()
    this.#byPartition.clear()
    this.#throttle.clear()
  }

  /** Uses up the fault of the next request of this kind, if any; the broker's own come before those for any broker. */
  take(brokerId: number, apiKey: number): Fault | undefined {
    return this.#byApi.get(faultKey(brokerId, apiKey))?.shift() ?? this.#byApi.get(faultKey(null, apiKey))?.shift()
  }

  /** Uses up the partition's next error code; 0 if there is none. */
  takePartition(topic: string, partition: number, apiKey: number): number {
    if (this.#byPartition.size === 0) return ErrorCode.ERR_NO_ERROR
    return this.#byPartition.get(partitionKey(topic, partition, apiKey))?.shift() ?? ErrorCode.ERR_NO_ERROR
  }

  /** @param brokerId -1 for all brokers */
  setRoundTripTime(brokerId: number, ms: number): void {
    setFor(this.#rtt, brokerId, ms)
  }

  delayOf(brokerId: number): number {
    return this.#rtt.get(brokerId) ?? this.#rtt.get(-1) ?? 0
  }

  /** @param brokerId -1 for all brokers */
  setThrottle(brokerId: number, ms: number): void {
    setFor(this.#throttle, brokerId, ms)
  }

  throttleOf(brokerId: number): number {
    return this.#throttle.get(brokerId) ?? this.#throttle.get(-1) ?? 0
  }
}

function setFor(table: Map<number, number>, brokerId: number, ms: number): void {
  if (brokerId < 0) table.clear()
  table.set(brokerId, ms)
}

function faultKey(brokerId: number | null, apiKey: number): string {
  return `${brokerId ?? '*'}/${apiKey}`
}

function partitionKey(topic: string, partition: number, apiKey: number): string {
  return `${topic}/${partition}/${apiKey}`
}
