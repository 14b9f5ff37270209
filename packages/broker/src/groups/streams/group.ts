/** A streams group (KIP-1071): the coordinator assigns the tasks of a Kafka Streams application, and names its topics. */
import { ErrorCode } from '@ottla/protocol'
import type { Timer } from '../../base/clock.ts'
import type { TopicRequest } from '../../topics/topics.ts'
import { areReconciled } from '../consumer-member.ts'
import type { ConsumerContext } from '../consumer.ts'
import { partitionKey, splitKey } from '../partition-set.ts'
import { GroupRefusal, knownMember } from '../refusal.ts'
import {
  configureTopology,
  topicsFingerprint,
  type ConfiguredTopology,
  type TopicProblem,
} from './configured-topology.ts'
import { reconcileTasks, type HeldTasks, type StreamsMember, type StreamsTarget, type TakenTasks } from './member.ts'
import { assignTasks, type StreamsAssignment } from './sticky-assignor.ts'
import { noTasks, type Tasks } from './tasks.ts'
import { isSameTopology, sourcesOf, StreamsStatus, type StreamsTopology } from './topology.ts'

export type StreamsState = 'Empty' | 'NotReady' | 'Assigning' | 'Reconciling' | 'Stable' | 'Dead'

/** What a member's process answers interactive queries with. */
export interface EndpointPartitions {
  readonly endpoint: { readonly host: string; readonly port: number }
  readonly active: readonly { readonly topic: string; readonly partitions: readonly number[] }[]
  readonly standby: readonly { readonly topic: string; readonly partitions: readonly number[] }[]
}

const NOT_VALIDATED = -1

export class StreamsGroup {
  readonly type = 'streams'
  readonly protocolType = 'streams'
  readonly id: string
  readonly members = new Map<string, StreamsMember>()
  readonly #context: ConsumerContext
  #topology: StreamsTopology | null = null
  #configured: ConfiguredTopology | null = null
  #fingerprint = ''
  /** Topics of the application have come, gone or grown since the last epoch. */
  #hasNewTopics = false
  #validatedEpoch = NOT_VALIDATED
  #epoch = 1
  #assignmentEpoch = 0
  #assignedAt = 0
  #standbys = 0
  #target: StreamsAssignment = new Map()
  /** Runs while the first members of the group are waited for. */
  #delay: Timer | null = null
  /** Goes up with every change of what is where, for members that answer queries. */
  #endpointEpoch = 0
  /** The member that wants the whole application to end. */
  #shutdownBy: string | null = null
  #dead = false

  constructor(id: string, context: ConsumerContext) {
    this.id = id
    this.#context = context
  }

  get state(): StreamsState {
    if (this.#dead) return 'Dead'
    if (this.members.size === 0) return 'Empty'
    if (this.#topology === null || this.#topology.epoch !== this.#validatedEpoch) return 'NotReady'
    if (this.#epoch > this.#assignmentEpoch) return 'Assigning'
    return areReconciled(this.members.values(), this.#assignmentEpoch) ? 'Stable' : 'Reconciling'
  }

  get epoch(): number {
    return this.#epoch
  }

  get assignmentEpoch(): number {
    return this.#assignmentEpoch
  }

  get endpointEpoch(): number {
    return this.#endpointEpoch
  }

  get topology(): StreamsTopology | null {
    return this.#topology
  }

  /** The topology with its topics; null if it was never looked at. */
  get configured(): ConfiguredTopology | null {
    return this.#configured
  }

  get heartbeatIntervalMs(): number {
    return this.#context.configs.number(this.id, 'streams.heartbeat.interval.ms')
  }

  get isEmpty(): boolean {
    return this.members.size === 0
  }

  targetOf(memberId: string): Tasks {
    return this.#target.get(memberId) ?? noTasks
  }

  /** @throws GroupRefusal UNKNOWN_MEMBER_ID */
  member(memberId: string): StreamsMember {
    return knownMember(this.members, memberId, this.id)
  }

  /** @throws GroupRefusal GROUP_MAX_SIZE_REACHED */
  checkRoom(memberId: string): void {
    const { maxSize } = this.#context
    if (this.members.size < maxSize || this.members.has(memberId)) return
    const message = `The streams group has reached its maximum capacity of ${maxSize} members.`
    throw new GroupRefusal(ErrorCode.ERR_GROUP_MAX_SIZE_REACHED, message)
  }

  /** @throws GroupRefusal INVALID_REQUEST for another application, or another version of it */
  checkTopology(topology: StreamsTopology | null): void {
    const own = this.#topology
    if (topology === null || own === null || own.epoch > topology.epoch || isSameTopology(own, topology)) return
    throw new GroupRefusal(ErrorCode.ERR_INVALID_REQUEST, 'Topology updates are not supported yet.')
  }

  /** @throws GroupRefusal INVALID_REQUEST for tasks that the application does not have */
  checkTasks(...tasks: (ReadonlySet<string> | null)[]): void {
    const subtopologies = this.#configured?.problem === null ? this.#configured.subtopologies : null
    if (subtopologies === null) return
    for (const keys of tasks) {
      for (const key of keys ?? []) {
        const { topicId: subtopologyId, partition } = splitKey(key)
        const count = subtopologies.find(each => each.subtopologyId === subtopologyId)?.tasks
        const problem =
          count === undefined
            ? `Subtopology ${subtopologyId} does not exist in the topology.`
            : `Task ${partition} for subtopology ${subtopologyId} is invalid. Number of tasks for this subtopology: ${count}`
        if (count === undefined || partition < 0 || partition >= count) {
          throw new GroupRefusal(ErrorCode.ERR_INVALID_REQUEST, problem)
        }
      }
    }
  }

  /**
   * Takes over the topology of the first member, and looks at its topics again.
   * @returns internal topics that have to be created
   * @throws GroupRefusal STREAMS_INVALID_TOPOLOGY
   */
  configure(topology: StreamsTopology | null): readonly TopicRequest[] {
    const { topics } = this.#context
    const own = this.#topology ?? topology
    if (own === null) throw new Error(`the members of streams group ${this.id} have not said what they run`)
    const fingerprint = topicsFingerprint(own, name => topics.get(name))
    if (this.#configured === null || fingerprint !== this.#fingerprint) {
      this.#configured = configureTopology(own, name => topics.get(name)?.partitions.length)
      this.#hasNewTopics ||= fingerprint !== this.#fingerprint
      this.#fingerprint = fingerprint
    }
    this.#topology = own
    return this.#configured.missing
  }

  /**
   * Raises the group epoch if anything has changed, assigns again if so, and takes the member a step further.
   * @param isFirst the group had no member before
   * @returns why the assignment is delayed, or null
   */
  settle(member: StreamsMember, owned: Tasks | null, changed: boolean, isFirst: boolean): string | null {
    const { clock, configs } = this.#context
    const validated = this.#configured?.problem === null ? (this.#topology?.epoch ?? NOT_VALIDATED) : NOT_VALIDATED
    const standbys = configs.number(this.id, 'streams.num.standby.replicas')
    const isNew = changed || this.#hasNewTopics || validated !== this.#validatedEpoch
    if (isNew || standbys !== this.#standbys) this.#epoch++
    this.#hasNewTopics = false
    this.#validatedEpoch = validated
    this.#standbys = standbys
    const delayMs = configs.number(this.id, 'streams.initial.rebalance.delay.ms')
    if (isFirst && delayMs > 0 && this.#delay === null) {
      this.#delay = clock.setTimer(delayMs, () => {
        this.#delay = null
        if (this.members.size > 0) this.#assign()
      })
    }
    const delayed = this.#assignIfNeeded()
    // While the first members are waited for, nobody is to have anything.
    const tasks = this.#delay === null ? this.targetOf(member.id) : noTasks
    this.#advance(member, { epoch: this.#assignmentEpoch, tasks, owned })
    return delayed
  }

  /** What keeps the application from running, for a member's heartbeat. */
  *problems(member: StreamsMember): Iterable<TopicProblem> {
    const epoch = this.#topology?.epoch ?? member.topologyEpoch
    if (member.topologyEpoch < epoch) {
      const statusDetail = `The member's topology epoch ${member.topologyEpoch} is behind the group's topology epoch ${epoch}.`
      yield { statusCode: StreamsStatus.staleTopology, statusDetail }
    }
    const problem = this.#configured?.problem ?? null
    if (problem !== null) yield problem
    if (this.#shutdownBy !== null) {
      const statusDetail = `Streams group member ${this.#shutdownBy} encountered a fatal error and requested a shutdown for the entire application.`
      yield { statusCode: StreamsStatus.shutdownApplication, statusDetail }
    }
  }

  /** All members are told to end. */
  requestShutdown(memberId: string): void {
    this.#shutdownBy ??= memberId
  }

  /** What of the application is where has changed. */
  endpointsChanged(): void {
    this.#endpointEpoch++
  }

  /** The members that answer queries, with the partitions of their tasks. */
  endpoints(): EndpointPartitions[] {
    return [...this.members.values()].flatMap(({ userEndpoint, assigned }) => {
      if (userEndpoint === null || (this.#configured?.subtopologies ?? null) === null) return []
      const active = this.partitionsOf(assigned.active.keys())
      return [{ endpoint: userEndpoint, active, standby: this.partitionsOf(assigned.standby) }]
    })
  }

  /** The partitions that tasks read, as far as their topics have so many. */
  partitionsOf(tasks: Iterable<string>): { topic: string; partitions: number[] }[] {
    const { topics } = this.#context
    const keys = new Set(tasks)
    return (this.#configured?.subtopologies ?? []).flatMap(({ subtopologyId, tasks: count, sources }) => {
      const numbers = Array.from({ length: count }, (_, i) => i).filter(i => keys.has(partitionKey(subtopologyId, i)))
      if (numbers.length === 0) return []
      return sources.map(topic => {
        const own = topics.get(topic)?.partitions.length ?? 0
        return { topic, partitions: own < numbers.length ? numbers.slice(0, own) : numbers }
      })
    })
  }

  /** Starts or extends a member's session. */
  keepAlive(member: StreamsMember): void {
    const ms = this.#context.configs.number(this.id, 'streams.session.timeout.ms')
    this.#startTimer(member, 'session', ms, () => true)
  }

  /** Removes a member. */
  fence(member: StreamsMember): void {
    for (const timer of member.timers.values()) timer.cancel()
    member.timers.clear()
    this.members.delete(member.id)
    this.#target.delete(member.id)
    this.#epoch++
    if (this.members.size === 0) this.#shutdownBy = null
  }

  /** 0, or why a member may not commit an offset with this epoch: the task was another one's then (KIP-1251). */
  checkTaskEpoch(memberId: string, epoch: number, topic: string, partition: number): number {
    const member = this.members.get(memberId)
    if (member === undefined || epoch === member.epoch) return ErrorCode.ERR_NO_ERROR
    const reader = this.#topology?.subtopologies.find(each => sourcesOf(each).includes(topic))
    const task = partitionKey(reader?.subtopologyId ?? '', partition)
    const since = member.assigned.active.get(task) ?? member.revoking.active.get(task)
    const isOwn = since !== undefined && epoch >= since && epoch < member.epoch
    return isOwn ? ErrorCode.ERR_NO_ERROR : ErrorCode.ERR_STALE_MEMBER_EPOCH
  }

  /** Whether the application reads the topic. */
  isSubscribedTo(topic: string): boolean {
    if (this.members.size === 0) return false
    return this.#topology?.subtopologies.some(each => sourcesOf(each).includes(topic)) ?? false
  }

  close(): void {
    for (const member of [...this.members.values()]) this.fence(member)
    this.#delay?.cancel()
    this.#delay = null
    this.#dead = true
  }

  #assignIfNeeded(): string | null {
    const { clock, configs } = this.#context
    if (this.#delay !== null) return 'Assignment delayed due to the configured initial rebalance delay.'
    if (this.#assignmentEpoch >= this.#epoch) return null
    const interval = configs.number(this.id, 'streams.assignment.interval.ms')
    if (this.#assignedAt > 0 && interval > 0 && clock.now() < this.#assignedAt + interval) {
      return 'Assignment delayed due to the configured assignment interval.'
    }
    this.#assign()
    return null
  }

  #assign(): void {
    const members = [...this.members.values()].map(({ id, processId }) => ({
      id,
      processId,
      target: this.targetOf(id),
    }))
    const subtopologies = this.#configured?.problem === null ? this.#configured.subtopologies : null
    this.#target = assignTasks(members, subtopologies ?? [], this.#standbys)
    this.#assignmentEpoch = this.#epoch
    this.#assignedAt = this.#context.clock.now()
  }

  #advance(member: StreamsMember, target: StreamsTarget): void {
    if (member.state === 'stable' && member.epoch === this.#assignmentEpoch) return
    const before = { epoch: member.epoch, state: member.state, assigned: member.assigned, revoking: member.revoking }
    const after = reconcileTasks(member, target, this.#taken(member.processId))
    if (after.assigned === before.assigned && after.revoking === before.revoking && after.epoch === before.epoch) return
    Object.assign(member, after, { previousEpoch: before.epoch })
    if (member.state !== 'unrevoked') {
      member.timers.get('rebalance')?.cancel()
      member.timers.delete('rebalance')
      return
    }
    const { epoch } = member
    this.#startTimer(member, 'rebalance', member.rebalanceTimeoutMs, () => member.epoch === epoch)
  }

  /** Fences the member when the time has passed. */
  #startTimer(member: StreamsMember, name: 'session' | 'rebalance', ms: number, isDue: () => boolean): void {
    member.timers.get(name)?.cancel()
    const timer = this.#context.clock.setTimer(ms, () => {
      if (this.members.get(member.id) === member && isDue()) this.fence(member)
    })
    member.timers.set(name, timer)
  }

  #taken(processId: string): TakenTasks {
    const active = new Set<string>()
    const inProcess = new Set<string>()
    const take = (held: HeldTasks, isOwn: boolean): void => {
      for (const task of held.active.keys()) {
        active.add(task)
        if (isOwn) inProcess.add(task)
      }
      if (isOwn) for (const task of held.standby) inProcess.add(task)
    }
    for (const member of this.members.values()) {
      take(member.assigned, member.processId === processId)
      take(member.revoking, member.processId === processId)
    }
    return { active, inProcess }
  }
}
