/** Who looks at the requests of a cluster, and may answer them in its place. */

/**
 * What was asked of a broker.
 * @since 0.1.0
 */
export interface TrackedRequest {
  readonly apiKey: number
  readonly apiName: string
  readonly apiVersion: number
  readonly brokerId: number
  readonly clientId: string
  /** Who asked: `User:alice`. */
  readonly principal: string
  /** ms since the epoch. */
  readonly timestamp: number
  /** The request, decoded, with the names of Kafka's messages in camel case: `{ topicData: [{ name, partitionData }] }`. */
  readonly body: unknown
}

/**
 * Sees a request before it is carried out. What it returns is sent as the answer (a body with the names of Kafka's
 * messages in camel case); undefined leaves the request to the cluster or the next one, null leaves it without an
 * answer. It may take its time: the answer waits for it.
 * @since 0.1.0
 */
export type Control = (request: TrackedRequest) => unknown

export class Observers {
  readonly #controls = new Set<Control>()
  #tracked: TrackedRequest[] | null = null

  /** Whether anybody looks. */
  get areThere(): boolean {
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

  /** @returns ends it */
  add(control: Control): () => void {
    // The same function may be given twice.
    const own: Control = request => control(request)
    this.#controls.add(own)
    return () => void this.#controls.delete(own)
  }

  /** The answer of the first that has one; undefined if nobody has. */
  async see(request: TrackedRequest): Promise<unknown> {
    this.#tracked?.push(request)
    for (const control of this.#controls) {
      const answer: unknown = await control(request)
      if (answer !== undefined) return answer
    }
    return undefined
  }
}
