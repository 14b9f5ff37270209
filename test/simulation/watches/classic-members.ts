/**
 * Members of classic groups on the wire: whoever is no member any more has given everything up before it joins, with
 * another id; heartbeats come in time; and commits are for what the member was given.
 */
import {
  ErrorCode,
  Heartbeat,
  JoinGroup,
  LeaveGroup,
  Metadata,
  OffsetCommit,
  Reader,
  SyncGroup,
  readConsumerProtocolAssignment,
  readConsumerProtocolSubscription,
  type Decoded,
  type HeartbeatRequest,
  type JoinGroupRequest,
  type JoinGroupResponse,
  type MetadataResponse,
  type OffsetCommitRequest,
  type SyncGroupResponse,
  type WireMessage,
} from '@ottla/protocol'
import type { Exchange, WireJudge } from './wire-watch.ts'
import type { Watched } from './watched.ts'

/** librdkafka's default. */
const HEARTBEAT_MS = 3000
/** How late a heartbeat may be where nothing goes wrong, ms. */
const LATE_MS = 1500
/** By then a member has given up what it has to, and its handlers have ended, ms. */
const GIVEN_UP_MS = 60_000
const COOPERATIVE = 'cooperative-sticky'
/** librdkafka's default. */
const SESSION_MS = 45_000
/** Beyond its session, a member waits so long for its assignment; then its connection must be dead; ms. */
const SYNC_GRACE_MS = 5000

class Member {
  id = ''
  generation = -1
  /** The last request but commits. */
  last: Exchange | null = null
  /** The coordinator said that it does not know the member, or its generation; null while it has not. */
  lost: 'member' | 'generation' | null = null
  lostAt = 0
  /** Since when it has been in its generation, or when it has last sent a heartbeat; null outside. */
  beatAt: number | null = null
  /** When the last heartbeat that was answered was sent, virtual ms; null outside. */
  heardAt: number | null = null
  /** The group's strategy lets members keep partitions while they join. */
  isCooperative = false
  /** Since when it has partitions to give up, and has to join again; null if it does not. */
  owesJoinSince: number | null = null
  /** Partitions by name: those that it has said that it has, when it last joined; */
  claimed = new Set<string>()
  /** of this generation, and of the one before, which it may still give up. */
  assigned = new Set<string>()
  before = new Set<string>()

  /** It is in no generation. */
  rests(): void {
    this.beatAt = null
    this.heardAt = null
    this.owesJoinSince = null
  }
}

export class ClassicJudge implements WireJudge {
  readonly apis = [JoinGroup.key, SyncGroup.key, Heartbeat.key, LeaveGroup.key, OffsetCommit.key, Metadata.key]
  readonly #world: Watched
  /** By host. */
  readonly #members = new Map<string, Member>()
  /** Of topics, by id: clients have learnt ids from the same responses. */
  readonly #names = new Map<string, string>()

  constructor(world: Watched) {
    this.#world = world
  }

  /** For how long nothing has been heard of a member's coordinator, virtual ms; 0 for those that are no members. */
  silenceMs(host: string): number {
    const heardAt = this.#members.get(host)?.heardAt ?? null
    return heardAt === null ? 0 : this.#world.now - heardAt
  }

  onRequest(exchange: Exchange): void {
    const { host, request } = exchange
    if (request.api.key === Metadata.key) return
    const member = this.#member(host)
    if (request.api.key === OffsetCommit.key) {
      this.#judgeCommit(host, member, request.body as Decoded<OffsetCommitRequest>)
      return
    }
    switch (request.api.key) {
      case Heartbeat.key:
        this.#judgeTime(host, member)
        break
      case JoinGroup.key:
        this.#judgeJoin(host, member, request.body as Decoded<JoinGroupRequest>)
        member.lost = null
        member.rests()
        break
      case LeaveGroup.key:
        member.rests()
        break
      default:
    }
    member.last = exchange
  }

  onLost(exchange: Exchange): void {
    this.#judgeSync(exchange)
  }

  onResponse(exchange: Exchange, { api, body }: WireMessage): void {
    if (api.key === Metadata.key) {
      const { topics } = body as Decoded<MetadataResponse>
      for (const { topicId, name } of topics) if (name !== null) this.#names.set(topicId, name)
      return
    }
    this.#judgeSync(exchange)
    const member = this.#member(exchange.host)
    // An answer to what was given up says nothing.
    if (member.last !== exchange) return
    const { errorCode: code } = body as { readonly errorCode: number }
    switch (api.key) {
      case JoinGroup.key:
        this.#joined(member, body as Decoded<JoinGroupResponse>)
        return
      case SyncGroup.key:
        if (code === ErrorCode.ERR_NO_ERROR) this.#synced(member, body as Decoded<SyncGroupResponse>)
        else this.#refused(member, code)
        return
      case Heartbeat.key: {
        const { memberId, generationId } = exchange.request.body as Decoded<HeartbeatRequest>
        if (memberId !== member.id || generationId !== member.generation) return
        const isKnown = code === ErrorCode.ERR_NO_ERROR || code === ErrorCode.ERR_REBALANCE_IN_PROGRESS
        if (isKnown) member.heardAt = exchange.sentAt
        else this.#refused(member, code)
        return
      }
      default:
    }
  }

  #joined(member: Member, response: Decoded<JoinGroupResponse>): void {
    const { errorCode, memberId, generationId, protocolName } = response
    if (errorCode === ErrorCode.ERR_NO_ERROR) {
      member.isCooperative = protocolName === COOPERATIVE
      member.id = memberId
      member.generation = generationId
    } else if (errorCode === ErrorCode.ERR_MEMBER_ID_REQUIRED) member.id = memberId
    else this.#refused(member, errorCode)
  }

  #synced(member: Member, { assignment }: Decoded<SyncGroupResponse>): void {
    member.before = member.assigned
    member.assigned = assignedIn(assignment)
    const givesUp = [...member.claimed].some(partition => !member.assigned.has(partition))
    member.owesJoinSince = member.isCooperative && givesUp ? this.#world.now : null
    member.beatAt = member.heardAt = this.#world.now
  }

  #refused(member: Member, code: number): void {
    if (code === ErrorCode.ERR_UNKNOWN_MEMBER_ID || code === ErrorCode.ERR_GROUP_ID_NOT_FOUND) member.lost = 'member'
    else if (code === ErrorCode.ERR_ILLEGAL_GENERATION) member.lost = 'generation'
    else return
    member.lostAt = this.#world.now
    member.rests()
    member.assigned.clear()
    member.before.clear()
  }

  #judgeSync({ host, request, sentAt }: Exchange): void {
    if (request.api.key !== SyncGroup.key) return
    const waitedMs = this.#world.now - sentAt
    const sessionMs = Number(this.#world.consumers.get(host)?.config['session.timeout.ms'] ?? SESSION_MS)
    if (waitedMs > sessionMs + SYNC_GRACE_MS + LATE_MS)
      this.#world.complain(
        `${host} has waited ${Math.round(waitedMs)} ms for its assignment (session.timeout.ms=${sessionMs})`,
      )
  }

  #judgeTime(host: string, member: Member): void {
    const { now } = this.#world
    const isCalm = this.#world.isCalmAt(host)
    const { beatAt } = member
    if (beatAt === null) return
    member.beatAt = now
    const owedMs = now - (member.owesJoinSince ?? now)
    if (isCalm && owedMs > GIVEN_UP_MS) {
      this.#world.complain(`${host} has given partitions up ${Math.round(owedMs)} ms ago, and has not joined again`)
      member.owesJoinSince = null
    }
    const interval = Number(this.#world.consumers.get(host)?.config['heartbeat.interval.ms'] ?? HEARTBEAT_MS)
    if (isCalm && now - beatAt > interval + LATE_MS)
      this.#world.complain(
        `${host} has sent no heartbeat for ${Math.round(now - beatAt)} ms (heartbeat.interval.ms=${interval})`,
      )
  }

  #judgeJoin(host: string, member: Member, { memberId, protocols }: Decoded<JoinGroupRequest>): void {
    if (member.lost === 'member' && memberId !== '' && memberId === member.id)
      this.#world.complain(`${host} joins as ${memberId}, which the coordinator does not know any more`)
    const held = this.#world.consumers.get(host)?.consumer.assignment() ?? []
    if ((memberId === '' || member.lost !== null) && held.length > 0)
      this.#world.complain(`${host} joins anew, and still has ${held.length} partitions of before`)
    if (held.length === 0) member.assigned.clear()
    member.claimed.clear()
    for (const { metadata } of protocols) {
      const { topics, owned } = subscriptionIn(metadata)
      const foreign = owned.map(({ topic }) => topic).filter(topic => !topics.includes(topic))
      if (foreign.length > 0)
        this.#world.complain(`${host} joins for ${topics.join(' ')}, and keeps partitions of ${foreign.join(' ')}`)
      for (const partition of owned.flatMap(namesOf)) member.claimed.add(partition)
    }
  }

  #judgeCommit(host: string, member: Member, body: Decoded<OffsetCommitRequest>): void {
    const { memberId, generationIdOrMemberEpoch: generation, topics } = body
    if (memberId === '' || memberId !== member.id) return
    if (member.lost !== null && member.lostAt < this.#world.now)
      this.#world.complain(`${host} commits as ${memberId}, and was told that it is no member any more`)
    if (generation !== member.generation || member.heardAt === null) return
    for (const { name, topicId, partitions } of topics) {
      for (const { partitionIndex } of partitions) {
        const partition = `${name === '' ? this.#names.get(topicId) : name} [${partitionIndex}]`
        if (member.assigned.has(partition) || member.before.has(partition)) continue
        this.#world.complain(`${host} commits for ${partition} in generation ${generation}, and does not have it`)
      }
    }
  }

  #member(host: string): Member {
    let member = this.#members.get(host)
    if (member === undefined) this.#members.set(host, (member = new Member()))
    return member
  }
}

function assignedIn(assignment: Buffer): Set<string> {
  if (assignment.length === 0) return new Set()
  const reader = new Reader(assignment)
  const { assignedPartitions } = readConsumerProtocolAssignment(reader, reader.int16())
  return new Set(assignedPartitions.flatMap(namesOf))
}

interface PartitionsOfTopic {
  readonly topic: string
  readonly partitions: readonly number[]
}

function namesOf({ topic, partitions }: PartitionsOfTopic): string[] {
  return partitions.map(partition => `${topic} [${partition}]`)
}

/** The topics that a member subscribes to, and the partitions that it has. */
function subscriptionIn(metadata: Buffer): { topics: readonly string[]; owned: readonly PartitionsOfTopic[] } {
  const reader = new Reader(metadata)
  const { topics, ownedPartitions } = readConsumerProtocolSubscription(reader, reader.int16())
  return { topics, owned: ownedPartitions }
}
