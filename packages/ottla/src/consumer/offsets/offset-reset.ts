/** Finds out where reading begins: the committed offset, or what a logical offset currently stands for. */
import { ErrorCode } from '@ottla/protocol'
import { Deadline, type Timer } from '../../base/clock.ts'
import { stackOf } from '../../base/unknown-error.ts'
import { WorkLoop } from '../../base/work-loop.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import { retryBackoffMs } from '../../cluster/rounds.ts'
import type { ClientContext } from '../../cluster/context.ts'
import {
  EARLIEST_TIMESTAMP,
  LATEST_TIMESTAMP,
  leaderError,
  listOffsets,
  type IsolationLevel,
  type TimestampQuery,
} from '../../cluster/queries.ts'
import { isRetriable } from '../../cluster/retry.ts'
import { resetPolicy, type ResetPolicy } from '../../config/reset-policy.ts'
import { KafkaError } from '../../errors.ts'
import { ErrorThrottle } from '../../observe/error-throttle.ts'
import { tailOf } from '../../offsets.ts'
import { OFFSET_BEGINNING, OFFSET_END, type TopicPartitionOffset } from '../../types.ts'
import { memberAnswer } from '../group/membership-errors.ts'
import type { MemberEpoch } from '../group/membership.ts'
import type { Cursor, CursorState } from '../partition/cursor.ts'
import { fetchCommitted } from './committed-offsets.ts'
import { LeaderLoops } from './leader-loops.ts'

/** What the resolver needs from its consumer. */
export interface ResolverHost {
  readonly cursors: readonly Cursor[]
  /** Cursors have become active. */
  onResolved(): void
  /** The member epoch for requests; null if the coordinator needs none. */
  membership(): MemberEpoch | null
  /** The coordinator has refused a request of this epoch. */
  onRefused(code: number, epoch: number): void
  /** Reports an error to the application. */
  raise(error: KafkaError, topic?: string): void
}

// A round that takes longer is started again, with the partitions assigned by then.
const STORED_ROUND_MS = 30_000
// How long to wait for metadata that names a leader.
const LEADERLESS_ROUND_MS = 5_000

/** Resolves the logical offset of every cursor, for as long as that takes. */
export class OffsetResolver {
  readonly #context: ClientContext
  readonly #cluster: Cluster
  readonly #groupId: string | undefined
  readonly #host: ResolverHost
  readonly #policy: ResetPolicy
  readonly #errorThrottle: ErrorThrottle
  readonly #stored = new WorkLoop(() => this.#resolveStored())
  readonly #logical: LeaderLoops
  readonly #abort = new AbortController()
  #failures = 0
  #timer: Timer | null = null

  constructor(context: ClientContext, cluster: Cluster, host: ResolverHost) {
    this.#context = context
    this.#cluster = cluster
    this.#groupId = context.settings['group.id']
    this.#host = host
    this.#errorThrottle = new ErrorThrottle(context.clock)
    this.#logical = new LeaderLoops(context, cluster.metadata, {
      cursors: () => this.#in('offset-query'),
      ask: (leader, cursors) =>
        this.#guarded('offset-query', cursors, () =>
          leader < 0 ? this.#findLeaders(cursors) : this.#askLeader(cursors),
        ),
    })
    // An invalid setting has been refused by the configuration.
    this.#policy = resetPolicy(context.settings['auto.offset.reset']) ?? { to: 'latest' }
  }

  /** Resolves the cursors that need it. */
  kick(): void {
    this.#stored.kick()
    this.#logical.kick()
  }

  /** The offset does not exist (any more): resets the position by `auto.offset.reset`. */
  reset(cursor: Cursor, reason: string): void {
    const { logger, clock, settings } = this.#context
    const policy = this.#policy
    if (policy.to === 'error') {
      cursor.stop()
      this.#host.raise(
        new KafkaError(ErrorCode.ERR__AUTO_OFFSET_RESET, `${cursor.name}: ${reason} (auto.offset.reset=error)`),
      )
      return
    }
    logger.debug('topic', 'OFFSET', `${cursor.name}: ${reason}: reset to ${settings['auto.offset.reset']}`)
    if (policy.to === 'age') cursor.lookUp(OFFSET_END, Math.max(0, Math.floor(clock.wallTime() - policy.ms)))
    else cursor.lookUp(policy.to === 'earliest' ? OFFSET_BEGINNING : OFFSET_END)
    this.#logical.kick()
  }

  /** The topic was recreated: offsets of the old one mean nothing in the new one. */
  restartTopic(topic: string, forget: (cursor: Cursor) => void): void {
    for (const cursor of this.#host.cursors) {
      if (cursor.topic !== topic || (cursor.state !== 'active' && cursor.state !== 'validating')) continue
      forget(cursor)
      this.reset(cursor, 'the topic was deleted and recreated')
    }
  }

  async close(): Promise<void> {
    this.#abort.abort()
    this.#timer?.cancel()
    await Promise.all([this.#stored.stop(), this.#logical.close()])
  }

  #in(state: CursorState): Cursor[] {
    return this.#host.cursors.filter(cursor => cursor.state === state)
  }

  /** @returns whether something is left to retry */
  async #guarded(
    state: 'stored-query' | 'offset-query',
    cursors: readonly Cursor[],
    round: () => Promise<boolean>,
  ): Promise<boolean> {
    try {
      const again = await round()
      if (!again) this.#errorThrottle.resolved(state)
      return again
    } catch (error) {
      if (this.#abort.signal.aborted) return false
      if (error instanceof KafkaError) {
        for (const cursor of cursors) cursor.failed(error)
        this.#report(state, error)
      } else this.#context.logger.error('OFFSET', stackOf(error))
      return true
    }
  }

  // Transient errors are not worth reporting; connections and the topic watch report their own errors.
  #report(subject: string, error: KafkaError, topic?: string): void {
    this.#context.logger.debug('topic', 'OFFSET', error.message)
    const { code } = error
    if (isRetriable(code) || code === ErrorCode.ERR__UNKNOWN_PARTITION) return
    // The member handles this itself, and has been notified.
    if (subject === 'stored-query' && memberAnswer('OffsetFetch', code) === 'lost-membership') return
    // Reported once for all partitions of a topic.
    const isTopics = topic !== undefined && code === ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED
    if (!isTopics && this.#errorThrottle.shouldReport(subject, error)) this.#host.raise(error)
    const ofTopic = KafkaError.of(code, `topic ${topic ?? ''}`)
    if (isTopics && this.#errorThrottle.shouldReport(topic, ofTopic)) this.#host.raise(ofTopic, topic)
  }

  /** Fetches committed offsets; notifies the member when the coordinator refuses it. */
  async #fetchCommitted(groupId: string, cursors: readonly Cursor[]): Promise<TopicPartitionOffset[]> {
    const { clock, settings } = this.#context
    let asking: MemberEpoch | null = null
    try {
      return await fetchCommitted(this.#cluster, groupId, cursors, {
        deadline: Deadline.after(clock, STORED_ROUND_MS),
        signal: this.#abort.signal,
        requireStable: settings['isolation.level'] === 'read_committed',
        membership: () => (asking = this.#host.membership()),
        onStale: code => this.#onRefused(code, asking),
      })
    } catch (error) {
      if (error instanceof KafkaError) this.#onRefused(error.code, asking)
      throw error
    }
  }

  #settled({ name, topic }: Cursor): void {
    this.#errorThrottle.resolved(name)
    this.#errorThrottle.resolved(topic)
  }

  #onRefused(code: number, asking: MemberEpoch | null): void {
    if (asking !== null) this.#host.onRefused(code, asking.memberEpoch)
  }

  async #resolveStored(): Promise<void> {
    const cursors = this.#in('stored-query')
    if (cursors.length === 0) return
    const groupId = this.#groupId
    if (groupId === undefined) {
      for (const cursor of cursors) this.reset(cursor, 'without group.id there is no committed offset')
      return
    }
    const again = await this.#guarded('stored-query', cursors, () => this.#askGroup(groupId, cursors))
    if (!again) this.#failures = 0
    if (!again || this.#abort.signal.aborted) return
    this.#timer?.cancel()
    const backoff = retryBackoffMs(this.#context, ++this.#failures)
    this.#timer = this.#context.clock.setTimer(backoff, () => this.#stored.kick())
  }

  /** @returns whether something is left to retry */
  async #askGroup(groupId: string, cursors: readonly Cursor[]): Promise<boolean> {
    const questions = cursors.map(cursor => cursor.question)
    const committed = await this.#fetchCommitted(groupId, cursors)
    let again = false
    cursors.forEach((cursor, i) => {
      const answer = committed[i]
      if (answer === undefined || cursor.question !== questions[i]) return
      if (answer.error !== undefined) {
        // Never taken for "nothing committed": that would lose the group's progress.
        again = true
        cursor.failed(answer.error)
        this.#report(cursor.name, answer.error, cursor.topic)
      } else if (answer.offset >= 0) {
        this.#settled(cursor)
        cursor.offsets.resumed(answer.offset, answer.metadata ?? null)
        cursor.activate(answer.offset, answer.leaderEpoch)
        this.#log(cursor, 'committed')
      } else {
        this.reset(cursor, 'no offset is committed')
      }
    })
    this.#host.onResolved()
    // A cursor that was added meanwhile has kicked the loop itself.
    return again
  }

  /** @returns as above */
  async #findLeaders(cursors: readonly Cursor[]): Promise<boolean> {
    const { metadata } = this.#cluster
    await metadata.refresh([...new Set(cursors.map(({ topic }) => topic))], {
      deadline: Deadline.after(this.#context.clock, LEADERLESS_ROUND_MS),
      signal: this.#abort.signal,
      allowAutoCreate: false,
    })
    let again = false
    for (const cursor of cursors) {
      if ((metadata.snapshot.topics.get(cursor.topic)?.partitions[cursor.partition]?.leader ?? -1) >= 0) continue
      again = true
      const error = leaderError(this.#cluster, cursor)
      cursor.failed(error)
      this.#report(cursor.name, error, cursor.topic)
    }
    this.#logical.kick()
    return again
  }

  /** @returns as above */
  async #askLeader(cursors: readonly Cursor[]): Promise<boolean> {
    const queries: TimestampQuery[] = []
    const places = cursors.map(cursor => {
      const at = queries.length
      const { topic, partition, target, targetTime, question } = cursor
      queries.push({ topic, partition, timestamp: target === OFFSET_BEGINNING ? EARLIEST_TIMESTAMP : LATEST_TIMESTAMP })
      if (tailOf(target) >= 0) queries.push({ topic, partition, timestamp: EARLIEST_TIMESTAMP })
      else if (targetTime >= 0) queries.push({ topic, partition, timestamp: targetTime })
      return { cursor, question, at, isTwofold: queries.length > at + 1 }
    })
    const { clock, settings } = this.#context
    const isolation: IsolationLevel = settings['isolation.level']
    // The full request timeout: giving up earlier would close the connection, with everything else in flight on it.
    const listed = await listOffsets(this.#cluster, this.#context, queries, {
      deadline: Deadline.after(clock, settings['socket.timeout.ms']),
      signal: this.#abort.signal,
      isolation,
      isOneRound: true,
    })
    let again = false
    for (const { cursor, question, at, isTwofold } of places) {
      // Another leader may have answered meanwhile.
      if (cursor.question !== question || cursor.state !== 'offset-query') continue
      const found = listed[at]
      const other = isTwofold ? listed[at + 1] : found
      const error = found?.error ?? other?.error
      if (found === undefined || other === undefined || error !== undefined) {
        again = true
        if (error === undefined) continue
        cursor.failed(error)
        this.#report(cursor.name, error, cursor.topic)
        continue
      }
      this.#settled(cursor)
      if (tailOf(cursor.target) >= 0) cursor.activate(Math.max(other.offset, found.offset - tailOf(cursor.target)))
      else cursor.activate(isTwofold && other.offset >= 0 ? other.offset : found.offset)
      this.#log(cursor, 'looked up')
    }
    this.#host.onResolved()
    return again
  }

  #log(cursor: Cursor, how: string): void {
    this.#context.logger.debug('fetch', 'OFFSET', `${cursor.name} begins at offset ${cursor.position} (${how})`)
  }
}
