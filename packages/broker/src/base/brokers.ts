/** The brokers of the cluster, including those that are down. */

export interface BrokerInfo {
  readonly id: number
  readonly host: string
  port: number
  readonly rack: string | null
  up: boolean
  /** How far the broker's clock is ahead, ms; negative if it is behind. None by default. */
  clockSkewMs?: number
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
