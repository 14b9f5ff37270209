/** Membership in a share group: heartbeats bring the partitions to take messages of (KIP-932). */
import {
  ErrorCode,
  ShareGroupHeartbeat,
  errorName,
  type Decoded,
  type ShareGroupHeartbeatRequest,
  type ShareGroupHeartbeatResponse,
} from '@ottla/protocol'
import { backoffMs } from '../../base/backoff.ts'
import { Deadline, type Timer } from '../../base/clock.ts'
import { WorkLoop } from '../../base/work-loop.ts'
import type { Cluster, Target } from '../../cluster/cluster.ts'
import type { ClientContext } from '../../cluster/context.ts'
import { KafkaError } from '../../errors.ts'
import { Troubles } from '../../observe/troubles.ts'
import { memberAnswer, passingCode, type GroupApi } from '../group/membership-errors.ts'
import { outside, step, type ShareMemberEvent, type SharePhase } from './member-states.ts'
import type { IdPartition } from './share-session.ts'

export interface ShareMemberHost {
  /** What to subscribe to at present. */
  topics(): readonly string[]
  /** Another assignment; empty when there is none any more. */
  onAssigned(partitions: readonly IdPartition[]): void
  raise(error: KafkaError): void
}

const LEAVE_EPOCH = -1
const LEAVE_TIMEOUT_MS = 5_000
// A coordinator that has never answered is hardly going to.
const UNKNOWN_LEAVE_TIMEOUT_MS = 1_000
// Until the coordinator has said how often it wants to be told.
const FIRST_INTERVAL_MS = 3_000
// It deals partitions out after its answer to whoever joins; a whole interval would be long to wait for them.
const FIRST_LOOK_MS = 50

export class ShareMember {
  readonly id: string
  readonly #context: ClientContext
  readonly #cluster: Cluster
  readonly #groupId: string
  readonly #target: Target
  readonly #host: ShareMemberHost
  readonly #troubles: Troubles
  readonly #abort = new AbortController()
  /** Of one membership: its heartbeats must not be tried again behind the goodbye, nor count for the next one. */
  #membership = new AbortController()
  readonly #loop = new WorkLoop(() => this.#beat())
  #state = outside
  /** What the coordinator was told last; null when it has to be told everything. */
  #told: string | null = null
  /** The coordinator has taken this member in, once. */
  #isKnown = false
  #timer: Timer | null = null
  #failures = 0
  /** Memberships that ended before a second heartbeat was taken. */
  #shortLives = 0
  /** How soon to ask again for partitions; Infinity once there are some. */
  #lookMs = FIRST_LOOK_MS
  #leaving: Promise<void> = Promise.resolve()

  constructor(context: ClientContext, cluster: Cluster, groupId: string, id: string, host: ShareMemberHost) {
    this.#context = context
    this.#cluster = cluster
    this.#groupId = groupId
    this.id = id
    this.#host = host
    this.#troubles = new Troubles(context.clock)
    this.#target = { to: 'coordinator', type: 'group', key: groupId }
  }

  get phase(): SharePhase {
    return this.#state.phase
  }

  get isMember(): boolean {
    return this.#state.phase === 'member'
  }

  /** Subscribed, or to something else. */
  join(): void {
    this.#dispatch({ type: 'subscribe' })
  }

  /** The topics that patterns mean may be others. */
  onMetadata(): void {
    if (this.#told !== null && JSON.stringify(this.#host.topics()) !== this.#told) this.#loop.kick()
  }

  /** The program has not polled for too long. */
  park(): void {
    this.#dispatch({ type: 'poll-exceeded' })
  }

  polled(): void {
    if (this.#state.phase === 'parked') this.#dispatch({ type: 'polled' })
  }

  /** Resolves when the coordinator has been told, as far as it can be. */
  leave(): Promise<void> {
    this.#dispatch({ type: 'leave' })
    return this.#leaving
  }

  async stop(): Promise<void> {
    this.#abort.abort()
    this.#membership.abort()
    this.#timer?.cancel()
    await this.#loop.stop()
  }

  #dispatch(event: ShareMemberEvent): void {
    const before = this.#state
    const { state, actions } = step(before, event)
    this.#state = state
    if (state.phase !== before.phase) {
      const how = `from ${before.phase} to ${state.phase} (${event.type}), epoch ${state.epoch}`
      this.#context.logger.debug('cgrp', 'CGRPJOINSTATE', `share group '${this.#groupId}' changed ${how}`)
    }
    for (const action of actions) {
      switch (action) {
        case 'heartbeat':
          this.#loop.kick()
          break
        case 'drop-assignment':
          this.#told = null
          this.#timer?.cancel()
          this.#membership.abort()
          this.#membership = new AbortController()
          this.#host.onAssigned([])
          break
        case 'goodbye':
          this.#leaving = this.#sayGoodbye()
          break
        default:
          action satisfies never
      }
    }
  }

  #isIn(): boolean {
    return this.#state.phase === 'joining' || this.#state.phase === 'member'
  }

  #isStopped(): boolean {
    return this.#abort.signal.aborted
  }

  async #beat(): Promise<void> {
    this.#timer?.cancel()
    // Behind a goodbye: else that would end the new membership.
    await this.#leaving
    if (!this.#isIn() || this.#isStopped()) return
    const topics = this.#host.topics()
    const told = JSON.stringify(topics)
    const { epoch } = this.#state
    const changes = this.#told === told && epoch > 0 ? {} : { subscribedTopicNames: topics }
    const { clock, settings } = this.#context
    const rackId = settings['client.rack']
    const { signal } = this.#membership
    try {
      const body = {
        ...this.#identity(epoch),
        ...changes,
        ...(epoch > 0 || rackId === undefined ? {} : { rackId }),
      }
      const response = await this.#request(body, Deadline.after(clock, settings['socket.timeout.ms']), signal)
      if (signal.aborted) return
      if (response.errorCode === ErrorCode.ERR_NO_ERROR) this.#taken(response, told)
      else this.#onError(response.errorCode, response.errorMessage)
    } catch (error) {
      if (signal.aborted) return
      this.#onFailure(error)
    }
  }

  #taken({ memberEpoch, heartbeatIntervalMs, assignment }: Decoded<ShareGroupHeartbeatResponse>, told: string): void {
    if (this.#state.phase === 'member') this.#shortLives = 0
    if (this.#shortLives === 0) this.#failures = 0
    this.#troubles.over('group')
    if (this.#told !== told) this.#lookMs = FIRST_LOOK_MS
    this.#told = told
    this.#isKnown = true
    this.#dispatch({ type: 'answered', epoch: memberEpoch })
    if (assignment !== null) {
      this.#host.onAssigned(
        assignment.topicPartitions.flatMap(({ topicId, partitions }) =>
          partitions.map(partition => ({ topicId, partition })),
        ),
      )
    }
    const intervalMs = heartbeatIntervalMs > 0 ? heartbeatIntervalMs : FIRST_INTERVAL_MS
    this.#plan(Math.min(intervalMs, this.#lookMs))
    this.#lookMs = assignment !== null && assignment.topicPartitions.length > 0 ? Infinity : this.#lookMs * 2
  }

  #onError(code: number, message: string | null): void {
    this.#context.logger.debug(
      'cgrp',
      'HEARTBEAT',
      `share group '${this.#groupId}': ${errorName(code)}: ${message ?? ''}`,
    )
    this.#act('ShareGroupHeartbeat', KafkaError.of(code, `share group '${this.#groupId}'`, message))
  }

  #act(api: GroupApi, error: KafkaError): void {
    const answer = memberAnswer(api, error.code, this.#state.phase === 'joining')
    switch (answer) {
      case 'retry':
      case 'find-coordinator':
      case 'refresh-epoch':
        this.#later()
        return
      case 'rejoin':
      case 'lost-generation':
      case 'lost-membership':
        this.#shortLives++
        this.#context.logger.warning('LOST', `${error.message}: joins anew`)
        this.#dispatch({ type: 'fenced' })
        if (this.#shortLives > 1) this.#later()
        else this.#loop.kick()
        return
      case 'fatal':
        this.#refuse(new KafkaError(error.code, error.message, { cause: error, fatal: true }))
        return
      case 'take-member-id':
      case 'match-here':
      case 'new-session':
      case 'caller':
      case 'done':
      case 'tell':
        this.#refuse(error)
        return
      default:
        answer satisfies never
    }
  }

  #onFailure(error: unknown): void {
    // Whether the last one has arrived is not known: the next one says everything.
    this.#told = null
    if (!(error instanceof KafkaError)) {
      this.#context.logger.error('GROUP', error instanceof Error ? (error.stack ?? error.message) : String(error))
      this.#later()
      return
    }
    this.#context.logger.debug('cgrp', 'HEARTBEAT', error.message)
    // The search for the coordinator throws what a broker answers to it.
    this.#act(error.code < ErrorCode.ERR_UNKNOWN ? 'ShareGroupHeartbeat' : 'FindCoordinator', error)
  }

  #refuse(error: KafkaError): void {
    if (error.isFatal || this.#troubles.isNews('group', error.code)) this.#host.raise(error)
    if (error.isFatal) this.#dispatch({ type: 'refused' })
    // Somebody may put it right (an ACL, the broker's limits).
    else this.#later()
  }

  #later(): void {
    const { settings, random } = this.#context
    this.#told = null
    this.#plan(backoffMs(++this.#failures, settings['retry.backoff.ms'], settings['retry.backoff.max.ms'], random))
  }

  #plan(ms: number): void {
    this.#timer?.cancel()
    if (this.#isIn()) this.#timer = this.#context.clock.setTimer(ms, () => this.#loop.kick())
  }

  async #sayGoodbye(): Promise<void> {
    // Nobody could be asked ever.
    if (!this.#isKnown && this.#cluster.isCutOff) return
    const { clock, logger } = this.#context
    try {
      const limitMs = this.#isKnown ? LEAVE_TIMEOUT_MS : UNKNOWN_LEAVE_TIMEOUT_MS
      await this.#request(this.#identity(LEAVE_EPOCH), Deadline.after(clock, limitMs))
    } catch (error) {
      logger.debug('cgrp', 'LEAVE', error instanceof Error ? error.message : String(error))
    }
  }

  #request(
    body: ShareGroupHeartbeatRequest,
    deadline: Deadline,
    signal?: AbortSignal,
  ): Promise<Decoded<ShareGroupHeartbeatResponse>> {
    return this.#cluster.request(this.#target, ShareGroupHeartbeat, body, {
      deadline,
      signal,
      lane: 'coordinator',
      errorOf: response => passingCode('ShareGroupHeartbeat', response.errorCode),
    })
  }

  #identity(memberEpoch: number): ShareGroupHeartbeatRequest {
    return { groupId: this.#groupId, memberId: this.id, memberEpoch }
  }
}
