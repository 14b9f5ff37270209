/** The heartbeat of the consumer group protocol, which takes the place of JoinGroup, SyncGroup and LeaveGroup. */
import {
  ConsumerGroupHeartbeat,
  type ConsumerGroupHeartbeatRequest,
  type ConsumerGroupHeartbeatResponse,
  type Decoded,
} from '@ottla/protocol'
import { Deadline } from '../../base/clock.ts'
import type { Cluster, Target } from '../../cluster/cluster.ts'
import type { ClientContext } from '../../cluster/context.ts'
import { wholeAgain } from './heartbeats.ts'
import { transientCode } from './membership-errors.ts'

/** For a member that will not come back, and for one with a `group.instance.id`, which may. */
const LEAVE_EPOCH = -1
const STATIC_LEAVE_EPOCH = -2
/** The first version with patterns. */
export const FIRST_WITH_REGEX = 1

/** What a heartbeat changes; fields that are left out stay as they were. */
export interface Changes {
  readonly rackId?: string
  readonly rebalanceTimeoutMs?: number
  readonly subscribedTopicNames?: readonly string[]
  /** Empty for no pattern (any more). */
  readonly subscribedTopicRegex?: string
  readonly serverAssignor?: string
  readonly topicPartitions?: readonly { readonly topicId: string; readonly partitions: readonly number[] }[]
}

/** The broker is too old to match patterns. */
export class NoRegexError extends Error {}

export class ConsumerRequests {
  readonly #context: ClientContext
  readonly #cluster: Cluster
  readonly #groupId: string
  readonly #memberId: string
  readonly #target: Target

  constructor(context: ClientContext, cluster: Cluster, groupId: string, memberId: string) {
    this.#context = context
    this.#cluster = cluster
    this.#groupId = groupId
    this.#memberId = memberId
    this.#target = { to: 'coordinator', type: 'group', key: groupId }
  }

  /**
   * Transient errors are retried; any other response is returned with its code.
   * @param whole - everything, for further attempts
   * @throws NoRegexError when there is a pattern and the broker is too old to match it
   */
  heartbeat(
    memberEpoch: number,
    changes: Changes,
    whole: Changes,
    signal: AbortSignal,
  ): Promise<Decoded<ConsumerGroupHeartbeatResponse>> {
    const { clock, settings } = this.#context
    const next = wholeAgain(changes, whole)
    const body = (version: number): ConsumerGroupHeartbeatRequest => {
      const { subscribedTopicRegex: regex, ...others } = next()
      const request = { ...this.#identity(memberEpoch), ...others }
      if (version >= FIRST_WITH_REGEX)
        return regex === undefined ? request : { ...request, subscribedTopicRegex: regex }
      if (regex !== undefined && regex !== '') throw new NoRegexError()
      return request
    }
    return this.#cluster.request(this.#target, ConsumerGroupHeartbeat, body, {
      deadline: Deadline.after(clock, settings['socket.timeout.ms']),
      signal,
      lane: 'coordinator',
      errorOf: response => transientCode('ConsumerGroupHeartbeat', response.errorCode),
    })
  }

  /** Rejects when the request fails. */
  async leave(deadline: Deadline): Promise<void> {
    const epoch = this.#context.settings['group.instance.id'] === undefined ? LEAVE_EPOCH : STATIC_LEAVE_EPOCH
    await this.#cluster.request(this.#target, ConsumerGroupHeartbeat, this.#identity(epoch), {
      deadline,
      // After a heartbeat that is in flight.
      lane: 'coordinator',
      errorOf: response => response.errorCode,
    })
  }

  #identity(memberEpoch: number): ConsumerGroupHeartbeatRequest {
    const instanceId = this.#context.settings['group.instance.id']
    const identity = { groupId: this.#groupId, memberId: this.#memberId, memberEpoch }
    return instanceId === undefined ? identity : { ...identity, instanceId }
  }
}
