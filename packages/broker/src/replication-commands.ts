/** What tests do to the replication of a cluster, and what they see of it. */
import type { Stores } from './handlers/stores.ts'
import type { ReplicaStatus, Replication } from './replication/replication.ts'

/**
 * The methods of a cluster with `replication: 'simulated'`. Without it they throw Error, but for `setClockSkew`.
 * @since 0.1.0
 */
export class ReplicationCommands {
  readonly #stores: Stores

  /** @internal */
  protected constructor(stores: Stores) {
    this.#stores = stores
  }

  /**
   * The replicas of a partition in the order of their brokers, each as its broker sees it. Throws Error for an unknown
   * partition.
   */
  replicas(topic: string, partition: number): ReplicaStatus[] {
    const replication = this.#replication('replicas')
    const found = this.#stores.topics.partition(topic, partition)
    if (found === undefined) throw new Error(`there is no partition ${topic} [${partition}]`)
    return replication.replicas(found)
  }

  /**
   * Sets how long a broker's fetches from the leaders take, ms; null, the default: 1 to 10, by chance. Two of them
   * acknowledge a write with acks=all. Throws Error for an unknown broker.
   */
  setReplicationLag(id: number, ms: number | null): void {
    this.#replication('setReplicationLag').setLag(id, ms)
  }

  /**
   * A broker copies nothing any more; `replicaLagTimeMaxMs` after it began to lag it is out of sync. `resumeReplication`
   * ends this. Throws Error for an unknown broker.
   */
  stopReplication(id: number): void {
    this.#replication('stopReplication').stop(id)
  }

  /** Ends `stopReplication`. Throws Error for an unknown broker. */
  resumeReplication(id: number): void {
    this.#replication('resumeReplication').resume(id)
  }

  /**
   * Sets how long after the controller a broker hears of new topics, leaders and brokers, ms; Infinity: never. Until
   * then it answers by what it knows: a former leader goes on taking writes, which are lost when it hears of the new
   * one. 0, the default, applies what it has not heard yet at once. Throws Error for an unknown broker.
   */
  setMetadataLag(id: number, ms: number): void {
    this.#replication('setMetadataLag').setMetadataLag(id, ms)
  }

  /**
   * The controller takes a broker for dead though it serves its clients, as when only the connection between the two is
   * lost: others lead its partitions. With `setMetadataLag` it does not know that. `unfenceBroker` ends this. Throws
   * Error for an unknown broker.
   */
  fenceBroker(id: number): void {
    this.#replication('fenceBroker').fence(id)
  }

  /** Ends `fenceBroker`; a broker that is down stays fenced until `brokerUp`. Throws Error for an unknown broker. */
  unfenceBroker(id: number): void {
    this.#replication('unfenceBroker').unfence(id)
  }

  /**
   * Sets how long the new coordinator of groups or transactions answers COORDINATOR_LOAD_IN_PROGRESS, ms; 50 by
   * default.
   */
  setCoordinatorLoadTime(ms: number): void {
    this.#replication('setCoordinatorLoadTime')
    this.#stores.coordinators.loadTimeMs = ms
  }

  /**
   * Sets a broker's clock ahead of the cluster's by `ms`, or back if that is negative: the timestamps that it writes and
   * checks. Throws Error for an unknown broker.
   */
  setClockSkew(id: number, ms: number): void {
    const info = this.#stores.brokers.get(id)
    if (info === undefined) throw new Error(`there is no broker ${id}`)
    info.clockSkewMs = ms
  }

  #replication(method: string): Replication {
    const { replication } = this.#stores
    if (replication === null) throw new Error(`${method} needs a cluster with replication: 'simulated'`)
    return replication
  }
}
