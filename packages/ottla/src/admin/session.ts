/** The connections of an admin client: its own, or another client's. */
import { ErrorCode } from '@ottla/protocol'
import { rejectLater } from '../base/turn.ts'
import { Cluster } from '../cluster/cluster.ts'
import { createContext, type ClientContext, type ClientOptions } from '../cluster/context.ts'
import type { ClientHandle } from '../cluster/handle.ts'
import { ClientInsight, connectionConditions, explainConnections, type InsightSource } from '../cluster/insight.ts'
import { commonStatistics, ExtrasByBroker } from '../cluster/statistics.ts'
import { checkedOptions } from '../config/constructor-options.ts'
import { resolveConfig, type AdminConfig } from '../config/resolve.ts'
import { KafkaError } from '../errors.ts'
import { channels } from '../observe/channels.ts'
import type { Statistics } from '../statistics.ts'
import { StatisticsReporter } from '../observe/statistics/reporter.ts'
import { lookAtWindow, takeWindow, type ReadWindow } from '../observe/statistics/window.ts'
import { startCall, type AdminCall, type AdminOptions } from './call.ts'

/** Runs the calls of one admin client until it is closed. */
export class AdminSession {
  readonly context: ClientContext
  readonly cluster: Cluster
  readonly insight: ClientInsight
  readonly #owned: boolean
  /** Null where the owner of the connections emits them. */
  readonly #statistics: StatisticsReporter | null
  #closed = false

  /** @param owned - whether the session closes the connections */
  constructor({ context, cluster }: ClientHandle, owned: boolean) {
    this.context = context
    this.cluster = cluster
    this.#owned = owned
    const closed = 'The admin client is closed.'
    const source: InsightSource = {
      conditions: () => (this.#closed ? [{ code: 'closed', message: closed }] : connectionConditions(cluster)),
      explain: () => (this.#closed ? [closed] : [...this.#explain()]),
      statistics: () => adminStatistics(context, cluster, lookAtWindow),
    }
    this.insight = new ClientInsight(context, source, owned)
    this.#statistics = owned
      ? new StatisticsReporter(context.clock, context.events, context.settings['statistics.interval.ms'], () =>
          adminStatistics(context, cluster, takeWindow),
        )
      : null
  }

  get closed(): boolean {
    return this.#closed
  }

  /** @param name the method's, for the channel `ottla:admin` */
  run<T>(name: string, options: AdminOptions | undefined, work: (call: AdminCall) => Promise<T>): Promise<T> {
    if (!channels.admin.hasSubscribers) return this.#run(options, work)
    return channels.admin.trace({ client: this.context.client, call: name }, () => this.#run(options, work))
  }

  async #run<T>(options: AdminOptions | undefined, work: (call: AdminCall) => Promise<T>): Promise<T> {
    if (this.#closed) {
      return rejectLater(new KafkaError(ErrorCode.ERR__STATE, `the admin client ${this.context.name} is closed`))
    }
    return work(startCall(this.context, this.cluster, options ?? {}))
  }

  close(): void {
    if (!this.#closed && this.#owned) this.cluster.close()
    this.#closed = true
    this.#statistics?.stop()
    this.insight.stop()
  }

  *#explain(): Iterable<string> {
    const found = [...explainConnections(this.cluster)]
    yield* found
    if (found.length > 0) return
    const { controllerId } = this.cluster.metadata.snapshot
    yield controllerId < 0
      ? 'All brokers that are needed can be reached; the cluster has not named a controller yet.'
      : `All brokers that are needed can be reached; the cluster's controller is broker ${controllerId}.`
  }
}

function adminStatistics(context: ClientContext, cluster: Cluster, read: ReadWindow): Statistics {
  const { counters } = context
  const common = commonStatistics(context, cluster, counters, new ExtrasByBroker(), read)
  return { ...common, replyq: 0, msg_cnt: 0, msg_size: 0, msg_max: 0, msg_size_max: 0, topics: {} }
}

/** Passes a client's handle to another one's constructor without showing it in the public signature. */
const sharedHandles = new WeakMap<AdminConfig, ClientHandle>()

/** A configuration that represents the connections of another client. */
export function configSharing(handle: ClientHandle): AdminConfig {
  const config: AdminConfig = { 'bootstrap.servers': [] } // those of the handle
  sharedHandles.set(config, handle)
  return config
}

/** @throws KafkaError ERR__INVALID_ARG for a configuration that cannot work */
export function openSession(config: AdminConfig, options: ClientOptions): AdminSession {
  const shared = sharedHandles.get(config)
  return new AdminSession(shared ?? connect(config, options), shared === undefined)
}

function connect(config: AdminConfig, options: ClientOptions): ClientHandle {
  const resolved = resolveConfig('admin', config)
  const context = createContext('admin', resolved, checkedOptions('AdminClient', options))
  const cluster = new Cluster(context)
  cluster.start()
  return { context, cluster }
}
