/** Errors and delays on command. */
import { ErrorCode, errorName } from '@ottla/protocol'

export interface Fault {
  readonly code: number
  /** Delay of the answer, ms. */
  readonly rttMs?: number
}

export type FaultInput = number | Fault

/** What was asked of a broker, for tests to look at. */
export interface TrackedRequest {
  readonly apiKey: number
  readonly apiName: string
  readonly apiVersion: number
  readonly brokerId: number
  readonly clientId: string
  /** ms since the epoch. */
  readonly timestamp: number
}

export class Faults {
  readonly #byApi = new Map<string, Fault[]>()
  readonly #rtt = new Map<number, number>()
  #tracked: TrackedRequest[] | null = null

  /** @param brokerId null: whichever broker is asked next */
  failNext(brokerId: number | null, apiKey: number, errors: readonly FaultInput[]): void {
    const key = faultKey(brokerId, apiKey)
    const queue = this.#byApi.get(key) ?? []
    for (const error of errors) queue.push(typeof error === 'number' ? { code: error } : error)
    this.#byApi.set(key, queue)
  }

  clear(): void {
    this.#byApi.clear()
  }

  /** The fault that the next request of this kind meets, if any; it is used up. One for the broker goes before one for all. */
  take(brokerId: number, apiKey: number): Fault | undefined {
    return this.#byApi.get(faultKey(brokerId, apiKey))?.shift() ?? this.#byApi.get(faultKey(null, apiKey))?.shift()
  }

  /** @param brokerId -1 for all brokers */
  setRoundTripTime(brokerId: number, ms: number): void {
    if (brokerId < 0) this.#rtt.clear()
    this.#rtt.set(brokerId, ms)
  }

  delayOf(brokerId: number): number {
    return this.#rtt.get(brokerId) ?? this.#rtt.get(-1) ?? 0
  }

  startTracking(): void {
    this.#tracked = []
  }

  /** @returns what was tracked */
  stopTracking(): TrackedRequest[] {
    const tracked = this.#tracked ?? []
    this.#tracked = null
    return tracked
  }

  tracked(): readonly TrackedRequest[] {
    return this.#tracked ?? []
  }

  track(request: TrackedRequest): void {
    this.#tracked?.push(request)
  }
}

function faultKey(brokerId: number | null, apiKey: number): string {
  return `${brokerId ?? '*'}/${apiKey}`
}

/** Puts an error code into every place of a response that carries one. */
export function withError(response: unknown, code: number): unknown {
  if (Array.isArray(response)) return response.map((item: unknown) => withError(item, code))
  if (typeof response !== 'object' || response === null || Buffer.isBuffer(response)) return response
  const changed: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(response)) {
    if (/^(\w+E|e)rrorCode$/.test(key)) changed[key] = code
    else if (key === 'errorMessage') changed[key] = errorName(code)
    else if (key === 'records') changed[key] = code === ErrorCode.ERR_NO_ERROR ? value : null
    else changed[key] = withError(value, code)
  }
  return changed
}
