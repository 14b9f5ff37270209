/** Sends commits in the order of the calls, and at intervals. */
import {
  ErrorCode,
  OffsetCommit,
  type Decoded,
  type OffsetCommitRequest,
  type OffsetCommitResponse,
} from '@ottla/protocol'
import { Deadline, sleep, type Timer } from '../../base/clock.ts'
import { groupByTopic } from '../../base/grouping.ts'
import { messageOf } from '../../base/unknown-error.ts'
import { within } from '../../base/wait.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import type { ClientContext } from '../../cluster/context.ts'
import { KafkaError } from '../../errors.ts'
import type { CommitPayload } from '../../observe/channel-payloads.ts'
import { channels } from '../../observe/channels.ts'
import type { ConsumerGroupMetadata, TopicPartitionOffset } from '../../types.ts'
import { memberAnswer, transientCode } from '../group/membership-errors.ts'
import type { Assignment } from '../partition/assignment.ts'
import type { Cursor } from '../partition/cursor.ts'
import type { OffsetStore } from '../partition/offset-store.ts'

// Later versions name topics by id.
const NEWEST_VERSION = 9
// How long to wait for the group's leader to assign partitions: it may have left.
const LEADER_ASSIGNS_MS = 5000

/** An offset to commit, and its store if the partition is or was assigned to this consumer. */
export interface Commit {
  readonly offset: TopicPartitionOffset
  readonly store: OffsetStore | undefined
}

/** What the committer needs from its group. */
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
  /** The coordinator has refused a commit of this generation. */
  onRefused(api: 'OffsetCommit', code: number, generation: number): void
}

/** The membership at the time of the call. */
type Asked = Pick<CommitterGroup, 'term' | 'generation'>

export class Committer {
  readonly #context: ClientContext
  readonly #cluster: Cluster
  readonly #group: CommitterGroup
  readonly #assignment: Assignment
  // A retried commit must not overtake a later one.
  #last: Promise<unknown> = Promise.resolve()
  #timer: Timer | null = null
  #running = false
  #closed = false

  constructor(context: ClientContext, cluster: Cluster, group: CommitterGroup, assignment: Assignment) {
    this.#context = context
    this.#cluster = cluster
    this.#assignment = assignment
    this.#group = group
  }

  /** Commits stored offsets every `auto.commit.interval.ms`, if `enable.auto.commit` is set. */
  start(): void {
    const { settings, clock } = this.#context
    const interval = settings['auto.commit.interval.ms']
    if (!settings['enable.auto.commit'] || interval <= 0) return
    const tick = (): void => {
      this.#timer = clock.setTimer(interval, tick)
      if (!this.#running) void this.#autoCommit()
    }
    this.#timer = clock.setTimer(interval, tick)
  }

  /** Ends automatic commits. */
  stop(): void {
    this.#closed = true
    this.#timer?.cancel()
  }

  /** The stored offsets of these partitions that are not committed. */
  pending(cursors: readonly Cursor[]): Commit[] {
    const commits: Commit[] = []
    this.#assignment.passGaps(cursors)
    for (const { topic, partition, offsets: store } of cursors) {
      const pending = store.pending()
      if (pending === null) continue
      const { offset, metadata, leaderEpoch } = pending
      const epoch = leaderEpoch >= 0 ? { leaderEpoch } : {}
      commits.push({ offset: { topic, partition, offset, metadata, ...epoch }, store })
    }
    return commits
  }

  /**
   * The given offsets, or the pending ones. Leaves out logical offsets, which cannot be committed, as librdkafka does.
   */
  toCommit(offsets?: readonly TopicPartitionOffset[]): Commit[] {
    if (offsets === undefined) return this.pending(this.#assignment.cursors)
    return offsets
      .filter(({ offset }) => offset >= 0)
      .map(offset => ({ offset, store: this.#assignment.get(offset.topic, offset.partition)?.offsets }))
  }

  /**
   * Commits after all earlier commits. Resolves with errors per partition, ERR_ILLEGAL_GENERATION for one that was
   * given up before the commit succeeded. Rejects with KafkaError when all have failed (the first one's error), and
   * with ERR__TIMED_OUT at the deadline.
   */
  commit(commits: readonly Commit[], deadline: Deadline): Promise<TopicPartitionOffset[]> {
    const eras = commits.map(({ store }) => store?.commitBegins() ?? 0)
    const ended = (results: readonly TopicPartitionOffset[] | null): void => {
      commits.forEach(({ offset, store }, i) => {
        const isCommitted = results !== null && results[i]?.error === undefined
        store?.commitEnded(eras[i] ?? 0, isCommitted ? offset : null)
      })
    }
    const { term, generation } = this.#group
    const turn = this.#last.then(() => this.#sendTraced(commits, { term, generation }, deadline, ended))
    this.#last = turn.catch(() => undefined)
    // The wait for earlier commits counts, too.
    return within(turn, this.#context.clock, deadline, outOfTime)
  }

  /** Waits for commits of these partitions that are in flight. */
  async ended(cursors: readonly Cursor[], deadline: Deadline): Promise<void> {
    if (!cursors.some(({ offsets }) => offsets.isBeingCommitted)) return
    await within(this.#last, this.#context.clock, deadline, outOfTime).catch(() => undefined)
  }

  /**
   * Commits the stored offsets of partitions that are given up; this is their last chance. A group accepts no commits
   * while its leader assigns partitions, so this waits for that. Failures are logged, and in the offsets-committed
   * event.
   */
  async commitStored(cursors: readonly Cursor[], deadline: Deadline): Promise<void> {
    const { clock, logger, settings } = this.#context
    const patience = Deadline.after(clock, LEADER_ASSIGNS_MS)
    // The results of earlier commits decide what is left to commit.
    await within(this.#last, clock, deadline, outOfTime).catch(() => undefined)
    for (;;) {
      const commits = this.pending(cursors.filter(({ offsets }) => !offsets.isReleased))
      if (commits.length === 0) return
      try {
        await this.commit(commits, deadline)
        return
      } catch (error) {
        // The call that has given them up meanwhile has committed the offsets, or reported why not.
        if (commits.every(({ store }) => store?.isReleased === true)) return
        const isAssigning = error instanceof KafkaError && error.code === ErrorCode.ERR_REBALANCE_IN_PROGRESS
        if (!isAssigning || deadline.expired || patience.expired) {
          const what = `offsets of ${commits.length} partitions could not be committed`
          logger.warning('COMMITFAIL', `${what}: ${messageOf(error)}`)
          return
        }
      }
      await sleep(clock, Math.min(settings['retry.backoff.ms'], deadline.left()))
    }
  }

  async #autoCommit(): Promise<void> {
    this.#running = true
    const { clock, settings, logger } = this.#context
    const commits = this.pending(this.#assignment.cursors)
    if (commits.length > 0) {
      try {
        await this.commit(commits, Deadline.after(clock, settings['socket.timeout.ms']))
      } catch (error) {
        // The next interval retries, with the offsets stored by then.
        if (!this.#closed) logger.debug('cgrp', 'COMMIT', messageOf(error))
      }
    }
    this.#running = false
  }

  /** As `#send`, published if anybody subscribes. */
  #sendTraced(
    commits: readonly Commit[],
    asked: Asked,
    deadline: Deadline,
    ended: (results: readonly TopicPartitionOffset[] | null) => void,
  ): Promise<TopicPartitionOffset[]> {
    const send = (): Promise<TopicPartitionOffset[]> => this.#send(commits, asked, deadline, ended)
    if (!channels.commit.hasSubscribers) return send()
    const payload: CommitPayload = { client: this.#context.client, offsets: commits.map(({ offset }) => offset) }
    return channels.commit.trace(payload, async () => (payload.result = await send()))
  }

  /** @param ended called once, with the results if there are any, before they are reported */
  async #send(
    commits: readonly Commit[],
    asked: Asked,
    deadline: Deadline,
    ended: (results: readonly TopicPartitionOffset[] | null) => void,
  ): Promise<TopicPartitionOffset[]> {
    const { clock, counters, events, logger } = this.#context
    const group = this.#group
    const { groupId } = group
    const askedAt = clock.now()
    let generation = -1
    let sent: readonly Commit[] = []
    const body = (version: number): OffsetCommitRequest => {
      if (group.term !== asked.term) throw KafkaError.of(ErrorCode.ERR_UNKNOWN_MEMBER_ID, `group '${groupId}'`)
      // Asked for in each attempt: a stale member epoch is replaced by the current one.
      const { memberId, generationId, groupInstanceId } = group.committing()
      generation = generationId
      sent = commits.filter(commit => !isOver(commit, asked.generation, generationId))
      if (sent.length === 0) throw KafkaError.of(ErrorCode.ERR_ILLEGAL_GENERATION, `group '${groupId}'`)
      const topics = requestTopics(sent)
      const request = { groupId, generationIdOrMemberEpoch: generationId, memberId, topics }
      return groupInstanceId === undefined || version < 7 ? request : { ...request, groupInstanceId }
    }
    let response: Decoded<OffsetCommitResponse>
    try {
      response = await this.#cluster.request({ to: 'coordinator', type: 'group', key: groupId }, OffsetCommit, body, {
        deadline,
        maxVersion: NEWEST_VERSION,
        errorOf: response => {
          const code = coordinatorError(response)
          // The next attempt has the epoch that the next heartbeat brings.
          if (memberAnswer('OffsetCommit', code) === 'refresh-epoch') group.onRefused('OffsetCommit', code, generation)
          return code
        },
      })
    } catch (error) {
      ended(null)
      const offsets = commits.map(({ offset }) => offset)
      if (error instanceof KafkaError) events.emit({ type: 'offsets-committed', offsets, error })
      throw error
    }
    counters.pushed.commitLatency.add(clock.now() - askedAt)
    const results = this.#results(commits, new Set(sent), response)
    ended(results)
    const failed = results.filter(result => result.error !== undefined)
    const error = failed.length === results.length ? failed[0]?.error : undefined
    logger.debug('cgrp', 'COMMIT', `${results.length - failed.length} of ${results.length} offsets committed`)
    events.emit({ type: 'offsets-committed', offsets: results, ...(error === undefined ? {} : { error }) })
    const refusal = errorsOf(response).find(code => memberAnswer('OffsetCommit', code) !== 'caller')
    if (refusal !== undefined) group.onRefused('OffsetCommit', refusal, generation)
    if (error !== undefined) throw error
    return results
  }

  #results(
    commits: readonly Commit[],
    sent: ReadonlySet<Commit>,
    response: Decoded<OffsetCommitResponse>,
  ): TopicPartitionOffset[] {
    const codes = new Map<string, number>()
    for (const topic of response.topics) {
      for (const p of topic.partitions) codes.set(`${topic.name}\0${p.partitionIndex}`, p.errorCode)
    }
    return commits.map(commit => {
      const { topic, partition } = commit.offset
      const code = sent.has(commit)
        ? (codes.get(`${topic}\0${partition}`) ?? ErrorCode.ERR__BAD_MSG)
        : ErrorCode.ERR_ILLEGAL_GENERATION
      if (code === ErrorCode.ERR_NO_ERROR) return { ...commit.offset }
      const what = `the commit of ${topic} [${partition}] in group '${this.#group.groupId}'`
      return { ...commit.offset, error: KafkaError.of(code, what) }
    })
  }
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

function outOfTime(): KafkaError {
  return new KafkaError(ErrorCode.ERR__TIMED_OUT, 'the commit was not answered in time')
}

function requestTopics(commits: readonly Commit[]): OffsetCommitRequest['topics'] {
  return groupByTopic(
    commits.map(commit => commit.offset),
    ({ partition, offset, metadata, leaderEpoch }) => ({
      partitionIndex: partition,
      committedOffset: offset,
      committedLeaderEpoch: leaderEpoch ?? -1,
      // Brokers before 2.2 want a string.
      committedMetadata: metadata ?? '',
    }),
  )
}

function errorsOf({ topics }: Decoded<OffsetCommitResponse>): number[] {
  const codes = topics.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode))
  return codes.filter(code => code !== ErrorCode.ERR_NO_ERROR)
}

function coordinatorError(response: Decoded<OffsetCommitResponse>): number {
  return errorsOf(response).find(code => transientCode('OffsetCommit', code) !== 0) ?? ErrorCode.ERR_NO_ERROR
}
