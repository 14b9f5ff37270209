import { codecByName } from '@ottla/protocol'
import { brokerIds, checkBrokerId } from './broker-ids.ts'
import { addressOf, type BrokerInfo } from './base/brokers.ts'
import { backgroundClock, systemClock } from './base/clock.ts'
import { systemNetwork } from './base/network.ts'
import { hostPort } from './base/host-port.ts'
import { ContentCommands } from './content-commands.ts'
import { Faults, type FaultInput } from './control/faults.ts'
import { PausedBrokers } from './control/paused-brokers.ts'
import { Observers, type Control, type TrackedRequest } from './control/observers.ts'
import { routes } from './handlers/routes.ts'
import type { Stores } from './handlers/stores.ts'
import { endpointsOf, movePorts, planListeners, type ListenerPlan } from './listeners.ts'
import type { BrokerDownOptions, EmbeddedClusterOptions } from './options.ts'
import type { VersionRange } from './releases/versions.ts'
import type { UserOptions } from './security/users.ts'
import { startSchemaRegistry, type RunningRegistry } from './schema-registry.ts'
import { BrokerServer, type ListenerSetup } from './server/broker-server.ts'
import type { ServerContext } from './server/server-context.ts'
import { Storage } from './storage/storage.ts'
import { closeStores, makeStores } from './stores.ts'
import type { Topic } from './topics/topics.ts'

// Kafka's default for connections.max.idle.ms.
const MAX_IDLE_MS = 600_000

/**
 * A Kafka-compatible cluster inside this process, over real TCP, for development and tests. All data is in memory and
 * goes with the process, unless there is a `dataDir`.
 *
 * ```ts
 * await using cluster = await EmbeddedCluster.start({ brokers: 3 })
 * const producer = new Producer({ 'bootstrap.servers': cluster.bootstrapServers })
 * ```
 * @since 0.1.0
 */
export class EmbeddedCluster extends ContentCommands implements AsyncDisposable {
  readonly #context: ServerContext
  readonly #stores: Stores
  readonly #servers: Map<number, BrokerServer>
  readonly #plans: readonly ListenerPlan[]
  readonly #storage: Storage | null
  readonly #served: ReadonlyMap<number, VersionRange>
  #registry: RunningRegistry | null = null
  #closing: Promise<void> | null = null

  private constructor(
    context: ServerContext,
    servers: Map<number, BrokerServer>,
    plans: readonly ListenerPlan[],
    storage: Storage | null,
  ) {
    super(context.stores)
    this.#context = context
    this.#stores = context.stores
    this.#plans = plans
    this.#storage = storage
    this.#served = new Map(context.stores.versions)
    this.#servers = servers
  }

  /**
   * Starts the brokers; resolves when all of them accept connections. Rejects with Error for an invalid option or a
   * port that is in use.
   */
  static async start(options: EmbeddedClusterOptions = {}): Promise<EmbeddedCluster> {
    const ids = brokerIds(options)
    if (options.replication === 'simulated' && options.dataDir !== undefined) {
      throw new Error("dataDir cannot be combined with replication: 'simulated', whose logs are in memory only")
    }
    const plans = planListeners(options, ids.length)
    if (options.network !== undefined && plans.some(({ tls }) => tls !== null)) {
      throw new Error("tls cannot be combined with network: TLS listeners are the system's")
    }
    const isBackground = options.unref ?? false
    const brokers = ids.map((id, i): BrokerInfo => ({
      id,
      endpoints: endpointsOf(plans, i),
      rack: options.racks?.[i] ?? null,
      up: true,
    }))
    const storage = options.dataDir === undefined ? null : new Storage(options.dataDir, options.fsync ?? false)
    let stores: Stores
    try {
      stores = makeStores(options, brokers, plans, storage)
    } catch (error) {
      storage?.close()
      throw error
    }
    const context: ServerContext = {
      routes,
      stores,
      faults: new Faults(),
      observers: new Observers(),
      pausedBrokers: new PausedBrokers(),
      networkOf: options.network ?? (() => systemNetwork),
      idle:
        options.maxIdleMs === undefined
          ? { clock: isBackground ? backgroundClock : systemClock, maxMs: MAX_IDLE_MS }
          : { clock: stores.clock, maxMs: options.maxIdleMs },
      isBackground,
      reserved: { bytes: 0 },
      onInternalError: error => {
        const why = error instanceof Error ? (error.stack ?? error.message) : String(error)
        process.stderr.write(`embedded cluster: a request could not be handled: ${why}\n`)
      },
    }
    const setups = setupsOf(plans, stores)
    const servers = new Map(brokers.map(info => [info.id, new BrokerServer(info, setups, context)] as const))
    const cluster = new EmbeddedCluster(context, servers, plans, storage)
    // Older versions of Node have to load it. If that fails, only requests with zstd fail.
    await codecByName('zstd')
      .ready()
      ?.catch(() => undefined)
    try {
      storage?.restore(stores)
      stores.retention.limitMemory()
      for (const server of servers.values()) await server.open()
      cluster.#registry = await startSchemaRegistry(options, cluster)
    } catch (error) {
      await cluster.close()
      throw error
    }
    return cluster
  }

  /**
   * `127.0.0.1:9093,127.0.0.1:9094` (`[::1]:9093` for an IPv6 address), for `bootstrap.servers`; of the first listener if
   * there are several.
   */
  get bootstrapServers(): string {
    return this.#addresses(0)
  }

  /** As `bootstrapServers`, of a listener. Throws Error for an unknown one. @param name as in `listeners` */
  listener(name: string): string {
    const at = this.#plans.findIndex(plan => plan.name === name)
    if (at < 0) {
      const known = this.#plans.map(plan => plan.name).join(', ')
      throw new Error(`there is no listener ${name}; the cluster has ${known}`)
    }
    return this.#addresses(at)
  }

  /** The address of the schema registry, as `http://127.0.0.1:54321`. Throws Error without `schemaRegistry: true`. */
  get schemaRegistryUrl(): string {
    if (this.#registry === null)
      throw new Error('the cluster has no schema registry: start it with schemaRegistry: true')
    return this.#registry.url
  }

  /** How many connections clients have open, to all brokers together. */
  get connections(): number {
    return [...this.#servers.values()].reduce((sum, { connections }) => sum + connections, 0)
  }

  /**
   * Takes a broker down as a crash would: its connections are cut, new ones are refused, and its partitions get other
   * leaders unless `moveLeaders` is false. Rejects with Error for an unknown broker.
   */
  async brokerDown(id: number, options: BrokerDownOptions = {}): Promise<void> {
    const info = this.#info(id)
    if (!info.up) return
    const { moveLeaders = true, detectionDelayMs = 0, forgets = false } = options
    const { replication } = this.#stores
    info.up = false
    this.#stores.fetchSessions.of(id).clear()
    const closed = this.#server(id).close()
    replication?.brokerDown(id, { detectionMs: moveLeaders ? detectionDelayMs : null, forgets })
    await closed
    if (moveLeaders && replication === null) this.#stores.topics.elect()
  }

  /**
   * Brings a broker back on its old address. Like any restarted broker, it remembers only the last batch of each
   * producer that has written to the partitions it leads, and is not frozen any more. Rejects with Error for an unknown
   * broker.
   */
  async brokerUp(id: number): Promise<void> {
    const info = this.#info(id)
    if (info.up) return
    await this.#server(id).open()
    info.up = true
    this.#context.pausedBrokers.resume(id)
    const { replication, topics } = this.#stores
    if (replication !== null) {
      replication.brokerUp(id)
      return
    }
    topics.elect()
    topics.brokerRestarted(id)
  }

  /**
   * Adds a broker that leads nothing yet. Resolves with its id, by default the next one, when it accepts connections.
   * Rejects with Error for an id that another broker has.
   */
  async addBroker(
    options: { readonly id?: number; readonly port?: number; readonly rack?: string } = {},
  ): Promise<number> {
    const { brokers } = this.#stores
    const id = options.id ?? Math.max(...brokers.all.map(broker => broker.id)) + 1
    checkBrokerId(id)
    if (brokers.get(id) !== undefined) throw new Error(`there is a broker ${id} already`)
    const info: BrokerInfo = { id, endpoints: endpointsOf(this.#plans, null), rack: options.rack ?? null, up: true }
    movePorts(info, options.port ?? 0)
    const server = new BrokerServer(info, setupsOf(this.#plans, this.#stores), this.#context)
    await server.open()
    this.#servers.set(id, server)
    brokers.add(info)
    this.#stores.replication?.brokerAdded(id)
    return id
  }

  /**
   * Removes a broker for good; its partitions go to their other replicas. Rejects with Error for an unknown broker and
   * for the last one.
   */
  async removeBroker(id: number): Promise<void> {
    const { brokers, replication, topics } = this.#stores
    const info = this.#info(id)
    if (brokers.all.length === 1) throw new Error(`broker ${id} is the last broker and cannot be removed`)
    info.up = false
    this.#stores.fetchSessions.of(id).clear()
    await this.#server(id).close()
    this.#servers.delete(id)
    brokers.remove(info)
    replication?.brokerRemoved(id)
    topics.brokerRemoved(id)
  }

  /**
   * Moves a broker to another port (a free one by default), as if to another machine; with several listeners the first
   * one, while the others get free ports. Its connections are cut. Rejects with Error for an unknown broker or a port that
   * is in use.
   */
  async moveBroker(id: number, port = 0): Promise<void> {
    const info = this.#info(id)
    await this.#server(id).close()
    movePorts(info, port)
    if (info.up) await this.#server(id).open()
  }

  /**
   * Refuses new connections to a broker; existing ones stay. `acceptConnections` ends this. Throws Error for an unknown
   * broker.
   */
  refuseConnections(id: number): void {
    this.#server(id).refuse()
  }

  /** Ends `refuseConnections`. Rejects with Error for an unknown broker. */
  async acceptConnections(id: number): Promise<void> {
    if (this.#info(id).up) await this.#server(id).open()
  }

  /**
   * Freezes a broker: it keeps and accepts connections but answers nothing. Its partitions keep it as their leader, with
   * simulated replication until `fenceBroker`. `resumeBroker` ends this. Throws Error for an unknown broker.
   */
  pauseBroker(id: number): void {
    this.#info(id)
    this.#context.pausedBrokers.pause(id)
    this.#stores.replication?.pause(id)
  }

  /** Ends `pauseBroker`: the broker now answers the requests it got meanwhile. */
  resumeBroker(id: number): void {
    this.#context.pausedBrokers.resume(id)
    if (this.#stores.brokers.get(id) !== undefined) this.#stores.replication?.unpause(id)
  }

  /** Delays every response of a broker by `ms`. @param id -1 for all brokers */
  setRoundTripTime(id: number, ms: number): void {
    this.#context.faults.setRoundTripTime(id, ms)
  }

  /** Makes a broker the leader of a partition. Throws Error for an unknown partition or broker. */
  setLeader(topic: string, partition: number, id: number): void {
    const found = this.#stores.topics.partition(topic, partition)
    if (found === undefined) throw new Error(`there is no partition ${topic} [${partition}]`)
    this.#info(id)
    if (!found.replicas.includes(id)) found.replicas.push(id)
    // With simulated replication a replica that is not in sync becomes the leader uncleanly.
    if (!found.isr.includes(id) && this.#stores.replication === null) found.isr.push(id)
    found.leader = id
    found.leaderEpoch++
    this.#stores.topics.changed(this.#stores.topics.get(topic) as Topic) // its partition was found
    found.log.wake()
  }

  /**
   * Sends consumers of a partition to this replica, as a leader does when it knows a closer one (KIP-392); null ends
   * this. Throws Error for an unknown partition or broker.
   */
  setPreferredReplica(topic: string, partition: number, id: number | null): void {
    if (this.#stores.topics.partition(topic, partition) === undefined) {
      throw new Error(`there is no partition ${topic} [${partition}]`)
    }
    if (id === null) this.#stores.preferredReplicas.delete(`${topic}/${partition}`)
    else this.#stores.preferredReplicas.set(`${topic}/${partition}`, this.#info(id).id)
  }

  /** Sets a partition's leader epoch, higher or lower than before. Throws Error for an unknown partition. */
  setLeaderEpoch(topic: string, partition: number, epoch: number): void {
    const found = this.#stores.topics.partition(topic, partition)
    if (found === undefined) throw new Error(`there is no partition ${topic} [${partition}]`)
    found.leaderEpoch = epoch
    this.#stores.replication?.topicChanged(this.#stores.topics.get(topic) as Topic) // its partition was found
    found.log.wake()
  }

  /** Sets the throttle time in every response of a broker, ms. @param id -1 for all brokers */
  setThrottle(id: number, ms: number): void {
    this.#context.faults.setThrottle(id, ms)
  }

  /**
   * Restricts the versions of an API that the brokers serve; null: none at all. Clients learn about it on their next
   * connection. Throws RangeError for versions that the cluster does not have.
   */
  setVersions(apiKey: number, range: { readonly min: number; readonly max: number } | null): void {
    if (range === null) {
      this.#stores.versions.delete(apiKey)
      return
    }
    const served = this.#served.get(apiKey)
    if (served === undefined || range.min > range.max || range.min < served.min || range.max > served.max) {
      const supported = served === undefined ? 'it is not served' : `it can be ${served.min} to ${served.max}`
      throw new RangeError(`api ${apiKey}: versions ${range.min} to ${range.max} are not possible, ${supported}`)
    }
    this.#stores.versions.set(apiKey, { min: range.min, max: range.max })
  }

  /** Adds a user or changes a password. Authenticated connections stay so. */
  setUser(name: string, user: string | UserOptions): void {
    this.#stores.logIn.users.set(name, user)
  }

  /** Removes a user. Authenticated connections stay so. Throws Error for an unknown user. */
  deleteUser(name: string): void {
    if (!this.#stores.logIn.users.delete(name)) throw new Error(`there is no user ${name}`)
  }

  /**
   * Makes a broker the coordinator of a group or transactional id. With `forgets` it knows nothing of a group's members,
   * as after an unclean election; committed offsets stay. Throws Error for an unknown broker.
   */
  setCoordinator(type: 'group' | 'transaction', key: string, id: number, options: { forgets?: boolean } = {}): void {
    this.#info(id)
    this.#stores.coordinators.set(type, key, id)
    if (options.forgets === true && type === 'group') this.#stores.groups.get(key)?.forgetMembers()
  }

  /**
   * Answers the next requests of an API with these errors, one each, whichever broker gets them. ERR__TRANSPORT (-195)
   * cuts the connection instead.
   */
  failNext(apiKey: number, errors: readonly FaultInput[]): void {
    this.#context.faults.failNext(null, apiKey, errors)
  }

  /** As `failNext`, for requests to one broker. Throws Error for an unknown broker. */
  failNextOn(id: number, apiKey: number, errors: readonly FaultInput[]): void {
    this.#info(id)
    this.#context.faults.failNext(id, apiKey, errors)
  }

  /**
   * Answers the next requests that name a partition with these errors for it, one each; the rest of such a request is
   * carried out. For Produce, Fetch, ListOffsets, OffsetForLeaderEpoch, DeleteRecords, DescribeProducers,
   * WriteTxnMarkers, ShareFetch and ShareAcknowledge. Throws Error for an unknown partition.
   */
  failPartition(topic: string, partition: number, apiKey: number, codes: readonly number[]): void {
    if (this.#stores.topics.partition(topic, partition) === undefined) {
      throw new Error(`there is no partition ${topic} [${partition}]`)
    }
    this.#context.faults.failPartition(topic, partition, apiKey, codes)
  }

  /**
   * Calls a function with every request; it may answer in the cluster's place.
   *
   * ```ts
   * const end = cluster.control(({ apiName }) => (apiName === 'ListGroups' ? { errorCode: 0, groups: [] } : undefined))
   * ```
   * @returns a function that ends this
   */
  control(control: Control): () => void {
    return this.#context.observers.add(control)
  }

  /** Drops the faults that no request has met yet, and the throttle times of `setThrottle`. */
  clearFaults(): void {
    this.#context.faults.clear()
  }

  /** Cuts every connection to a broker; clients may reconnect at once. Throws Error for an unknown broker. */
  dropConnections(id: number): void {
    this.#server(id).dropConnections()
  }

  /**
   * The requests that clients sent. `start` starts tracking; `stop` ends it and returns all requests since; without an
   * argument they are returned and tracking continues. `{ start: true }` and `{ stop: true }` do the same as the words.
   */
  requests(
    action?: 'start' | 'stop' | { readonly start?: boolean; readonly stop?: boolean },
  ): readonly TrackedRequest[] {
    const starts = action === 'start' || (typeof action === 'object' && action.start === true)
    const stops = action === 'stop' || (typeof action === 'object' && action.stop === true)
    if (starts) this.#context.observers.startTracking()
    return stops ? this.#context.observers.stopTracking() : [...this.#context.observers.tracked()]
  }

  /** Stops all brokers; resolves when nothing of the cluster is left but its `dataDir`. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    this.#context.pausedBrokers.resumeAll()
    await this.#registry?.close()
    closeStores(this.#stores)
    await Promise.all([...this.#servers.values()].map(server => server.close()))
    this.#storage?.close()
  }

  #info(id: number): BrokerInfo {
    const info = this.#stores.brokers.get(id)
    if (info === undefined) throw new Error(`there is no broker ${id}`)
    return info
  }

  #server(id: number): BrokerServer {
    const server = this.#servers.get(id)
    if (server === undefined) throw new Error(`there is no broker ${id}`)
    return server
  }

  #addresses(listener: number): string {
    return this.#stores.brokers.all
      .map(broker => addressOf(broker, listener))
      .map(({ host, port }) => hostPort(host, port))
      .join(',')
  }
}

function setupsOf(plans: readonly ListenerPlan[], { listeners }: Stores): ListenerSetup[] {
  return listeners.map(logIn => ({ logIn, tls: plans[logIn.index]?.tls ?? null }))
}
