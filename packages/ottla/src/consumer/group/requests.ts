/** The requests of a member of a classic group. Each goes to the current coordinator. */
import {
  Heartbeat,
  JoinGroup,
  LeaveGroup,
  SyncGroup,
  type Decoded,
  type JoinGroupResponse,
  type LeaveGroupRequest,
  type SyncGroupResponse,
} from '@ottla/protocol'
import { Deadline } from '../../base/clock.ts'
import { messageOf } from '../../base/unknown-error.ts'
import type { Cluster, Target } from '../../cluster/cluster.ts'
import type { ClientContext } from '../../cluster/context.ts'
import { transientCode, type GroupApi } from './membership-errors.ts'

/** The identity of the member, as far as it is known. */
export interface Member {
  readonly memberId: string
  /** -1 before the first one. */
  readonly generation: number
}

/** A strategy that the member offers. */
export interface JoinProtocol {
  readonly name: string
  readonly metadata: Buffer
}

export interface MemberAssignment {
  readonly memberId: string
  readonly assignment: Buffer
}

// On top of the time that the coordinator may wait for the other members.
const GRACE_MS = 5_000
const LEAVE_TIMEOUT_MS = 5_000

/** The code of a transient error, else ERR_NO_ERROR. */
function transient(api: GroupApi): (response: { errorCode: number }) => number {
  return ({ errorCode }) => transientCode(api, errorCode)
}

/** Transient errors are retried; any other response is returned with its code. */
export class GroupRequests {
  readonly #context: ClientContext
  readonly #cluster: Cluster
  readonly #groupId: string
  readonly #target: Target

  constructor(context: ClientContext, cluster: Cluster, groupId: string) {
    this.#context = context
    this.#cluster = cluster
    this.#groupId = groupId
    this.#target = { to: 'coordinator', type: 'group', key: groupId }
  }

  /** Answered when all members have joined, or the slow ones have timed out (`max.poll.interval.ms`). */
  join(memberId: string, protocols: readonly JoinProtocol[], signal: AbortSignal): Promise<Decoded<JoinGroupResponse>> {
    const { settings } = this.#context
    return this.#cluster.request(
      this.#target,
      JoinGroup,
      version => ({
        groupId: this.#groupId,
        sessionTimeoutMs: settings['session.timeout.ms'],
        rebalanceTimeoutMs: settings['max.poll.interval.ms'],
        memberId,
        protocolType: 'consumer',
        protocols,
        ...this.#instance(version, 5),
      }),
      this.#patient('JoinGroup', signal),
    )
  }

  /**
   * Answered when the leader has sent the assignment: soon, and so the request is sent again when its connection must be
   * dead (librdkafka: session.timeout.ms and a grace).
   */
  sync(
    { memberId, generation }: Member,
    protocolName: string,
    assignments: readonly MemberAssignment[],
    signal: AbortSignal,
  ): Promise<Decoded<SyncGroupResponse>> {
    return this.#cluster.request(
      this.#target,
      SyncGroup,
      version => ({
        groupId: this.#groupId,
        generationId: generation,
        memberId,
        assignments,
        ...this.#instance(version, 3),
        ...(version < 5 ? {} : { protocolType: 'consumer', protocolName }),
      }),
      this.#patient('SyncGroup', signal, this.#context.settings['session.timeout.ms']),
    )
  }

  async heartbeat({ memberId, generation }: Member, timeoutMs: number, signal: AbortSignal): Promise<number> {
    const response = await this.#cluster.request(
      this.#target,
      Heartbeat,
      version => ({ groupId: this.#groupId, generationId: generation, memberId, ...this.#instance(version, 3) }),
      {
        deadline: Deadline.after(this.#context.clock, timeoutMs),
        signal,
        lane: 'coordinator',
        errorOf: transient('Heartbeat'),
      },
    )
    return response.errorCode
  }

  /** Leaves the group; a failure is only logged. */
  async leave(memberId: string): Promise<void> {
    const { clock, settings, logger } = this.#context
    // Static members come back to their partitions: they do not leave (KIP-345).
    if (memberId === '' || settings['group.instance.id'] !== undefined) return
    const groupId = this.#groupId
    const body = (version: number): LeaveGroupRequest =>
      version >= 3 ? { groupId, members: [{ memberId }] } : { groupId, memberId }
    try {
      // Not on the coordinator's lane: a JoinGroup there may take minutes to be answered.
      await this.#cluster.request(this.#target, LeaveGroup, body, {
        deadline: Deadline.after(clock, LEAVE_TIMEOUT_MS),
        errorOf: transient('LeaveGroup'),
      })
    } catch (error) {
      logger.debug('cgrp', 'LEAVE', messageOf(error))
    }
  }

  #instance(version: number, since: number): { groupInstanceId?: string } {
    const groupInstanceId = this.#context.settings['group.instance.id']
    return groupInstanceId === undefined || version < since ? {} : { groupInstanceId }
  }

  /** @param answeredMs - by then a broker has answered, if it ever does */
  #patient(api: GroupApi, signal: AbortSignal, answeredMs = this.#context.settings['max.poll.interval.ms']) {
    const { clock, settings } = this.#context
    const deadline = Deadline.after(clock, settings['max.poll.interval.ms'] + GRACE_MS)
    const lane = 'coordinator' as const
    return { deadline, timeoutMs: answeredMs + GRACE_MS, signal, lane, errorOf: transient(api) }
  }
}
