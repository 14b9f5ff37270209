/** Registers the metrics, and reads them when they are scraped. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { openClients, type ChannelPayloads, type Health, type OpenClient, type Statistics } from 'ottla'
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import { table, type MetricRow, type Snapshot } from './table.ts'

/**
 * A client to collect from: a `Producer`, a `Consumer`, a `ShareConsumer` or an `AdminClient`.
 * @since 0.1.0
 */
export interface CollectedClient {
  statistics(): Statistics
  health(): Health
}

/**
 * Options of `collectMetrics`.
 * @since 0.1.0
 */
export interface MetricsOptions {
  /** The registry of `prom-client`. */
  readonly register: Registry
  /** Those to collect from; all clients that are open at a scrape if left out. */
  readonly clients?: readonly CollectedClient[]
  /** Series for each partition instead of each topic. False by default: it multiplies them. */
  readonly perPartition?: boolean
}

const always = ['client', 'client_id'] as const
const DURATIONS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/**
 * Collects metrics of clients from now on. Counters and states are read when they are scraped, without a request to
 * brokers; durations are measured from ottla's channels.
 * @returns a function that ends this and removes the metrics from the registry
 * @since 0.1.0
 */
export function collectMetrics({ register, clients, perPartition = false }: MetricsOptions): () => void {
  const scrape = new Scrape(clients ?? null)
  const names = table.map(row => {
    observe(row, register, scrape, perPartition)
    return row.name
  })
  const durations = new Durations(register, scrape)
  return () => {
    durations.end()
    for (const name of [...names, ...durations.names]) register.removeSingleMetric(name)
  }
}

/** All metrics of one scrape come from one look at each client. */
class Scrape {
  /** The names of those to collect from; null for all. */
  readonly #names: ReadonlySet<string> | null
  #snapshots: readonly Snapshot[] | null = null

  constructor(given: readonly CollectedClient[] | null) {
    this.#names = given === null ? null : new Set(given.map(each => each.statistics().name))
  }

  snapshots(): readonly Snapshot[] {
    if (this.#snapshots === null) {
      this.#snapshots = this.#clients().map(each => {
        return { client: each.client, statistics: each.statistics(), health: each.health() }
      })
      // A scrape asks for all metrics within one turn of the event loop.
      setImmediate(() => (this.#snapshots = null))
    }
    return this.#snapshots
  }

  /** Whether a client is one to collect from. */
  includes(name: string): boolean {
    return this.#names === null || this.#names.has(name)
  }

  #clients(): OpenClient[] {
    return openClients().filter(({ client }) => this.includes(client.name))
  }
}

function observe(row: MetricRow, register: Registry, scrape: Scrape, perPartition: boolean): void {
  const { name, help, type, labels, read } = row
  const labelNames = [...always, ...labels.filter(label => label !== 'partition' || perPartition)]
  const samples = function* (): Iterable<{ labels: Record<string, string>; value: number }> {
    for (const snapshot of scrape.snapshots()) {
      const own = { client: snapshot.client.name, client_id: snapshot.client.clientId }
      for (const each of read(snapshot, perPartition)) yield { labels: { ...own, ...each.labels }, value: each.value }
    }
  }
  const common = { name, help, labelNames, registers: [register] }
  if (type === 'gauge') {
    const gauge = new Gauge({
      ...common,
      collect: () => {
        gauge.reset()
        for (const each of samples()) gauge.set(each.labels, each.value)
      },
    })
  } else {
    // The client has the count; the counter shows it.
    const counter = new Counter({
      ...common,
      collect: () => {
        counter.reset()
        for (const each of samples()) counter.inc(each.labels, each.value)
      },
    })
  }
}

/** What takes time. */
class Durations {
  readonly names = ['ottla_request_duration_seconds', 'ottla_process_duration_seconds', 'ottla_throttle_seconds']
  readonly #ends: (() => void)[] = []
  readonly #scrape: Scrape

  constructor(register: Registry, scrape: Scrape) {
    this.#scrape = scrape
    const [request = '', process = '', throttle = ''] = this.names
    const registers = [register]
    const buckets = DURATIONS
    const requests = new Histogram({
      ...{ name: request, help: 'From a request to its response.', buckets, registers },
      labelNames: ['client_id', 'api'],
    })
    const processing = new Histogram({
      ...{ name: process, help: "A handler's work on a message or batch.", buckets, registers },
      labelNames: ['client_id', 'topic', 'outcome'],
    })
    const throttling = new Histogram({
      ...{ name: throttle, help: 'How long brokers have asked the client to wait.', buckets, registers },
      labelNames: ['client_id'],
    })
    this.#time('ottla:request', ({ client: { clientId: client_id }, apiName: api, result }, seconds) => {
      requests.observe({ client_id, api }, seconds)
      const ms = result?.throttleTimeMs ?? 0
      if (ms > 0) throttling.observe({ client_id }, ms / 1000)
    })
    this.#time('ottla:process', ({ client: { clientId: client_id }, topic, error }, seconds) => {
      processing.observe({ client_id, topic, outcome: error === undefined ? 'done' : 'failed' }, seconds)
    })
  }

  end(): void {
    for (const end of this.#ends.splice(0)) end()
  }

  #time<N extends 'ottla:request' | 'ottla:process'>(
    name: N,
    record: (payload: ChannelPayloads[N], seconds: number) => void,
  ): void {
    const begun = new WeakMap<object, number>()
    this.#on(`tracing:${name}:start`, payload => void begun.set(payload, performance.now()))
    this.#on(`tracing:${name}:asyncEnd`, payload => {
      const at = begun.get(payload)
      // A channel carries payloads of its name only.
      const known = payload as ChannelPayloads[N]
      if (at !== undefined && this.#scrape.includes(known.client.name)) record(known, (performance.now() - at) / 1000)
    })
  }

  #on(channel: string, listener: (payload: object) => void): void {
    const heard = (payload: unknown): void => listener(payload as object)
    subscribe(channel, heard)
    this.#ends.push(() => void unsubscribe(channel, heard))
  }
}
