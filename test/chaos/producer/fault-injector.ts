/** Random faults on three brokers and the connections to them. */
import { setTimeout as sleep } from 'node:timers/promises'
import { AdminClient } from 'ottla'
import type { Direction } from '../../harness/fault-proxy.ts'
import type { KafkaBroker, KafkaCluster } from '../../harness/kafka.ts'

const quiet = (): void => undefined

export interface FaultInjectorOptions {
  readonly kafka: KafkaCluster
  /** Topics whose leaders are moved. */
  readonly topics: readonly { readonly topic: string; readonly partitions: number }[]
  readonly random: () => number
  readonly log: (line: string) => void
  /** Average time between two faults, ms. */
  readonly everyMs: number
}

interface Fault {
  readonly weight: number
  readonly run: () => Promise<void>
}

const ELECTION_MS = 10_000
// Long enough for requests and sessions to time out.
const LONG_MS = 8000
const SHORT_MS = 3000

/** Breaks things until stopped. At most one broker is down at a time, so that writes can be replicated. */
export class FaultInjector {
  readonly #options: FaultInjectorOptions
  readonly #admin: AdminClient
  readonly #faults: readonly Fault[]
  readonly #running = new Set<Promise<void>>()
  readonly #counts = new Map<string, number>()
  readonly #over = new AbortController()
  #isBrokerDown = false

  constructor(options: FaultInjectorOptions) {
    this.#options = options
    this.#admin = new AdminClient({ 'bootstrap.servers': options.kafka.plainBootstrapServers }, { logger: quiet })
    this.#faults = [
      { weight: 2, run: () => this.#withoutBroker('killed', broker => broker.kill9()) },
      { weight: 2, run: () => this.#withoutBroker('stopped', broker => broker.stop()) },
      { weight: 2, run: () => this.#paused() },
      { weight: 5, run: () => this.#cutWithin('requests', 60_000) },
      { weight: 5, run: () => this.#cutWithin('answers', 4000) },
      { weight: 2, run: () => this.#cutAll() },
      { weight: 3, run: () => this.#delayed() },
      { weight: 2, run: () => this.#unreachable('silent') },
      { weight: 2, run: () => this.#unreachable('refusing') },
      { weight: 4, run: () => this.#moveLeaders() },
    ]
  }

  /** The number of times of each fault. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts
  }

  async run(ms: number): Promise<void> {
    const { random, everyMs } = this.#options
    const end = Date.now() + ms
    while (Date.now() < end) {
      this.#start(this.#choose())
      await sleep(Math.min(2 * random() * everyMs, Math.max(0, end - Date.now())))
    }
  }

  /** Ends every fault; resolves when all brokers serve again. */
  async stop(): Promise<void> {
    this.#over.abort()
    await Promise.all(this.#running)
    for (const broker of this.#options.kafka.brokers) broker.proxy.open()
    await this.#admin.close()
  }

  #choose(): Fault {
    let left = this.#options.random() * this.#faults.reduce((sum, { weight }) => sum + weight, 0)
    for (const fault of this.#faults) {
      left -= fault.weight
      if (left < 0) return fault
    }
    throw new Error('there are no faults')
  }

  #start({ run }: Fault): void {
    const running = run().catch((error: unknown) => {
      this.#options.log(`a fault failed: ${error instanceof Error ? error.message : String(error)}`)
    })
    this.#running.add(running)
    void running.then(() => this.#running.delete(running))
  }

  #happened(what: string, broker: KafkaBroker | null, detail = ''): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1)
    this.#options.log(`${broker === null ? '' : `broker ${broker.id} `}${what}${detail}`)
  }

  #anyBroker(): KafkaBroker {
    const { brokers } = this.#options.kafka
    const broker = brokers[Math.floor(this.#options.random() * brokers.length)]
    if (broker === undefined) throw new Error('there are no brokers')
    return broker
  }

  async #for(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#over.signal }).catch(() => undefined)
  }

  async #withoutBroker(what: string, end: (broker: KafkaBroker) => Promise<void>): Promise<void> {
    const [broker, ms] = [this.#anyBroker(), this.#options.random() * SHORT_MS]
    if (this.#isBrokerDown) return
    this.#isBrokerDown = true
    try {
      this.#happened(what, broker)
      await end(broker)
      await this.#for(ms)
      await broker.restart()
      this.#options.log(`broker ${broker.id} is back`)
    } finally {
      this.#isBrokerDown = false
    }
  }

  async #paused(): Promise<void> {
    const [broker, ms] = [this.#anyBroker(), 500 + this.#options.random() * LONG_MS]
    if (this.#isBrokerDown) return
    this.#isBrokerDown = true
    this.#happened('paused', broker, ` for ${Math.round(ms)} ms`)
    broker.pause()
    await this.#for(ms)
    broker.resume()
    this.#isBrokerDown = false
  }

  async #cutWithin(direction: Direction, most: number): Promise<void> {
    const { random } = this.#options
    // Small and large numbers alike: within a length, a header, the records.
    const [broker, bytes] = [this.#anyBroker(), Math.ceil(most ** random())]
    const cut = broker.proxy.cutAfter(direction, bytes).then(() => true)
    const isCut = await Promise.race([cut, this.#for(SHORT_MS).then(() => false)])
    if (isCut) this.#happened(`cut within ${direction}`, broker, `, after ${bytes} bytes`)
  }

  #cutAll(): Promise<void> {
    const broker = this.#anyBroker()
    this.#happened('cut', broker, `: ${broker.proxy.connections} connections`)
    broker.proxy.cutAll()
    return Promise.resolve()
  }

  async #delayed(): Promise<void> {
    const { random } = this.#options
    const broker = this.#anyBroker()
    const direction = random() < 0.5 ? 'requests' : 'answers'
    const ms = Math.ceil(2000 ** random())
    const howLong = random() * SHORT_MS
    this.#happened(`delayed ${direction}`, broker, ` by ${ms} ms`)
    broker.proxy.delay(direction, ms)
    await this.#for(howLong)
    broker.proxy.delay(direction, 0)
  }

  async #unreachable(what: 'silent' | 'refusing'): Promise<void> {
    const [broker, ms] = [this.#anyBroker(), this.#options.random() * LONG_MS]
    this.#happened(what, broker, ` for ${Math.round(ms)} ms`)
    if (what === 'silent') broker.proxy.silence()
    else broker.proxy.refuse()
    await this.#for(ms)
    broker.proxy.open()
  }

  async #moveLeaders(): Promise<void> {
    const { random, topics, kafka } = this.#options
    const ids = kafka.brokers.map(({ id }) => id)
    const moves = topics.flatMap(({ topic, partitions }) =>
      Array.from({ length: partitions }, (_, partition) => {
        const first = Math.floor(random() * ids.length)
        return { topic, partition, replicas: [...ids.slice(first), ...ids.slice(0, first)] }
      }),
    )
    this.#happened('leaders moved', null)
    const options = { requestTimeoutMs: ELECTION_MS }
    await this.#admin.alterPartitionReassignments(moves, options)
    await this.#admin.electLeaders('preferred', moves, options)
  }
}
