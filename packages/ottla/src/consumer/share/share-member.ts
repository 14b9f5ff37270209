/** Membership in a share group: heartbeats bring the partitions to take messages of (KIP-932). */
import {
  ShareGroupHeartbeat,
  type Decoded,
  type ShareGroupHeartbeatRequest,
  type ShareGroupHeartbeatResponse,
} from '@ottla/protocol'
import { Deadline } from '../../base/clock.ts'
import type { Cluster, Target } from '../../cluster/cluster.ts'
import type { ClientContext } from '../../cluster/context.ts'
import type { KafkaError } from '../../errors.ts'
import { Heartbeats, type HeartbeatAnswer, type HeartbeatHost } from '../group/heartbeats.ts'
import { passingCode } from '../group/membership-errors.ts'
import type { IdPartition } from './share-session.ts'
import { outside, step, type ShareMemberEvent, type SharePhase } from './share-states.ts'

export interface ShareMemberHost {
  /** What to subscribe to at present. */
  topics(): readonly string[]
  /** Another assignment; empty when there is none any more. */
  onAssigned(partitions: readonly IdPartition[]): void
  raise(error: KafkaError): void
}

const LEAVE_EPOCH = -1
// Until the coordinator has said how often it wants to be told.
const FIRST_INTERVAL_MS = 3_000
// It deals partitions out after its answer to whoever joins; a whole interval would be long to wait for them.
const FIRST_LOOK_MS = 50

interface Answer extends HeartbeatAnswer {
  readonly response: Decoded<ShareGroupHeartbeatResponse>
  /** The topics that were named. */
  readonly told: string
}

export class ShareMember {
  readonly id: string
  readonly #context: ClientContext
  readonly #cluster: Cluster
  readonly #groupId: string
  readonly #target: Target
  readonly #host: ShareMemberHost
  readonly #heartbeats: Heartbeats<Answer>
  #state = outside
  /** What the coordinator was told last; null when it has to be told everything. */
  #told: string | null = null
  /** How soon to ask again for partitions; Infinity once there are some. */
  #lookMs = FIRST_LOOK_MS

  constructor(context: ClientContext, cluster: Cluster, groupId: string, id: string, host: ShareMemberHost) {
    this.#context = context
    this.#cluster = cluster
    this.#groupId = groupId
    this.id = id
    this.#host = host
    this.#target = { to: 'coordinator', type: 'group', key: groupId }
    this.#heartbeats = new Heartbeats(context, cluster, this.#heartbeatHost())
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
    if (this.#told !== null && JSON.stringify(this.#host.topics()) !== this.#told) this.#heartbeats.kick()
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
    return this.#heartbeats.leaving
  }

  stop(): Promise<void> {
    return this.#heartbeats.stop()
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
          this.#heartbeats.kick()
          break
        case 'drop-assignment':
          this.#told = null
          this.#heartbeats.pause()
          this.#heartbeats.endMembership()
          this.#host.onAssigned([])
          break
        case 'goodbye':
          this.#heartbeats.sayGoodbye(deadline => this.#request(this.#identity(LEAVE_EPOCH), deadline))
          break
        default:
          action satisfies never
      }
    }
  }

  #isIn(): boolean {
    return this.#state.phase === 'joining' || this.#state.phase === 'member'
  }

  #heartbeatHost(): HeartbeatHost<Answer> {
    return {
      api: 'ShareGroupHeartbeat',
      groupName: `share group '${this.#groupId}'`,
      isJoining: () => this.#state.phase === 'joining',
      isIn: () => this.#isIn(),
      mayBegin: () => true,
      send: signal => this.#send(signal),
      onTaken: answer => this.#onTaken(answer),
      forgetTold: () => (this.#told = null),
      onLost: error => {
        this.#context.logger.warning('LOST', `${error.message}: joins anew`)
        this.#dispatch({ type: 'fenced' })
        this.#heartbeats.begin()
      },
      onRefused: () => this.#dispatch({ type: 'refused' }),
      matchHere: () => false,
      raise: error => this.#host.raise(error),
    }
  }

  async #send(signal: AbortSignal): Promise<Answer | null> {
    if (!this.#isIn()) return null
    const topics = this.#host.topics()
    const told = JSON.stringify(topics)
    const { epoch } = this.#state
    const { clock, settings } = this.#context
    const rackId = settings['client.rack']
    const body = {
      ...this.#identity(epoch),
      ...(this.#told === told && epoch > 0 ? {} : { subscribedTopicNames: topics }),
      ...(epoch > 0 || rackId === undefined ? {} : { rackId }),
    }
    const response = await this.#request(body, Deadline.after(clock, settings['socket.timeout.ms']), signal)
    return { errorCode: response.errorCode, errorMessage: response.errorMessage, response, told }
  }

  #onTaken({ response: { memberEpoch, heartbeatIntervalMs, assignment }, told }: Answer): void {
    if (this.#told !== told) this.#lookMs = FIRST_LOOK_MS
    this.#told = told
    this.#heartbeats.isKnown = true
    this.#dispatch({ type: 'answered', epoch: memberEpoch })
    if (assignment !== null) {
      this.#host.onAssigned(
        assignment.topicPartitions.flatMap(({ topicId, partitions }) =>
          partitions.map(partition => ({ topicId, partition })),
        ),
      )
    }
    const intervalMs = heartbeatIntervalMs > 0 ? heartbeatIntervalMs : FIRST_INTERVAL_MS
    this.#heartbeats.plan(Math.min(intervalMs, this.#lookMs))
    this.#lookMs = assignment !== null && assignment.topicPartitions.length > 0 ? Infinity : this.#lookMs * 2
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
