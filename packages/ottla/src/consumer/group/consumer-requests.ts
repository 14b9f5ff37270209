/** The heartbeat of the consumer group protocol, which says everything that JoinGroup and its like say. */
import {
  ConsumerGroupHeartbeat,
  type ConsumerGroupHeartbeatRequest,
  type ConsumerGroupHeartbeatResponse,
  type Decoded,
} from '@ottla/protocol'
import { Deadline } from '../../base/clock.ts'
import type { Cluster, Target } from '../../cluster/cluster.ts'
import type { ClientContext } from '../../cluster/context.ts'
import { passingCode } from './membership-errors.ts'

/** Of a member that is not to be seen again, and of one with a `group.instance.id`, which may be. */
const LEAVE_EPOCH = -1
const STATIC_LEAVE_EPOCH = -2
/** The first version that knows patterns. */
export const FIRST_WITH_REGEX = 1

/** What changes from one heartbeat to the next; what is not there is as before. */
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
   * Passing errors are tried again; any other answer is returned with its code.
   * @throws NoRegexError when there is a pattern and the broker cannot match it
   */
  heartbeat(
    memberEpoch: number,
    changes: Changes,
    signal: AbortSignal,
  ): Promise<Decoded<ConsumerGroupHeartbeatResponse>> {
    const { clock, settings } = this.#context
    const { subscribedTopicRegex: regex, ...others } = changes
    const body = (version: number): ConsumerGroupHeartbeatRequest => {
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
      errorOf: response => passingCode('ConsumerGroupHeartbeat', response.errorCode),
    })
  }

  /** Rejects when it could not be said. */
  async leave(deadline: Deadline): Promise<void> {
    const epoch = this.#context.settings['group.instance.id'] === undefined ? LEAVE_EPOCH : STATIC_LEAVE_EPOCH
    await this.#cluster.request(this.#target, ConsumerGroupHeartbeat, this.#identity(epoch), {
      deadline,
      // Behind a heartbeat that is under way.
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
