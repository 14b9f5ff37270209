/** Simulated replication: every broker has its own logs, copies them from the leaders, and may lose what was not copied. */
import { ErrorCode } from '@ottla/protocol'
import type { Brokers } from '../base/brokers.ts'
import { LogMemory } from '../log/log-memory.ts'
import type { PartitionLog } from '../log/log.ts'
import type { Partition, Replicator, Topic } from '../topics/topics.ts'
import type { TopicsView } from '../topics/views.ts'
import { BrokerMetadata, type Announcement } from './broker-metadata.ts'
import { Controller } from './controller.ts'
import { Members, type Member } from './members.ts'
import type { PartitionState } from './replica.ts'
import { Roles, resign, stopFetching, type RoleOptions } from './roles.ts'

export interface ReplicationOptions extends Omit<RoleOptions, 'memory' | 'stateOf' | 'onLead'> {
  readonly brokers: Brokers
}

/** How a broker goes down. */
export interface Crash {
  /** When the controller takes it for dead, ms from now; null: never. */
  readonly detectionMs: number | null
  /** Whether it loses what was not on its disk yet. */
  readonly forgets: boolean
}

/**
 * A replica of a partition, as `replicas` of a cluster shows it.
 * @since 0.1.0
 */
export interface ReplicaStatus {
  /** Broker id. */
  readonly broker: number
  /** One past its last record. */
  readonly endOffset: number
  /** One past the last record that it takes for replicated. */
  readonly highWatermark: number
  /** Whether the broker takes itself for the leader. */
  readonly isLeader: boolean
  /** Whether it is in the ISR, by the controller. */
  readonly inSync: boolean
  /** The leader epoch that the broker knows of. */
  readonly leaderEpoch: number
}

export class Replication implements Replicator {
  readonly #options: ReplicationOptions
  readonly #controller: Controller
  readonly #members = new Members()
  readonly #roles: Roles
  readonly #announced = new WeakMap<Partition, PartitionState>()
  // Only the leaders' logs count for the limit of memory.
  readonly #followersMemory = new LogMemory()

  constructor(options: ReplicationOptions) {
    this.#options = options
    this.#controller = new Controller(options.topics)
    this.#roles = new Roles(
      {
        ...options,
        memory: this.#followersMemory,
        stateOf: partition => this.#announced.get(partition),
        onLead: (topic, partition) => this.#useLeadersLog(topic, partition),
      },
      this.#members,
      this.#controller,
    )
    for (const { id } of options.brokers.all) this.#join(id)
  }

  /** `replica.lag.time.max.ms` */
  get maxLagMs(): number {
    return this.#options.maxLagMs
  }

  seenBy(brokerId: number): TopicsView {
    return this.#members.of(brokerId).metadata
  }

  isUp(brokerId: number): boolean {
    return this.#members.has(brokerId) && this.#controller.isAlive(brokerId)
  }

  elect(): void {
    this.#controller.electAll()
  }

  topicChanged(topic: Topic): void {
    for (const partition of topic.partitions) {
      this.#controller.settle(topic, partition)
      this.#announce(topic, partition)
      // Another min.insync.replicas may let the high watermark move.
      const leader = this.#members.get(partition.leader)?.metadata.byId(topic.id)?.partitions[partition.index]
      if (leader !== undefined) this.#roles.served(leader)
    }
  }

  topicDeleted(topic: Topic): void {
    this.#tell({ kind: 'deleted', topic })
  }

  /** The replicas of a partition, by broker id. */
  replicas({ topic, index, replicas, isr }: Partition): ReplicaStatus[] {
    return [...replicas]
      .sort((a, b) => a - b)
      .flatMap(id => {
        const replica = this.#members.get(id)?.metadata.partition(topic, index)
        if (replica === undefined) return []
        const { log, leaderEpoch, leadership } = replica
        const { endOffset, highWatermark } = log
        return [
          {
            broker: id,
            endOffset,
            highWatermark,
            isLeader: leadership !== null,
            inSync: isr.includes(id),
            leaderEpoch,
          },
        ]
      })
  }

  /** The logs of all replicas of a topic. */
  logsOf(topic: Topic): PartitionLog[] {
    const known = [...this.#members.values()].map(({ metadata }) => metadata.byId(topic.id)?.partitions ?? [])
    return known.flat().map(({ log }) => log)
  }

  /** Sets how long a broker's fetches take, ms; null: 1 to 10, by chance. */
  setLag(brokerId: number, ms: number | null): void {
    const member = this.#members.of(brokerId)
    member.lagMs = ms
    for (const replica of member.metadata.replicas()) {
      if (replica.fetchTimer === null) continue
      stopFetching(replica)
      this.#roles.scheduleFetch(replica)
    }
  }

  /** A broker copies nothing any more. */
  stop(brokerId: number): void {
    this.#members.of(brokerId).isStopped = true
  }

  /** Ends {@link stop}. */
  resume(brokerId: number): void {
    const member = this.#members.of(brokerId)
    member.isStopped = false
    this.#fetchAll(member)
  }

  /** Sets how long after the controller a broker hears of changes, ms. */
  setMetadataLag(brokerId: number, ms: number): void {
    this.#members.of(brokerId).metadata.setLag(ms)
  }

  /** A broker stands still: it neither copies nor lets others copy, and hears of nothing. */
  pause(brokerId: number): void {
    const member = this.#members.of(brokerId)
    member.isPaused = true
    member.metadata.pause()
  }

  /** Ends {@link pause}. */
  unpause(brokerId: number): void {
    const member = this.#members.of(brokerId)
    if (!member.isPaused) return
    member.isPaused = false
    if (member.isUp) member.metadata.resume()
    this.#restartFetches(member)
  }

  /** The controller takes a broker for dead, whether it is or not. Throws Error for an unknown broker. */
  fence(brokerId: number): void {
    const { id } = this.#members.of(brokerId)
    this.#controller.fence(id)
    this.#tell({ kind: 'broker', brokerId, isUp: false })
  }

  /** Ends {@link fence}, unless the broker is down. Throws Error for an unknown broker. */
  unfence(brokerId: number): void {
    const member = this.#members.of(brokerId)
    if (!member.isUp || this.#controller.isAlive(brokerId)) return
    this.#tell({ kind: 'broker', brokerId, isUp: true })
    this.#controller.unfence(brokerId)
    // It is in sync again with the next fetch.
    this.#fetchAll(member)
  }

  brokerAdded(brokerId: number): void {
    this.#join(brokerId)
    for (const topic of this.#options.topics.all()) {
      for (const [index, partition] of topic.partitions.entries()) {
        const state = this.#announced.get(partition)
        if (state !== undefined)
          this.#members.of(brokerId).metadata.announce({ kind: 'partition', topic, index, state })
      }
    }
  }

  brokerRemoved(brokerId: number): void {
    this.brokerDown(brokerId, { detectionMs: null, forgets: false })
    this.#members.delete(brokerId)
    this.#controller.fence(brokerId)
  }

  brokerDown(brokerId: number, { detectionMs, forgets }: Crash): void {
    const { clock, random } = this.#options
    const member = this.#members.of(brokerId)
    member.isUp = false
    member.metadata.pause()
    // A broker that is removed may be down already.
    member.detection?.cancel()
    member.detection = null
    for (const replica of member.metadata.replicas()) {
      resign(replica)
      stopFetching(replica)
      if (forgets) replica.survivingEnd = replica.flushPoints.survivingEnd(replica.log, random, clock.now())
    }
    member.isUnnoticed = detectionMs === null
    if (detectionMs === null) return
    if (detectionMs <= 0) {
      this.fence(brokerId)
      return
    }
    member.detection = clock.setTimer(detectionMs, () => {
      member.detection = null
      this.fence(brokerId)
    })
  }

  /** To be called when the broker accepts connections again. */
  brokerUp(brokerId: number): void {
    const member = this.#members.of(brokerId)
    for (const replica of member.metadata.replicas()) {
      replica.log.truncateTo(replica.survivingEnd)
      replica.survivingEnd = Infinity
      replica.log.producers.restarted()
    }
    member.detection?.cancel()
    member.detection = null
    if (member.isUnnoticed) this.#controller.restarted(brokerId)
    // A broker that registers again was gone, though the controller had not noticed yet.
    else if (this.#controller.isAlive(brokerId)) this.fence(brokerId)
    member.isUp = true
    member.isPaused = false
    member.metadata.catchUp()
    member.metadata.resume()
    this.unfence(brokerId)
    this.#restartFetches(member)
  }

  close(): void {
    this.#roles.close()
    for (const { metadata, detection } of this.#members.values()) {
      metadata.pause()
      detection?.cancel()
      for (const replica of metadata.replicas()) {
        resign(replica)
        stopFetching(replica)
      }
    }
  }

  #join(id: number): void {
    const metadata = new BrokerMetadata(this.#options.clock, {
      made: (topic, index) => this.#roles.made(id, topic, index),
      changed: (replica, state) => this.#roles.changed(replica, state),
      deleted: replica => {
        replica.acknowledgements.fail(ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART)
        resign(replica)
        stopFetching(replica)
        replica.log.close()
      },
    })
    // The id of a removed broker may be used again.
    this.#controller.forget(id)
    this.#members.set(id, {
      ...{ id, metadata, lagMs: null, isUp: true, isPaused: false, isStopped: false },
      ...{ detection: null, isUnnoticed: false },
    })
    for (const other of this.#members.keys()) {
      if (!this.#controller.isAlive(other)) metadata.announce({ kind: 'broker', brokerId: other, isUp: false })
    }
  }

  #tell(news: Announcement): void {
    for (const { metadata } of this.#members.values()) metadata.announce(news)
  }

  #announce(topic: Topic, partition: Partition): void {
    const before = this.#announced.get(partition)
    if (before !== undefined && isSame(before, partition)) return
    const { index, replicas, isr, leader, leaderEpoch } = partition
    const version = (before?.version ?? 0) + 1
    const state = { version, replicas: [...replicas], isr: [...isr], leader, leaderEpoch }
    this.#announced.set(partition, state)
    this.#tell({ kind: 'partition', topic, index, state })
    this.#useLeadersLog(topic, partition)
  }

  // What reads the cluster's records without a broker reads those of the leader.
  #useLeadersLog(topic: Topic, partition: Partition): void {
    const log = this.#members.get(partition.leader)?.metadata.byId(topic.id)?.partitions[partition.index]?.log
    if (log === undefined || log === partition.log) return
    partition.log.countIn(this.#followersMemory)
    log.countIn(this.#options.topics.memory)
    partition.log = log
  }

  // Everything that a broker follows.
  #fetchAll(member: Member): void {
    for (const replica of member.metadata.replicas()) this.#roles.scheduleFetch(replica)
  }

  // A broker is there again: it fetches, and the others fetch from it.
  #restartFetches(member: Member): void {
    this.#fetchAll(member)
    for (const replica of member.metadata.replicas()) {
      this.#roles.served(replica)
      this.#roles.inviteToIsr(replica)
    }
  }
}

function isSame(state: PartitionState, { replicas, isr, leader, leaderEpoch }: Partition): boolean {
  const isSameList = (a: readonly number[], b: readonly number[]): boolean =>
    a.length === b.length && a.every((id, i) => id === b[i])
  return (
    state.leader === leader &&
    state.leaderEpoch === leaderEpoch &&
    isSameList(state.isr, isr) &&
    isSameList(state.replicas, replicas)
  )
}

/** All logs of a topic: one for each partition, or one for each replica. */
export function logsOf(topic: Topic, replication: Replication | null): PartitionLog[] {
  return replication?.logsOf(topic) ?? topic.partitions.map(({ log }) => log)
}
