/** Sends commits in the order of the calls, and at intervals. */
import { ErrorCode } from '@ottla/protocol'
import { Deadline, sleep, type Timer } from '../../base/clock.ts'
import { messageOf } from '../../base/unknown-error.ts'
import { within } from '../../base/wait.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import type { ClientContext } from '../../cluster/context.ts'
import { KafkaError } from '../../errors.ts'
import type { CommitPayload } from '../../observe/channel-payloads.ts'
import { channels } from '../../observe/channels.ts'
import type { TopicPartitionOffset } from '../../types.ts'
import type { Assignment } from '../partition/assignment.ts'
import type { Cursor } from '../partition/cursor.ts'
import {
  CommitRequests,
  type Commit,
  type CommitAnswer,
  type CommitCall,
  type CommitterGroup,
  type NamedCommit,
} from './commit-requests.ts'

// How long to wait for the group's leader to assign partitions: it may have left.
const LEADER_ASSIGNS_MS = 5000

type OnEnded = (results: readonly TopicPartitionOffset[] | null) => void

export class Committer {
  readonly #context: ClientContext
  readonly #group: CommitterGroup
  readonly #requests: CommitRequests
  readonly #assignment: Assignment
  readonly #topicIdOf: (topic: string) => string | null
  // A retried commit must not overtake a later one.
  #last: Promise<unknown> = Promise.resolve()
  /** Calls that have not ended and name a partition that is not assigned: it may be one that is being given up. */
  #unassigned = 0
  #timer: Timer | null = null
  #running = false
  #closed = false

  /** @param topicIdOf the id of the topic that was read; null where none is known */
  constructor(
    context: ClientContext,
    cluster: Cluster,
    group: CommitterGroup,
    assignment: Assignment,
    topicIdOf: (topic: string) => string | null,
  ) {
    this.#context = context
    this.#assignment = assignment
    this.#topicIdOf = topicIdOf
    this.#group = group
    this.#requests = new CommitRequests(context, cluster, group)
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
    const isUnassigned = commits.some(({ store }) => store === undefined)
    if (isUnassigned) this.#unassigned++
    const ended: OnEnded = results => {
      if (isUnassigned) this.#unassigned--
      commits.forEach(({ offset, store }, i) => {
        const isCommitted = results !== null && results[i]?.error === undefined
        store?.commitEnded(eras[i] ?? 0, isCommitted ? offset : null)
      })
    }
    const { term, generation } = this.#group
    const named = commits.map(commit => ({ ...commit, topicId: this.#topicIdOf(commit.offset.topic) }))
    const call: CommitCall = { commits: named, term, generation, deadline }
    this.#requests.add(call)
    const turn = this.#traced(commits, () => this.#last.then(() => this.#perform(call, ended)))
    this.#last = turn.catch(() => undefined)
    // The wait for earlier commits counts, too.
    return within(turn, this.#context.clock, deadline, outOfTime)
  }

  /** Waits for commits of these partitions that are in flight. */
  async ended(cursors: readonly Cursor[], deadline: Deadline): Promise<void> {
    if (this.#unassigned === 0 && !cursors.some(({ offsets }) => offsets.isBeingCommitted)) return
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

  /** Published if anybody subscribes. */
  #traced(commits: readonly Commit[], work: () => Promise<TopicPartitionOffset[]>): Promise<TopicPartitionOffset[]> {
    if (!channels.commit.hasSubscribers) return work()
    const payload: CommitPayload = { client: this.#context.client, offsets: commits.map(({ offset }) => offset) }
    return channels.commit.trace(payload, async () => (payload.result = await work()))
  }

  /** @param ended called once, with the results if there are any, before they are reported */
  async #perform(call: CommitCall, ended: OnEnded): Promise<TopicPartitionOffset[]> {
    const { events, logger } = this.#context
    let answer: CommitAnswer
    try {
      answer = await this.#requests.answerTo(call)
    } catch (error) {
      ended(null)
      const offsets = call.commits.map(({ offset }) => offset)
      if (error instanceof KafkaError) events.emit({ type: 'offsets-committed', offsets, error })
      throw error
    }
    const results = call.commits.map(commit => this.#result(commit, answer))
    ended(results)
    const failed = results.filter(result => result.error !== undefined)
    const error = failed.length === results.length ? failed[0]?.error : undefined
    logger.debug('cgrp', 'COMMIT', `${results.length - failed.length} of ${results.length} offsets committed`)
    events.emit({ type: 'offsets-committed', offsets: results, ...(error === undefined ? {} : { error }) })
    if (error !== undefined) throw error
    return results
  }

  #result(commit: NamedCommit, answer: CommitAnswer): TopicPartitionOffset {
    const { topic, partition } = commit.offset
    const code = answer.codeOf(commit)
    if (code === ErrorCode.ERR_NO_ERROR) return { ...commit.offset }
    const what = `the commit of ${topic} [${partition}] in group '${this.#group.groupId}'`
    return { ...commit.offset, error: KafkaError.of(code, what) }
  }
}

function outOfTime(): KafkaError {
  return new KafkaError(ErrorCode.ERR__TIMED_OUT, 'the commit was not answered in time')
}
