import { createServer } from 'node:net'
import { codecByName } from '@ottla/protocol'
import type { BrokerInfo } from './base/brokers.ts'
import { systemClock } from './base/clock.ts'
import { hostPort } from './base/host-port.ts'
import { Faults, type FaultInput } from './control/faults.ts'
import { Holds } from './control/holds.ts'
import { Observers, type Control, type TrackedRequest } from './control/observers.ts'
import { routes } from './handlers/routes.ts'
import type { Stores } from './handlers/stores.ts'
import { compact } from './log/compaction.ts'
import type { EmbeddedClusterOptions } from './options.ts'
import type { VersionRange } from './releases/versions.ts'
import type { UserOptions } from './security/users.ts'
import { Listener } from './server/listener.ts'
import type { Surroundings } from './server/surroundings.ts'
import { tlsOptions, type ListenerTls } from './server/tls.ts'
import { Storage } from './storage/storage.ts'
import { closeStores, makeStores } from './stores.ts'
import { messagesOf, type StoredMessage } from './topics/messages.ts'
import type { Topic } from './topics/topics.ts'

export interface CreateTopicOptions {
  readonly partitions?: number
  readonly replicationFactor?: number
  readonly configs?: Readonly<Record<string, string>>
}

const MAX_BROKERS = 100
// As connections.max.idle.ms of a broker.
const MAX_IDLE_MS = 600_000

/**
 * A Kafka-compatible cluster inside this process, over real TCP: for development and tests. Everything is kept in
 * memory and gone with it, unless there is a `dataDir`.
 *
 * ```ts
 * await using cluster = await EmbeddedCluster.start({ brokers: 3 })
 * const producer = new Producer({ 'bootstrap.servers': cluster.bootstrapServers })
 * ```
 * @since 0.1.0
 */
export class EmbeddedCluster implements AsyncDisposable {
  readonly #surroundings: Surroundings
  readonly #stores: Stores
  readonly #listeners: Map<number, Listener>
  readonly #tls: ListenerTls | null
  readonly #storage: Storage | null
  readonly #served: ReadonlyMap<number, VersionRange>
  #closing: Promise<void> | null = null

  private constructor(
    surroundings: Surroundings,
    listeners: Map<number, Listener>,
    tls: ListenerTls | null,
    storage: Storage | null,
  ) {
    this.#surroundings = surroundings
    this.#stores = surroundings.stores
    this.#tls = tls
    this.#storage = storage
    this.#served = new Map(surroundings.stores.versions)
    this.#listeners = listeners
  }

  /** Starts the brokers; resolves when all can be connected to. Rejects with Error for options that cannot be, or a port that is taken. */
  static async start(options: EmbeddedClusterOptions = {}): Promise<EmbeddedCluster> {
    const count = options.brokers ?? 1
    if (!Number.isInteger(count) || count < 1 || count > MAX_BROKERS) {
      throw new RangeError(`brokers: ${count} is not possible, 1 to ${MAX_BROKERS} are`)
    }
    const host = options.host ?? '127.0.0.1'
    const first = options.port ?? 0
    const brokers: BrokerInfo[] = Array.from({ length: count }, (_, i) => ({
      id: i + 1,
      host,
      port: first === 0 ? 0 : first + i,
      rack: options.racks?.[i] ?? null,
      up: true,
    }))
    const storage = options.dataDir === undefined ? null : new Storage(options.dataDir, options.fsync ?? false)
    let stores: Stores
    try {
      stores = makeStores(options, brokers, storage)
    } catch (error) {
      storage?.close()
      throw error
    }
    const surroundings: Surroundings = {
      routes,
      stores,
      faults: new Faults(),
      observers: new Observers(),
      holds: new Holds(),
      idle:
        options.maxIdleMs === undefined
          ? { clock: systemClock, maxMs: MAX_IDLE_MS }
          : { clock: stores.clock, maxMs: options.maxIdleMs },
      claimed: { bytes: 0 },
      onInternalError: error => {
        const why = error instanceof Error ? (error.stack ?? error.message) : String(error)
        process.stderr.write(`embedded cluster: a request could not be handled: ${why}\n`)
      },
    }
    const tls = options.tls === undefined ? null : tlsOptions(options.tls)
    const listeners = new Map(brokers.map(info => [info.id, new Listener(info, surroundings, tls)] as const))
    const cluster = new EmbeddedCluster(surroundings, listeners, tls, storage)
    // Older Nodes have to load it; where it cannot be had, only what needs it fails.
    await codecByName('zstd')
      .ready()
      ?.catch(() => undefined)
    try {
      storage?.restore(stores)
      stores.retention.limitMemory()
      for (const listener of listeners.values()) await listener.open()
    } catch (error) {
      await cluster.close()
      throw error
    }
    return cluster
  }

  /** `127.0.0.1:9093,127.0.0.1:9094` (`[::1]:9093` for an IPv6 address), for `bootstrap.servers`. */
  get bootstrapServers(): string {
    return this.#stores.brokers.all.map(({ host, port }) => hostPort(host, port)).join(',')
  }

  /** Throws Error for a topic that exists, or that a broker would refuse. */
  createTopic(name: string, options: CreateTopicOptions = {}): void {
    const request = {
      name,
      partitions: options.partitions ?? -1,
      replicationFactor: options.replicationFactor ?? -1,
      configs: new Map(Object.entries(options.configs ?? {})),
    }
    const refusal = this.#stores.topics.refusal(request)
    if (refusal !== null) throw new Error(refusal.message)
    this.#stores.topics.create(request)
  }

  /**
   * Cuts a broker off as a crash would: connections are dropped, new ones refused, and its partitions get other
   * leaders, unless `moveLeaders` is false.
   */
  async brokerDown(id: number, options: { readonly moveLeaders?: boolean } = {}): Promise<void> {
    const info = this.#info(id)
    if (!info.up) return
    info.up = false
    this.#stores.fetchSessions.of(id).clear()
    await this.#listener(id).close()
    if (options.moveLeaders ?? true) this.#stores.topics.elect()
  }

  /**
   * Brings a broker back on its old address. Of producers that have written to what it leads it knows the last batch only, as a
   * broker that was stopped and started.
   */
  async brokerUp(id: number): Promise<void> {
    const info = this.#info(id)
    if (info.up) return
    await this.#listener(id).open()
    info.up = true
    this.#stores.topics.elect()
    this.#stores.topics.restarted(id)
  }

  /** Adds a broker, with the next id. Resolves with that when it can be connected to. It leads nothing yet. */
  async addBroker(options: { readonly port?: number; readonly rack?: string } = {}): Promise<number> {
    const { brokers } = this.#stores
    const last = brokers.all.at(-1)
    const id = Math.max(0, ...brokers.all.map(broker => broker.id)) + 1
    const host = last?.host ?? '127.0.0.1'
    const info: BrokerInfo = { id, host, port: options.port ?? 0, rack: options.rack ?? null, up: true }
    const listener = new Listener(info, this.#surroundings, this.#tls)
    await listener.open()
    this.#listeners.set(id, listener)
    brokers.add(info)
    return id
  }

  /** Takes a broker out of the cluster for good; its partitions go to their other replicas. Throws Error for the last one. */
  async removeBroker(id: number): Promise<void> {
    const { brokers, topics } = this.#stores
    const info = this.#info(id)
    if (brokers.all.length === 1) throw new Error('the last broker cannot be removed')
    info.up = false
    this.#stores.fetchSessions.of(id).clear()
    await this.#listener(id).close()
    this.#listeners.delete(id)
    brokers.remove(info)
    topics.withdraw(id)
  }

  /** Gives a broker another port (a free one by default), as when it comes back on another machine. Connections are cut. */
  async moveBroker(id: number, port = 0): Promise<void> {
    const info = this.#info(id)
    await this.#listener(id).close()
    info.port = port
    if (info.up) await this.#listener(id).open()
  }

  /** Takes no new connections to a broker; those that are there go on. `acceptConnections` ends it. */
  refuseConnections(id: number): void {
    this.#listener(id).refuse()
  }

  /** Ends `refuseConnections`. */
  async acceptConnections(id: number): Promise<void> {
    if (this.#info(id).up) await this.#listener(id).open()
  }

  /** Stops a broker without a word: connections stay open and can be made, nothing is answered. `resumeBroker` ends it. */
  pauseBroker(id: number): void {
    this.#info(id)
    this.#surroundings.holds.hold(id)
  }

  /** Ends `pauseBroker`: what was asked meanwhile is answered now. */
  resumeBroker(id: number): void {
    this.#surroundings.holds.release(id)
  }

  /** Delays every answer of a broker. @param id -1 for all brokers */
  setRoundTripTime(id: number, ms: number): void {
    this.#surroundings.faults.setRoundTripTime(id, ms)
  }

  /** Moves the leadership of a partition. Throws Error for a partition or broker that is not there. */
  setLeader(topic: string, partition: number, id: number): void {
    const found = this.#stores.topics.partition(topic, partition)
    if (found === undefined) throw new Error(`there is no partition ${topic} [${partition}]`)
    this.#info(id)
    if (!found.replicas.includes(id)) found.replicas.push(id)
    if (!found.isr.includes(id)) found.isr.push(id)
    found.leader = id
    found.leaderEpoch++
    this.#stores.topics.changed(this.#stores.topics.get(topic) as Topic) // the partition is one of it
    found.log.wake()
  }

  /** Sends consumers of a partition to this replica, as a leader that knows a nearer one (KIP-392); null ends it. */
  setPreferredReplica(topic: string, partition: number, id: number | null): void {
    if (this.#stores.topics.partition(topic, partition) === undefined) {
      throw new Error(`there is no partition ${topic} [${partition}]`)
    }
    if (id === null) this.#stores.preferredReplicas.delete(`${topic}/${partition}`)
    else this.#stores.preferredReplicas.set(`${topic}/${partition}`, this.#info(id).id)
  }

  /** Sets what the brokers call a partition's leader epoch, higher or lower than it is. */
  setLeaderEpoch(topic: string, partition: number, epoch: number): void {
    const found = this.#stores.topics.partition(topic, partition)
    if (found === undefined) throw new Error(`there is no partition ${topic} [${partition}]`)
    found.leaderEpoch = epoch
    found.log.wake()
  }

  /** Tells clients to hold back with every answer of a broker, ms. @param id -1 for all brokers */
  setThrottle(id: number, ms: number): void {
    this.#surroundings.faults.setThrottle(id, ms)
  }

  /**
   * Serves only some versions of a request, out of those that there are; null: none at all. Clients learn of it with
   * their next connection.
   */
  setVersions(apiKey: number, range: { readonly min: number; readonly max: number } | null): void {
    if (range === null) {
      this.#stores.versions.delete(apiKey)
      return
    }
    const served = this.#served.get(apiKey)
    if (served === undefined || range.min > range.max || range.min < served.min || range.max > served.max) {
      const there = served === undefined ? 'none' : `${served.min} to ${served.max}`
      throw new RangeError(`api ${apiKey}: versions ${range.min} to ${range.max} are not possible, ${there} are`)
    }
    this.#stores.versions.set(apiKey, { min: range.min, max: range.max })
  }

  /** Lets a user log in, or changes the password. Who is logged in stays so. */
  setUser(name: string, user: string | UserOptions): void {
    this.#stores.logIn.users.set(name, user)
  }

  /** Takes a user's credentials. Who is logged in stays so. Throws Error for a user that is not there. */
  deleteUser(name: string): void {
    if (!this.#stores.logIn.users.delete(name)) throw new Error(`there is no user ${name}`)
  }

  /** Throws Error for a topic that is not there. */
  deleteTopic(name: string): void {
    const topic = this.#stores.topics.get(name)
    if (topic === undefined) throw new Error(`there is no topic ${name}`)
    this.#stores.topics.delete(topic)
  }

  /**
   * What is in a topic, all partitions one after the other, as a consumer with `read_committed` sees it. A topic that is
   * not there has nothing.
   */
  messages(topic: string): StoredMessage[] {
    const found = this.#stores.topics.get(topic)
    return found === undefined ? [] : messagesOf(found)
  }

  /**
   * Cuts the tail off a partition, as an unclean election does: whole batches from the one that holds `offset` on are
   * lost, and the leader epoch goes up. Throws Error for a partition that is not there.
   */
  truncate(topic: string, partition: number, offset: number): void {
    const found = this.#stores.topics.partition(topic, partition)
    if (found === undefined) throw new Error(`there is no partition ${topic} [${partition}]`)
    found.leaderEpoch++
    this.#stores.topics.changed(this.#stores.topics.get(topic) as Topic) // the partition is one of it
    found.log.truncateTo(offset)
  }

  /**
   * Drops what is old by `retention.ms` and `retention.bytes` (whole segments, as `segment.bytes` and `segment.ms` cut
   * them), producers that have been silent for a day and transactional ids unused for a week. Brokers do so every five
   * minutes of the cluster's clock by themselves.
   */
  runRetention(): void {
    this.#stores.retention.run()
  }

  /**
   * Compacts a topic whose `cleanup.policy` has compact, up to the last stable offset: the last record of each key
   * stays. Only this call does it. Throws Error for a topic that is not there or not compacted.
   */
  compact(name: string): void {
    const { topics, clock } = this.#stores
    const topic = topics.get(name)
    if (topic === undefined) throw new Error(`there is no topic ${name}`)
    if (!topics.config(topic, 'cleanup.policy').includes('compact')) {
      throw new Error(`cleanup.policy of ${name} does not have compact`)
    }
    const rules = {
      minLagMs: Number(topics.config(topic, 'min.compaction.lag.ms')),
      deleteRetentionMs: Number(topics.config(topic, 'delete.retention.ms')),
    }
    for (const { log } of topic.partitions) compact(log, rules, clock.now())
  }

  /** Makes a broker the coordinator of a group or transactional id. */
  setCoordinator(type: 'group' | 'transaction', key: string, id: number): void {
    this.#info(id)
    this.#stores.coordinators.set(type, key, id)
  }

  /**
   * The next requests of an API, whichever broker gets them, are answered with these errors, one each.
   * ERR__TRANSPORT (-195) drops the connection instead.
   */
  failNext(apiKey: number, errors: readonly FaultInput[]): void {
    this.#surroundings.faults.failNext(null, apiKey, errors)
  }

  /** The same for requests to one broker. */
  failNextOn(id: number, apiKey: number, errors: readonly FaultInput[]): void {
    this.#info(id)
    this.#surroundings.faults.failNext(id, apiKey, errors)
  }

  /**
   * The next requests that concern a partition (Produce, Fetch, ListOffsets, OffsetForLeaderEpoch, DeleteRecords,
   * DescribeProducers, WriteTxnMarkers, ShareFetch, ShareAcknowledge) get these errors for it, one each; whatever else they
   * ask for is carried out.
   */
  failPartition(topic: string, partition: number, apiKey: number, codes: readonly number[]): void {
    if (this.#stores.topics.partition(topic, partition) === undefined) {
      throw new Error(`there is no partition ${topic} [${partition}]`)
    }
    this.#surroundings.faults.failPartition(topic, partition, apiKey, codes)
  }

  /**
   * Shows every request to a function, which may answer it in the cluster's place.
   *
   * ```ts
   * const end = cluster.control(({ apiName }) => (apiName === 'ListGroups' ? { errorCode: 0, groups: [] } : undefined))
   * ```
   * @returns ends it
   */
  control(control: Control): () => void {
    return this.#surroundings.observers.add(control)
  }

  /** Forgets errors that no request has met yet. */
  clearFaults(): void {
    this.#surroundings.faults.clear()
  }

  /** Cuts every connection to a broker; clients may connect again at once. */
  dropConnections(id: number): void {
    this.#listener(id).dropConnections()
  }

  /**
   * What clients sent. `start` begins to track, `stop` ends it and returns everything since, no argument returns it
   * and goes on. Both may be given as a word or as `{ start: true }`, `{ stop: true }`.
   */
  requests(
    action?: 'start' | 'stop' | { readonly start?: boolean; readonly stop?: boolean },
  ): readonly TrackedRequest[] {
    const starts = action === 'start' || (typeof action === 'object' && action.start === true)
    const stops = action === 'stop' || (typeof action === 'object' && action.stop === true)
    if (starts) this.#surroundings.observers.startTracking()
    return stops ? this.#surroundings.observers.stopTracking() : [...this.#surroundings.observers.tracked()]
  }

  /** Stops all brokers; nothing of the cluster is left afterwards. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    this.#surroundings.holds.releaseAll()
    closeStores(this.#stores)
    await Promise.all([...this.#listeners.values()].map(listener => listener.close()))
    this.#storage?.close()
  }

  #info(id: number): BrokerInfo {
    const info = this.#stores.brokers.get(id)
    if (info === undefined) throw new Error(`there is no broker ${id}`)
    return info
  }

  #listener(id: number): Listener {
    const listener = this.#listeners.get(id)
    if (listener === undefined) throw new Error(`there is no broker ${id}`)
    return listener
  }
}

/** Whether a run of ports can be listened on, for those who would like fixed ones. */
export async function portsAreFree(first: number, count: number, host = '127.0.0.1'): Promise<boolean> {
  for (let port = first; port < first + count; port++) {
    const free = await new Promise<boolean>(resolve => {
      const server = createServer()
      server.once('error', () => resolve(false))
      server.listen(port, host, () => server.close(() => resolve(true)))
    })
    if (!free) return false
  }
  return true
}
