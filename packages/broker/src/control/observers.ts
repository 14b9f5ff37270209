/** Functions that observe the requests of a cluster and may answer them in its place. */

/**
 * A request that a client sent.
 * @since 0.1.0
 */
export interface TrackedRequest {
  readonly apiKey: number
  readonly apiName: string
  readonly apiVersion: number
  readonly brokerId: number
  readonly clientId: string
  /** Who sent it: `User:alice`. */
  readonly principal: string
  /** ms since the epoch. */
  readonly timestamp: number
  /** The decoded request, with Kafka's field names in camel case: `{ topicData: [{ name, partitionData }] }`. */
  readonly body: unknown
}

/**
 * Sees a request before it is carried out. What it returns is sent as the response (a body with the field names of
 * Kafka's messages in camel case). With undefined, the request goes to the next function or the cluster; with null it
 * gets no response. It may return a promise, which the response waits for.
 * @since 0.1.0
 */
export type Control = (request: TrackedRequest) => unknown

export class Observers {
  readonly #controls = new Set<Control>()
  #tracked: TrackedRequest[] | null = null

  /** Whether there are any: tracking counts as one. */
  get isActive(): boolean {
    return this.#tracked !== null || this.#controls.size > 0
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

  /** @returns a function that removes it */
  add(control: Control): () => void {
    // The same function may be added twice.
    const own: Control = request => control(request)
    this.#controls.add(own)
    return () => void this.#controls.delete(own)
  }

  /** The response of the first function that has one, or undefined. */
  async observe(request: TrackedRequest): Promise<unknown> {
    this.#tracked?.push(request)
    for (const control of this.#controls) {
      const answer: unknown = await control(request)
      if (answer !== undefined) return answer
    }
    return undefined
  }
}
