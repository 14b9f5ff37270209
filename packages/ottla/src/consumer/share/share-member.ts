/** Membership in a share group: heartbeats bring the partitions to read (KIP-932). */
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
import { Heartbeats, wholeAgain, type HeartbeatAnswer, type HeartbeatHost } from '../group/heartbeats.ts'
import { transientCode } from '../group/membership-errors.ts'
import type { IdPartition } from './share-session.ts'
import { outside, step, type ShareMemberEvent, type SharePhase } from './share-states.ts'

export interface ShareMemberHost {
  /** The topics of the subscription, as of now. */
  topics(): readonly string[]
  /** The assignment has changed; empty when it is lost. */
  onAssigned(partitions: readonly IdPartition[]): void
  raise(error: KafkaError): void
}

const LEAVE_EPOCH = -1
// Until the coordinator has said how often it wants a heartbeat.
const FIRST_INTERVAL_MS = 3_000
// The coordinator assigns partitions only after its response to a new member: a whole interval would be a long wait.
const FIRST_ASK_AGAIN_MS = 50

interface Answer extends HeartbeatAnswer {
  readonly response: Decoded<ShareGroupHeartbeatResponse>
  /** The topics that the heartbeat named. */
  readonly sent: string
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
  /** The topics that the coordinator has; null when the next heartbeat has to say everything. */
  #sent: string | null = null
  /** When to ask again for partitions, ms; Infinity once there are some. */
  #askAgainMs = FIRST_ASK_AGAIN_MS

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

  /** Joins, or sends a changed subscription. */
  join(): void {
    this.#dispatch({ type: 'subscribe' })
  }

  /** Patterns may match other topics now. */
  onMetadata(): void {
    if (this.#sent !== null && JSON.stringify(this.#host.topics()) !== this.#sent) this.#heartbeats.kick()
  }

  /** The application has not polled for too long. */
  park(): void {
    this.#dispatch({ type: 'poll-exceeded' })
  }

  polled(): void {
    if (this.#state.phase === 'parked') this.#dispatch({ type: 'polled' })
  }

  /** Resolves when the coordinator has answered, or cannot be reached. */
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
          this.#sent = null
          this.#heartbeats.pause()
          this.#heartbeats.endMembership()
          this.#host.onAssigned([])
          break
        case 'leave':
          this.#heartbeats.leave(deadline => this.#request(this.#identity(LEAVE_EPOCH), deadline))
          break
        default:
          action satisfies never
      }
    }
  }

  #isActive(): boolean {
    return this.#state.phase === 'joining' || this.#state.phase === 'member'
  }

  #heartbeatHost(): HeartbeatHost<Answer> {
    return {
      api: 'ShareGroupHeartbeat',
      groupName: `share group '${this.#groupId}'`,
      isJoining: () => this.#state.phase === 'joining',
      isActive: () => this.#isActive(),
      maySend: () => true,
      send: signal => this.#send(signal),
      onAccepted: answer => this.#onAccepted(answer),
      forgetSent: () => (this.#sent = null),
      onLost: error => {
        this.#context.logger.warning('LOST', `${error.message}: joins again`)
        this.#dispatch({ type: 'fenced' })
        this.#heartbeats.begin()
      },
      onRefused: () => this.#dispatch({ type: 'refused' }),
      matchInClient: () => false,
      raise: error => this.#host.raise(error),
    }
  }

  async #send(signal: AbortSignal): Promise<Answer | null> {
    if (!this.#isActive()) return null
    const topics = this.#host.topics()
    const sent = JSON.stringify(topics)
    const { epoch } = this.#state
    const { clock, settings } = this.#context
    const rackId = settings['client.rack']
    const whole = {
      ...this.#identity(epoch),
      subscribedTopicNames: topics,
      ...(epoch > 0 || rackId === undefined ? {} : { rackId }),
    }
    const news = this.#sent === sent && epoch > 0 ? this.#identity(epoch) : whole
    this.#context.counters.pushed.heartbeats++
    const response = await this.#request(
      wholeAgain(news, whole),
      Deadline.after(clock, settings['socket.timeout.ms']),
      signal,
    )
    return { errorCode: response.errorCode, errorMessage: response.errorMessage, response, sent }
  }

  #onAccepted({ response: { memberEpoch, heartbeatIntervalMs, assignment }, sent }: Answer): void {
    if (this.#sent !== sent) this.#askAgainMs = FIRST_ASK_AGAIN_MS
    this.#sent = sent
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
    this.#heartbeats.plan(Math.min(intervalMs, this.#askAgainMs))
    this.#askAgainMs = assignment !== null && assignment.topicPartitions.length > 0 ? Infinity : this.#askAgainMs * 2
  }

  #request(
    body: ShareGroupHeartbeatRequest | (() => ShareGroupHeartbeatRequest),
    deadline: Deadline,
    signal?: AbortSignal,
  ): Promise<Decoded<ShareGroupHeartbeatResponse>> {
    return this.#cluster.request(this.#target, ShareGroupHeartbeat, body, {
      deadline,
      signal,
      lane: 'coordinator',
      errorOf: response => transientCode('ShareGroupHeartbeat', response.errorCode),
    })
  }

  #identity(memberEpoch: number): ShareGroupHeartbeatRequest {
    return { groupId: this.#groupId, memberId: this.id, memberEpoch }
  }
}
