/**
 * OffsetCommit requests: calls that wait together share one, and while the member joins again it is sent until the
 * coordinator accepts commits.
 */
import {
  ErrorCode,
  OffsetCommit,
  type Decoded,
  type OffsetCommitRequest,
  type OffsetCommitResponse,
} from '@ottla/protocol'
import type { Deadline } from '../../base/clock.ts'
import { groupByTopic } from '../../base/grouping.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import type { ClientContext } from '../../cluster/context.ts'
import { pauseBeforeRetry } from '../../cluster/rounds.ts'
import { KafkaError } from '../../errors.ts'
import type { ConsumerGroupMetadata, TopicPartitionOffset } from '../../types.ts'
import { memberAnswer, transientCode } from '../group/membership-errors.ts'
import type { OffsetStore } from '../partition/offset-store.ts'

// Names topics by id: what was read of one that was deleted says nothing about one that was made anew under its name.
const FIRST_WITH_IDS = 10
// Of calls that share a request: one that is too large fails as a whole.
const MOST_SHARED = 1000

/** An offset to commit, and its store if the partition is or was assigned to this consumer. */
export interface Commit {
  readonly offset: TopicPartitionOffset
  readonly store: OffsetStore | undefined
}

/** With the id of the topic that was read; null where none is known. */
export interface NamedCommit extends Commit {
  readonly topicId: string | null
}

/** What commits need from their group. */
export interface CommitterGroup {
  readonly groupId: string
  /**
   * The identity for a commit, without a generation outside a group. Throws KafkaError after the membership was lost.
   */
  committing(): ConsumerGroupMetadata
  /** Changes when the membership ends: its partitions may belong to others. */
  readonly term: number
  /** Generation or member epoch; -1 outside a group. */
  readonly generation: number
  /** The member joins again and keeps its partitions: until the group has its new assignment, commits may be refused. */
  readonly isRejoining: boolean
  /** The coordinator has refused a commit of this generation. */
  onRefused(api: 'OffsetCommit', code: number, generation: number): void
}

/** One call of `commit`. */
export interface CommitCall {
  readonly commits: readonly NamedCommit[]
  /** The membership at the time of the call. */
  readonly term: number
  readonly generation: number
  readonly deadline: Deadline
}

/** What came of the commits of all calls of a request. */
export class CommitAnswer {
  /** Those of them that were sent; ERR_NO_ERROR, or why one was not. */
  readonly #verdicts: ReadonlyMap<NamedCommit, number>
  readonly #byId: boolean
  readonly #codes = new Map<string, number>()

  constructor({ verdicts, byId }: Attempt, response: Decoded<OffsetCommitResponse>) {
    this.#verdicts = verdicts
    this.#byId = byId
    for (const { name, topicId, partitions } of response.topics)
      for (const { partitionIndex, errorCode } of partitions)
        this.#codes.set(keyOf(byId ? topicId : name, partitionIndex), errorCode)
  }

  codeOf(commit: NamedCommit): number {
    const verdict = this.#verdicts.get(commit) ?? ErrorCode.ERR__BAD_MSG
    if (verdict !== ErrorCode.ERR_NO_ERROR) return verdict
    const { partition } = commit.offset
    return this.#codes.get(keyOf(topicOf(commit, this.#byId), partition)) ?? ErrorCode.ERR__BAD_MSG
  }
}

/** How one attempt was sent. */
interface Attempt {
  readonly verdicts: ReadonlyMap<NamedCommit, number>
  /** It named topics by id. */
  readonly byId: boolean
  readonly generation: number
  readonly wasRejoining: boolean
}

export class CommitRequests {
  readonly #context: ClientContext
  readonly #cluster: Cluster
  readonly #group: CommitterGroup
  readonly #waiting = new Set<CommitCall>()
  readonly #sent = new WeakMap<CommitCall, Promise<CommitAnswer>>()

  constructor(context: ClientContext, cluster: Cluster, group: CommitterGroup) {
    this.#context = context
    this.#cluster = cluster
    this.#group = group
  }

  /** The call goes with the next request. */
  add(call: CommitCall): void {
    this.#waiting.add(call)
  }

  /** It is the call's turn: sends it and those that wait behind it, unless it went with an earlier one. */
  answerTo(call: CommitCall): Promise<CommitAnswer> {
    const sent = this.#sent.get(call)
    if (sent !== undefined) return sent
    const calls: CommitCall[] = []
    let count = 0
    for (const each of this.#waiting) {
      count += each.commits.length
      if (count > MOST_SHARED && calls.length > 0) break
      calls.push(each)
    }
    const answer = this.#send(calls)
    for (const each of calls) {
      this.#waiting.delete(each)
      this.#sent.set(each, answer)
    }
    return answer
  }

  async #send(calls: readonly CommitCall[]): Promise<CommitAnswer> {
    const group = this.#group
    const deadline = latest(calls)
    for (let attempt = 1; ; attempt++) {
      const tried = await this.#try(calls, deadline)
      const { response, generation, wasRejoining } = tried
      const errors = errorsOf(response)
      if (errors.includes(ErrorCode.ERR_UNKNOWN_TOPIC_ID)) this.#lookAtTopics(calls)
      const refusal = errors.find(code => memberAnswer('OffsetCommit', code) !== 'caller')
      if (refusal === undefined) return new CommitAnswer(tried, response)
      // Between the joins of all members and the new assignment a coordinator refuses what it accepts soon.
      const isPassing = refusal === ErrorCode.ERR_REBALANCE_IN_PROGRESS || refusal === ErrorCode.ERR_ILLEGAL_GENERATION
      const isKnown = isPassing && (wasRejoining || group.generation > generation)
      if (!isKnown) group.onRefused('OffsetCommit', refusal, generation)
      const isWorthIt = isKnown || (isPassing && group.isRejoining)
      if (!isWorthIt || !(await pauseBeforeRetry(this.#context, attempt, { deadline })))
        return new CommitAnswer(tried, response)
    }
  }

  /** One of them is gone, or another one has its name. */
  #lookAtTopics(calls: readonly CommitCall[]): void {
    const topics = new Set(calls.flatMap(({ commits }) => commits.map(({ offset }) => offset.topic)))
    this.#cluster.metadata.requestRefresh('the coordinator does not know a topic that was read', [...topics])
  }

  /** Rejects with KafkaError when nothing of it can be sent. */
  async #try(
    calls: readonly CommitCall[],
    deadline: Deadline,
  ): Promise<Attempt & { readonly response: Decoded<OffsetCommitResponse> }> {
    const { clock, counters } = this.#context
    const group = this.#group
    const { groupId } = group
    const askedAt = clock.now()
    const isEachNamed = calls.every(({ commits }) => commits.every(({ topicId }) => topicId !== null))
    let attempt: Attempt = { verdicts: new Map(), byId: false, generation: -1, wasRejoining: false }
    const body = (version: number): OffsetCommitRequest => {
      // Asked for in each attempt: a stale member epoch is replaced by the current one.
      const { memberId, generationId, groupInstanceId } = this.#identity(calls)
      const verdicts = this.#verdicts(calls, generationId)
      const byId = version >= FIRST_WITH_IDS
      attempt = { verdicts, byId, generation: generationId, wasRejoining: group.isRejoining }
      const topics = topicsOf(verdicts, byId)
      const request = { groupId, generationIdOrMemberEpoch: generationId, memberId, topics }
      return groupInstanceId === undefined || version < 7 ? request : { ...request, groupInstanceId }
    }
    const response = await this.#cluster.request(
      { to: 'coordinator', type: 'group', key: groupId },
      OffsetCommit,
      body,
      {
        deadline,
        maxVersion: isEachNamed ? FIRST_WITH_IDS : FIRST_WITH_IDS - 1,
        errorOf: response => {
          const code = errorsOf(response).find(each => transientCode('OffsetCommit', each) !== 0)
          if (code === undefined) return ErrorCode.ERR_NO_ERROR
          // The next attempt has the epoch that the next heartbeat brings.
          if (memberAnswer('OffsetCommit', code) === 'refresh-epoch')
            group.onRefused('OffsetCommit', code, attempt.generation)
          return code
        },
      },
    )
    counters.pushed.commitLatency.add(clock.now() - askedAt)
    return { ...attempt, response }
  }

  #identity(calls: readonly CommitCall[]): ConsumerGroupMetadata {
    const { groupId, term } = this.#group
    if (calls.every(call => call.term !== term))
      throw KafkaError.of(ErrorCode.ERR_UNKNOWN_MEMBER_ID, `group '${groupId}'`)
    return this.#group.committing()
  }

  /** @throws KafkaError if there is nothing to send */
  #verdicts(calls: readonly CommitCall[], generation: number): Map<NamedCommit, number> {
    const { groupId, term } = this.#group
    const verdicts = new Map<NamedCommit, number>()
    for (const call of calls)
      for (const commit of call.commits) verdicts.set(commit, verdictOn(commit, call, term, generation))
    const all = [...verdicts.values()]
    if (!all.includes(ErrorCode.ERR_NO_ERROR)) {
      // Out of time are all of them, or those that do not wait for this.
      const why = all.find(verdict => verdict !== ErrorCode.ERR__TIMED_OUT) ?? ErrorCode.ERR__TIMED_OUT
      throw KafkaError.of(why, `group '${groupId}'`)
    }
    return verdicts
  }
}

/** @param term - as the generation, of the next attempt */
function verdictOn(commit: Commit, call: CommitCall, term: number, generation: number): number {
  if (call.term !== term) return ErrorCode.ERR_UNKNOWN_MEMBER_ID
  if (call.deadline.expired) return ErrorCode.ERR__TIMED_OUT
  return isOver(commit, call.generation, generation) ? ErrorCode.ERR_ILLEGAL_GENERATION : ErrorCode.ERR_NO_ERROR
}

/**
 * Whether another member may have the partition by now, and may have committed more. Not so without a membership.
 * @param asked the generation at the time of the call
 * @param now the generation of the next attempt
 */
function isOver({ store }: Commit, asked: number, now: number): boolean {
  if (store === undefined) return asked >= 0 && now !== asked
  return store.isReleased && (asked >= 0 || now >= 0)
}

function latest(calls: readonly CommitCall[]): Deadline {
  return calls.map(({ deadline }) => deadline).reduce((last, each) => (each.left() > last.left() ? each : last))
}

/** Of several offsets for a partition the last one. */
function topicsOf(verdicts: ReadonlyMap<NamedCommit, number>, byId: boolean): OffsetCommitRequest['topics'] {
  const last = new Map<string, NamedCommit>()
  for (const [commit, verdict] of verdicts) {
    if (verdict === ErrorCode.ERR_NO_ERROR) last.set(keyOf(topicOf(commit, byId), commit.offset.partition), commit)
  }
  const offsets = [...last.values()].map(commit => ({ ...commit.offset, topic: topicOf(commit, byId) }))
  const topics = groupByTopic(offsets, ({ partition, offset, metadata, leaderEpoch }) => ({
    partitionIndex: partition,
    committedOffset: offset,
    committedLeaderEpoch: leaderEpoch ?? -1,
    // Brokers before 2.2 want a string.
    committedMetadata: metadata ?? '',
  }))
  return byId ? topics.map(({ name, partitions }) => ({ topicId: name, partitions })) : topics
}

/** As a request names it. */
function topicOf({ offset, topicId }: NamedCommit, byId: boolean): string {
  return byId && topicId !== null ? topicId : offset.topic
}

function keyOf(topic: string, partition: number): string {
  return `${topic}\0${partition}`
}

function errorsOf({ topics }: Decoded<OffsetCommitResponse>): number[] {
  const codes = topics.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode))
  return codes.filter(code => code !== ErrorCode.ERR_NO_ERROR)
}
