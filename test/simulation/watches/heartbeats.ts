/**
 * Members of KIP-848 groups and share groups on the wire: whoever is no member any more begins anew, and says everything.
 */
import {
  ConsumerGroupHeartbeat,
  ErrorCode,
  OffsetCommit,
  ShareGroupHeartbeat,
  errorName,
  type ConsumerGroupHeartbeatRequest,
  type Decoded,
  type OffsetCommitRequest,
  type ShareGroupHeartbeatRequest,
  type WireMessage,
} from '@ottla/protocol'
import type { Exchange, WireJudge } from './wire-watch.ts'
import type { Watched } from './watched.ts'

const losses: ReadonlySet<number> = new Set([
  ErrorCode.ERR_UNKNOWN_MEMBER_ID,
  ErrorCode.ERR_FENCED_MEMBER_EPOCH,
  ErrorCode.ERR_STALE_MEMBER_EPOCH,
  ErrorCode.ERR_GROUP_ID_NOT_FOUND,
])

interface Membership {
  /** The last heartbeat that was sent. */
  last: Exchange
  /** When the coordinator said that it does not know the member, virtual ms, and how; null while it has not. */
  lost: { readonly at: number; readonly code: number } | null
}

export class HeartbeatJudge implements WireJudge {
  readonly apis = [ConsumerGroupHeartbeat.key, ShareGroupHeartbeat.key, OffsetCommit.key]
  readonly #world: Watched
  /** By host and member. */
  readonly #memberships = new Map<string, Membership>()

  constructor(world: Watched) {
    this.#world = world
  }

  onRequest(exchange: Exchange): void {
    const { host, request } = exchange
    if (request.api.key === OffsetCommit.key) {
      this.#judgeCommit(host, request.body as Decoded<OffsetCommitRequest>)
      return
    }
    const { memberId, memberEpoch } = request.body as Heartbeat
    const key = `${host} ${memberId}`
    const membership = this.#memberships.get(key)
    const lost = membership?.lost ?? null
    if (lost !== null && memberEpoch > 0)
      this.#world.complain(`${host} goes on with epoch ${memberEpoch}, and was told ${errorName(lost.code)} before`)
    if (memberEpoch === 0) this.#judgeFirst(exchange)
    if (membership === undefined) this.#memberships.set(key, { last: exchange, lost: null })
    else {
      membership.last = exchange
      membership.lost = null
    }
  }

  onResponse(exchange: Exchange, { body }: WireMessage): void {
    const { host, request } = exchange
    if (request.api.key === OffsetCommit.key) return
    const { memberId, memberEpoch } = request.body as Heartbeat
    const membership = this.#memberships.get(`${host} ${memberId}`)
    const { errorCode: code } = body as { readonly errorCode: number }
    // An answer to an earlier membership says nothing about this one.
    if (membership?.last !== exchange || memberEpoch <= 0 || !losses.has(code)) return
    membership.lost = { at: this.#world.now, code }
  }

  /** What the coordinator has forgotten of a member, it has to be told again. */
  #judgeFirst({ host, request }: Exchange): void {
    const body = request.body as FirstHeartbeat
    const missing = [
      body.subscribedTopicNames === null ? 'its topics' : null,
      body.rebalanceTimeoutMs === -1 ? 'the time that it needs for a rebalance' : null,
      body.topicPartitions === null ? 'that it has no partitions' : null,
    ].filter(each => each !== null)
    if (missing.length > 0) this.#world.complain(`${host} joins, and does not say ${missing.join(', nor ')}`)
    const held = (body.topicPartitions ?? []).length
    if (held > 0) this.#world.complain(`${host} joins, and says that it has partitions of ${held} topics`)
  }

  #judgeCommit(host: string, { memberId, generationIdOrMemberEpoch: epoch }: Decoded<OffsetCommitRequest>): void {
    const lost = this.#memberships.get(`${host} ${memberId}`)?.lost ?? null
    // What is sent at that very moment may have been on its way.
    if (lost !== null && epoch > 0 && lost.at < this.#world.now)
      this.#world.complain(`${host} commits with epoch ${epoch}, and was told ${errorName(lost.code)} before`)
  }
}

type Heartbeat = Decoded<ConsumerGroupHeartbeatRequest | ShareGroupHeartbeatRequest>
type FirstHeartbeat = Pick<Heartbeat, 'subscribedTopicNames'> &
  Partial<Pick<Decoded<ConsumerGroupHeartbeatRequest>, 'rebalanceTimeoutMs' | 'topicPartitions'>>
