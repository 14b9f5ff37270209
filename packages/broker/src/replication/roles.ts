/** What leaders and followers do: copy, move the high watermark, change the ISR. */
import { ErrorCode } from '@ottla/protocol'
import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import type { LogMemory } from '../log/log-memory.ts'
import type { Topic, Partition, TopicStore } from '../topics/topics.ts'
import type { Controller } from './controller.ts'
import { copyFromLeader } from './copying.ts'
import { Leadership, type InSyncRules } from './leadership.ts'
import type { Members } from './members.ts'
import { Replica, type PartitionState } from './replica.ts'

export interface RoleOptions {
  readonly clock: Clock
  readonly random: Random
  readonly topics: TopicStore
  /** `replica.lag.time.max.ms` */
  readonly maxLagMs: number
  /** Whether the high watermark stays where it is while the ISR is smaller than `min.insync.replicas`. */
  readonly holdsBelowMinInSync: boolean
  /** Another broker leads a partition of an internal topic, and reads it. */
  readonly onCoordinatorMoved: (topic: string, partition: number) => void
  /** Where the bytes of replicas count. */
  readonly memory: LogMemory
  /** The last state of a partition that brokers were told. */
  readonly stateOf: (partition: Partition) => PartitionState | undefined
  /** The broker that the controller has elected leads now. */
  readonly onLead: (topic: Topic, partition: Partition) => void
}

// A fetch takes 1 to 10 ms unless a broker has a lag of its own.
const FASTEST_MS = 1
const SPREAD_MS = 10

export class Roles {
  readonly #options: RoleOptions
  readonly #members: Members
  readonly #controller: Controller
  #isClosed = false

  constructor(options: RoleOptions, members: Members, controller: Controller) {
    this.#options = options
    this.#members = members
    this.#controller = controller
  }

  /** Nothing is copied any more. */
  close(): void {
    this.#isClosed = true
  }

  /** A broker's replica of a partition that it has not known before. */
  made(brokerId: number, topic: Topic, index: number): Replica {
    const place = { brokerId, topicId: topic.id, topic: topic.name, index }
    const { clock, memory, topics } = this.#options
    const replica = new Replica(place, clock, memory, (own, offset) => this.#known(own, offset))
    let end = 0
    replica.log.onChange(() => {
      const { endOffset } = replica.log
      if (endOffset > end) {
        const rule = (name: string): number => Number(topics.config(topic, name))
        replica.flushPoints.appended(
          end,
          endOffset,
          { messages: rule('flush.messages'), ms: rule('flush.ms') },
          clock.now(),
        )
      } else if (endOffset < end) {
        replica.flushPoints.truncated(endOffset)
        // Others may be written in their place.
        replica.acknowledgements.cut(endOffset, ErrorCode.ERR_NOT_LEADER_FOR_PARTITION)
      }
      end = endOffset
      this.served(replica)
    })
    // Nothing is stored, but followers follow the start of the log, too.
    const wakeFollowers = (): void => {
      if (replica.leadership !== null) this.#wakeFollowers(replica, replica.leadership)
    }
    replica.log.persistTo({ appended: () => undefined, startMoved: wakeFollowers, rewritten: () => undefined })
    return replica
  }

  /** The controller has told a broker of a partition's state. */
  changed(replica: Replica, state: PartitionState): void {
    const { brokerId } = replica
    const isNewEpoch = state.leaderEpoch !== replica.leaderEpoch || state.leader !== replica.leader
    const wasReplica = replica.replicas.includes(brokerId)
    Object.assign(replica, state)
    if (!replica.replicas.includes(brokerId)) {
      resign(replica)
      stopFetching(replica)
      if (wasReplica) replica.log.startOver(0)
      else replica.log.wake()
      return
    }
    if (!isNewEpoch) {
      // A new replica may hear of it after its leader, who found it not ready to fetch.
      if (!wasReplica) this.scheduleFetch(replica)
      this.served(replica)
      this.inviteToIsr(replica)
      return
    }
    if (state.leader === brokerId) this.#lead(replica)
    else {
      resign(replica)
      stopFetching(replica)
      this.scheduleFetch(replica)
    }
    replica.log.wake()
  }

  #lead(replica: Replica): void {
    const { clock, onCoordinatorMoved, onLead, topics } = this.#options
    const { brokerId, isr, leaderEpoch, log } = replica
    const isMoved = replica.leadership === null && leaderEpoch > 0
    stopFetching(replica)
    replica.leadership?.close()
    replica.leadership = new Leadership(
      log.endOffset,
      isr.filter(id => id !== brokerId),
      clock.now(),
    )
    const topic = topics.byId(replica.topicId)
    const partition = topic?.partitions[replica.index]
    if (topic !== undefined && partition?.leader === brokerId) onLead(topic, partition)
    this.served(replica)
    if (isMoved && topic?.isInternal === true) onCoordinatorMoved(replica.topic, replica.index)
  }

  /** To be called for a leader whose log or ISR has changed, or whose follower has fetched. Others do nothing. */
  served(replica: Replica): void {
    const { clock } = this.#options
    const { brokerId, isr, leadership, log } = replica
    if (leadership === null) return
    leadership.appended(log.endOffset, clock.now(), id => this.#members.isFetching(id))
    if (!this.#isBelowMinInSync(replica) || !this.#options.holdsBelowMinInSync) {
      const mayJoin = (id: number): boolean => this.#controller.isAlive(id) && replica.replicas.includes(id)
      const watermark = leadership.watermark(log.endOffset, isr, brokerId, mayJoin, this.#rules())
      if (watermark > log.highWatermark) log.replicatedTo(watermark)
    }
    replica.acknowledgements.reached(log.highWatermark, this.#reachedCode(replica))
    this.#wakeFollowers(replica, leadership)
    this.#watchLag(replica, leadership)
  }

  #rules(): InSyncRules {
    return { maxLagMs: this.#options.maxLagMs, now: this.#options.clock.now() }
  }

  #isBelowMinInSync({ topicId, replicas, isr }: Replica): boolean {
    const { topics } = this.#options
    const topic = topics.byId(topicId)
    if (topic === undefined) return false
    // More than there are replicas would never be in sync.
    return isr.length < Math.min(replicas.length, Number(topics.config(topic, 'min.insync.replicas')))
  }

  #reachedCode(replica: Replica): number {
    return this.#isBelowMinInSync(replica) ? ErrorCode.ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND : ErrorCode.ERR_NO_ERROR
  }

  // What a producer gets at once, null if it has to wait.
  #known(replica: Replica, endOffset: number): number | null {
    if (replica.leadership === null || this.#isClosed) return ErrorCode.ERR_NOT_LEADER_FOR_PARTITION
    return endOffset <= replica.log.highWatermark ? this.#reachedCode(replica) : null
  }

  #wakeFollowers(leader: Replica, leadership: Leadership): void {
    for (const id of leader.replicas) {
      if (id === leader.brokerId) continue
      const follower = this.#members.replica(id, leader)
      if (follower !== undefined && lacks(follower, leader, leadership)) this.scheduleFetch(follower)
    }
  }

  /** Fetches from the leader after the broker's lag. */
  scheduleFetch(replica: Replica): void {
    const { brokerId, fetchTimer, leader, replicas } = replica
    const isFollower = leader >= 0 && leader !== brokerId && replicas.includes(brokerId)
    if (fetchTimer !== null || !isFollower || !this.#members.isFetching(brokerId) || this.#isClosed) return
    const { clock, random } = this.#options
    const chance = (): number => FASTEST_MS + ((random.bytes(1)[0] ?? 0) % SPREAD_MS)
    replica.fetchTimer = clock.setTimer(this.#members.of(brokerId).lagMs ?? chance(), () => {
      replica.fetchTimer = null
      this.#fetch(replica)
    })
  }

  // Does nothing while leader and follower disagree about the epoch: both fetch again when they hear of the right one.
  #fetch(replica: Replica): void {
    const leader = this.#members.replica(replica.leader, replica)
    if (leader === undefined || leader.leadership === null || !this.#members.isServing(replica.leader)) return
    if (leader.leaderEpoch !== replica.leaderEpoch || !this.#members.isFetching(replica.brokerId)) return
    const { leadership } = leader
    const result = copyFromLeader(replica.log, leader.log, leader.leaderEpoch, endOffset => {
      leadership.fetched(replica.brokerId, endOffset, leader.log.endOffset, this.#options.clock.now())
    })
    if (result === 'copied') {
      this.#extendIsr(leader, replica.brokerId)
      this.served(leader)
    }
    if (lacks(replica, leader, leadership)) this.scheduleFetch(replica)
  }

  #extendIsr(leader: Replica, id: number): void {
    const { isr, leadership, log } = leader
    const endOffset = leadership?.endOffsetOf(id) ?? -1
    if (leadership === null || isr.includes(id) || endOffset < Math.max(log.highWatermark, leadership.epochStart))
      return
    this.#alterIsr(leader, [...isr, id])
  }

  /** Lets the followers of a leader that are not in sync fetch, which shows what they lack. Others do nothing. */
  inviteToIsr(leader: Replica): void {
    if (leader.leadership === null) return
    for (const id of leader.replicas) {
      const follower = leader.isr.includes(id) ? undefined : this.#members.replica(id, leader)
      if (follower?.leader === leader.brokerId) this.scheduleFetch(follower)
    }
  }

  #watchLag(leader: Replica, leadership: Leadership): void {
    const { clock, maxLagMs } = this.#options
    const { brokerId, isr, log } = leader
    const at = leadership.nextLag(log.endOffset, isr, brokerId, maxLagMs)
    if (at === null || this.#isClosed) {
      leadership.close()
      return
    }
    leadership.lagTimer ??= clock.setTimer(Math.max(0, at - clock.now()), () => {
      leadership.lagTimer = null
      const lagging = leadership.lagging(leader.log.endOffset, leader.isr, brokerId, this.#rules())
      if (
        lagging.length > 0 &&
        this.#alterIsr(
          leader,
          leader.isr.filter(id => !lagging.includes(id)),
        )
      )
        return
      if (lagging.length === 0) this.#watchLag(leader, leadership)
    })
  }

  // The leader knows of the new ISR at once, whatever its metadata lag.
  #alterIsr(leader: Replica, isr: readonly number[]): boolean {
    const topic = this.#options.topics.byId(leader.topicId)
    const partition = topic?.partitions[leader.index]
    if (topic === undefined || partition === undefined || !this.#members.isServing(leader.brokerId)) return false
    // It would undo a change that it has not heard of.
    if (this.#options.stateOf(partition)?.version !== leader.version) return false
    if (!this.#controller.alterIsr(topic, partition, leader.brokerId, leader.leaderEpoch, isr)) return false
    const state = this.#options.stateOf(partition)
    if (state !== undefined && state.version > leader.version) this.changed(leader, state)
    return true
  }
}

// Whether a fetch would change anything.
function lacks(follower: Replica, leader: Replica, leadership: Leadership): boolean {
  if (follower.leader !== leader.brokerId || follower.leaderEpoch !== leader.leaderEpoch) return false
  const { log } = follower
  return (
    leadership.endOffsetOf(follower.brokerId) !== log.endOffset ||
    log.endOffset !== leader.log.endOffset ||
    log.highWatermark !== leader.log.highWatermark ||
    log.startOffset !== leader.log.startOffset
  )
}

/** The broker does not lead the partition any more. */
export function resign(replica: Replica): void {
  replica.leadership?.close()
  replica.leadership = null
  replica.acknowledgements.fail(ErrorCode.ERR_NOT_LEADER_FOR_PARTITION)
}

export function stopFetching(replica: Replica): void {
  replica.fetchTimer?.cancel()
  replica.fetchTimer = null
}
