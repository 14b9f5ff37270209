/** The brokers of the cluster, including those that are down. */

/** One of a broker's listeners. */
export interface Endpoint {
  /** The listener's name. */
  readonly name: string
  /** The security protocol. */
  readonly protocol: string
  /** Where it listens. */
  readonly host: string
  port: number
  readonly advertisedHost: string
  /** null: the port that it listens on. */
  readonly advertisedPort: number | null
}

export interface BrokerInfo {
  readonly id: number
  /** At least one; every broker has the same listeners in the same order. */
  readonly endpoints: readonly Endpoint[]
  readonly rack: string | null
  up: boolean
  /** How far the broker's clock is ahead, ms; negative if it is behind. None by default. */
  clockSkewMs?: number
}

export interface Address {
  readonly host: string
  readonly port: number
}

/** Where clients reach a broker. @param listener the place of the listener that they use */
export function addressOf({ endpoints }: Pick<BrokerInfo, 'endpoints'>, listener: number): Address {
  const { advertisedHost, advertisedPort, port } = endpoints[listener] as Endpoint // every broker has it
  return { host: advertisedHost, port: advertisedPort ?? port }
}

export class Brokers {
  readonly #all: BrokerInfo[]

  constructor(all: readonly BrokerInfo[]) {
    this.#all = [...all]
  }

  get all(): readonly BrokerInfo[] {
    return this.#all
  }

  get(id: number): BrokerInfo | undefined {
    return this.#all.find(broker => broker.id === id)
  }

  isUp(id: number): boolean {
    return this.get(id)?.up === true
  }

  /** How far a broker's clock is ahead, ms. */
  clockSkewMs(id: number): number {
    return this.get(id)?.clockSkewMs ?? 0
  }

  live(): BrokerInfo[] {
    return this.#all.filter(broker => broker.up)
  }

  /** The lowest id of a broker that is up, -1 if there is none. */
  controllerId(): number {
    return this.live()[0]?.id ?? -1
  }

  add(broker: BrokerInfo): void {
    this.#all.push(broker)
  }

  remove(broker: BrokerInfo): void {
    const at = this.#all.indexOf(broker)
    if (at >= 0) this.#all.splice(at, 1)
  }
}
