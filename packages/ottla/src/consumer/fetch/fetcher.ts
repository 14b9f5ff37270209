/** Keeps one fetch in flight with every broker that has something to fetch. */
import {
  ErrorCode,
  Fetch,
  ProtocolError,
  ZERO_UUID,
  type Decoded,
  type FetchRequest,
  type FetchResponse,
  type RecordBatch,
} from '@ottla/protocol'
import { Alarm } from '../../base/alarm.ts'
import { messageOf, stackOf } from '../../base/unknown-error.ts'
import { WorkLoop } from '../../base/work-loop.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import { retryBackoffMs } from '../../cluster/rounds.ts'
import type { ClientContext } from '../../cluster/context.ts'
import { KafkaError } from '../../errors.ts'
import type { FetchPayload } from '../../observe/channel-payloads.ts'
import { channels } from '../../observe/channels.ts'
import { ErrorThrottle } from '../../observe/error-throttle.ts'
import type { Assignment } from '../partition/assignment.ts'
import type { Cursor } from '../partition/cursor.ts'
import { Gap } from '../partition/queued.ts'
import { countFetched } from './fetch-counts.ts'
import type { FetchQueue } from './fetch-queue.ts'
import { FetchSession, type WantedPartition } from './fetch-session.ts'
import { FetchWait } from './fetch-wait.ts'
import { readPartition, whenReadable, type FetchedPartition } from './fetched-partition.ts'

/** What the fetcher needs from its consumer. */
export interface FetcherHost {
  /** The offset to fetch does not exist. */
  reset(cursor: Cursor, reason: string): void
  /** Cursors have to be validated before they can be fetched. */
  validate(): void
  /** Reports an error to the application. @param topic the topic that it concerns, if any */
  raise(error: KafkaError, topic?: string): void
}

type PartitionAnswer = Decoded<FetchResponse>['responses'][number]['partitions'][number]

// From this version on a fetch names topics by id (KIP-516).
const FIRST_WITH_TOPIC_IDS = 13
const FIRST_WITH_SESSIONS = 7
// How long to avoid replicas after one was of no use.
const REPLICA_REST_MS = 10_000

/** What the fetcher keeps for one broker. */
interface Node {
  readonly session: FetchSession
  readonly loop: WorkLoop
  readonly wait: FetchWait
  /** How long the next fetch may wait for messages, ms. */
  waitMs: number
}

export class Fetcher {
  readonly #context: ClientContext
  readonly #cluster: Cluster
  readonly #assignment: Assignment
  readonly #queue: FetchQueue
  readonly #host: FetcherHost
  readonly #errorThrottle: ErrorThrottle
  readonly #nodes = new Map<number, Node>()
  readonly #abort = new AbortController()
  #turn = 0
  /** Rings when the first partition in backoff may be fetched, or room can be made. */
  readonly #alarm: Alarm
  #jitter = 0.5
  #closed = false

  constructor(context: ClientContext, cluster: Cluster, assignment: Assignment, queue: FetchQueue, host: FetcherHost) {
    this.#context = context
    this.#cluster = cluster
    this.#assignment = assignment
    this.#queue = queue
    this.#host = host
    this.#errorThrottle = new ErrorThrottle(context.clock)
    this.#alarm = new Alarm(context.clock, () => this.kick())
  }

  /** Something may have become fetchable: wakes the loop of every broker. */
  kick(): void {
    if (this.#closed) return
    let withoutLeader: Set<string> | null = null
    for (const cursor of this.#assignment.cursors) {
      if (cursor.state === 'validating') this.#host.validate()
      if (cursor.state !== 'active') continue
      const node = this.#nodeOf(cursor)
      if (node < 0) (withoutLeader ??= new Set()).add(cursor.topic)
      else this.#node(node).loop.kick()
    }
    if (withoutLeader !== null) this.#cluster.metadata.requestRefresh('partitions without a leader', [...withoutLeader])
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#alarm.cancel()
    this.#abort.abort()
    await Promise.all([...this.#nodes.values()].map(node => node.loop.stop()))
  }

  #node(id: number): Node {
    let node = this.#nodes.get(id)
    if (node === undefined) {
      const waitMs = this.#context.settings['fetch.wait.max.ms']
      const loop = new WorkLoop(() => this.#run(id))
      node = { session: new FetchSession(), loop, wait: new FetchWait(waitMs), waitMs }
      this.#nodes.set(id, node)
    }
    return node
  }

  /** The broker to fetch a partition from; -1 while there is none. */
  #nodeOf(cursor: Cursor): number {
    const { preferredReplica, preferredUntil } = cursor.fetching
    if (preferredReplica >= 0 && this.#context.clock.now() < preferredUntil) return preferredReplica
    return this.#cluster.metadata.snapshot.topics.get(cursor.topic)?.partitions[cursor.partition]?.leader ?? -1
  }

  #leaderEpochOf({ topic, partition }: Cursor): number {
    return this.#cluster.metadata.snapshot.topics.get(topic)?.partitions[partition]?.leaderEpoch ?? -1
  }

  async #run(node: number): Promise<void> {
    try {
      while (!this.#closed) {
        const cursors = this.#collect(node)
        if (cursors.length === 0 || !this.#hasRoom(cursors)) return
        await this.#fetchTraced(node, cursors)
      }
    } catch (error) {
      if (this.#closed) return
      this.#context.logger.error('FETCH', stackOf(error))
    }
  }

  /** Whether there is room for these, if need be by dropping what cannot be delivered now. */
  #hasRoom(wanted: readonly Cursor[]): boolean {
    if (!this.#queue.isFull()) return true
    const now = this.#context.clock.now()
    const isUrgent = wanted.some(({ queued }) => queued.bytes === 0)
    const again = this.#queue.makeRoom(this.#assignment.cursors, isUrgent, now)
    if (!this.#queue.isFull()) return true
    if (again < Infinity) this.#wakeAt(again)
    return false
  }

  /** The partitions to fetch from a broker now; the others follow after a later kick. */
  #collect(node: number): Cursor[] {
    const now = this.#context.clock.now()
    const all = this.#assignment.cursors
    const found: Cursor[] = []
    // A response has a size limit: each time another partition comes first.
    const start = all.length === 0 ? 0 : this.#turn++ % all.length
    let sharing = 0
    let hasExpired = false
    let isAnyLeftOut = false
    let retryAt = Infinity
    let hasChanged = false
    for (const cursor of all) {
      if (!cursor.paused) sharing++
      const { fetching } = cursor
      if (fetching.preferredReplica < 0 || now < fetching.preferredUntil) continue
      fetching.preferredReplica = -1
      hasExpired = true
    }
    // The leader's loop may have ended when its partitions moved to replicas.
    if (hasExpired) this.kick()
    this.#queue.shareAmong(sharing)
    for (let i = 0; i < all.length; i++) {
      const cursor = all[(start + i) % all.length] as Cursor // inside the array
      if (cursor.state === 'stopped' || this.#nodeOf(cursor) !== node) continue
      const isIn = this.#mayFetch(cursor, now)
      if (isIn) found.push(cursor)
      // The end of a backoff is known: that partition does not shorten the wait otherwise.
      const isBackedOff = cursor.fetching.retryAt > now
      if (isBackedOff) retryAt = Math.min(retryAt, cursor.fetching.retryAt)
      const isLeftOut = !isIn && !isBackedOff
      if (isLeftOut) isAnyLeftOut = true
      if (cursor.fetching.isLeftOut !== isLeftOut) hasChanged = true
      cursor.fetching.isLeftOut = isLeftOut
    }
    const each = this.#node(node)
    each.waitMs = Math.min(each.wait.next(isAnyLeftOut, hasChanged), Math.ceil(retryAt - now))
    return found
  }

  /** Whether the partition can be fetched now; if not, a later kick follows. */
  #mayFetch(cursor: Cursor, now: number): boolean {
    if (cursor.state !== 'active' || !this.#queue.mayTakeMore(cursor, now)) return false
    if (cursor.needsValidation(this.#leaderEpochOf(cursor))) {
      cursor.validate()
      this.#host.validate()
      return false
    }
    if (cursor.fetching.retryAt <= now) return !this.#queue.hasEnough(cursor)
    this.#wakeAt(cursor.fetching.retryAt)
    return false
  }

  /** As `#fetch`, published if anybody subscribes. */
  #fetchTraced(node: number, cursors: readonly Cursor[]): Promise<void> {
    if (!channels.fetch.hasSubscribers) return this.#fetch(node, cursors, null)
    const { client } = this.#context
    const payload = { client, brokerId: node, partitionCount: cursors.length, fetched: [] }
    return channels.fetch.trace(payload, () => this.#fetch(node, cursors, payload))
  }

  /** @param trace gets what was fetched; null if nobody wants to know */
  async #fetch(node: number, cursors: readonly Cursor[], trace: FetchPayload | null): Promise<void> {
    const { settings, logger } = this.#context
    const { session } = this.#node(node)
    const askedAt = this.#context.clock.now()
    let response: Decoded<FetchResponse>
    try {
      const broker = this.#cluster.broker(node)
      if (broker === undefined) throw KafkaError.of(ErrorCode.ERR_BROKER_NOT_AVAILABLE, `broker ${node}`)
      const request = this.#request(node, cursors, session)
      response = await broker.request(Fetch, request.body, {
        lane: 'fetch',
        timeoutMs: settings['socket.timeout.ms'] + settings['fetch.wait.max.ms'],
        signal: this.#abort.signal,
        maxVersion: request.maxVersion,
      })
    } catch (error) {
      session.reset()
      if (this.#closed) return
      if (!(error instanceof KafkaError)) throw error
      if (trace !== null) channels.fetch.noteError(trace, error)
      logger.debug('fetch', 'FETCH', `broker ${node}: ${error.message}`)
      this.#cluster.metadata.requestRefresh(error.message)
      for (const cursor of cursors) {
        cursor.failed(error)
        // That a replica cannot be reached says nothing about the leader.
        if (cursor.fetching.preferredReplica === node) this.#stayWithLeader(cursor)
        else this.#backOff(cursor)
      }
      this.kick()
      return
    }
    if (response.errorCode !== ErrorCode.ERR_NO_ERROR) {
      const error = KafkaError.of(response.errorCode, 'fetch')
      if (trace !== null) channels.fetch.noteError(trace, error)
      logger.debug('fetch', 'FETCH', `broker ${node}: session: ${error.message}`)
      session.reset()
      // Busy brokers forget sessions: opens a new one at once. Anything else is retried after a backoff.
      if (response.errorCode === ErrorCode.ERR_FETCH_SESSION_ID_NOT_FOUND) return
      for (const cursor of cursors) {
        cursor.failed(error)
        this.#backOff(cursor)
      }
      return
    }
    session.answered(response.sessionId)
    this.#context.counters.pushed.fetchLatency.add(this.#context.clock.now() - askedAt)
    await this.#accept(node, response, trace)
    const now = this.#context.clock.now()
    // A response leaves out what has not changed.
    for (const cursor of cursors) if (cursor.trouble === null) cursor.fetching.fetchedAt = now
    if (settings['enable.partition.eof']) for (const cursor of cursors) this.#reportEnd(cursor, node)
  }

  #request(
    node: number,
    cursors: readonly Cursor[],
    session: FetchSession,
  ): { body: (version: number) => FetchRequest; maxVersion: number } {
    const { settings } = this.#context
    const { topics } = this.#cluster.metadata.snapshot
    const maxBytes = settings['fetch.message.max.bytes']
    const wanted = cursors.map((cursor): WantedPartition => {
      const { fetching } = cursor
      cursor.ask(node, this.#leaderEpochOf(cursor))
      const topic = topics.get(cursor.topic)
      const topicId = topic?.topicId ?? ZERO_UUID
      return {
        owner: cursor,
        key: cursor.name,
        topic: cursor.topic,
        topicId,
        partition: cursor.partition,
        fetchOffset: cursor.fetchOffset,
        currentLeaderEpoch: fetching.askedEpoch,
        partitionMaxBytes: Math.max(fetching.grownMaxBytes, maxBytes),
      }
    })
    const { sessionId, sessionEpoch, topics: changed, forgotten } = session.request(wanted)
    const now = this.#context.clock.now()
    const rackId = cursors.some(({ fetching }) => fetching.leaderUntil > now) ? undefined : settings['client.rack']
    const body = (version: number): FetchRequest => {
      const byId = version >= FIRST_WITH_TOPIC_IDS
      return {
        maxWaitMs: this.#node(node).waitMs,
        minBytes: settings['fetch.min.bytes'],
        maxBytes: settings['fetch.max.bytes'],
        isolationLevel: settings['isolation.level'] === 'read_committed' ? 1 : 0,
        topics: changed.map(({ topic, topicId, partitions }) =>
          byId ? { topicId, partitions } : { topic, partitions },
        ),
        ...(version < FIRST_WITH_SESSIONS ? {} : { sessionId, sessionEpoch }),
        ...(forgotten.length === 0
          ? {}
          : {
              forgottenTopicsData: forgotten.map(({ topic, topicId, partitions }) =>
                byId ? { topicId, partitions } : { topic, partitions },
              ),
            }),
        ...(rackId === undefined || version < 11 ? {} : { rackId }),
      }
    }
    const idsKnown = wanted.every(({ topicId }) => topicId !== ZERO_UUID)
    return { body, maxVersion: idsKnown ? Fetch.maxVersion : FIRST_WITH_TOPIC_IDS - 1 }
  }

  async #accept(node: number, response: Decoded<FetchResponse>, trace: FetchPayload | null): Promise<void> {
    const { topicNames } = this.#cluster.metadata.snapshot
    this.#jitter = this.#context.random()
    for (const answered of response.responses) {
      const topic = answered.topic === '' ? topicNames.get(answered.topicId) : answered.topic
      if (topic === undefined) continue
      for (const answer of answered.partitions) {
        const cursor = this.#assignment.get(topic, answer.partitionIndex)
        if (cursor === undefined || !cursor.isAnsweredBy(node)) {
          this.#context.counters.dropped(topic, answer.partitionIndex)
          continue
        }
        if (answer.errorCode !== ErrorCode.ERR_NO_ERROR) this.#refused(cursor, answer, node, response)
        else if (answer.preferredReadReplica >= 0 && answer.preferredReadReplica !== node)
          this.#redirect(cursor, answer)
        else await this.#received(cursor, answer, node, trace)
      }
    }
  }

  async #received(cursor: Cursor, answer: PartitionAnswer, node: number, trace: FetchPayload | null): Promise<void> {
    const { settings } = this.#context
    const readCommitted = settings['isolation.level'] === 'read_committed'
    const { fetching } = cursor
    fetching.low = answer.logStartOffset
    fetching.high = answer.highWatermark
    fetching.lastStable = answer.lastStableOffset
    let fetched: FetchedPartition
    let batches: readonly RecordBatch[]
    try {
      fetched = readPartition(answer.records, fetching.askedOffset, readCommitted ? answer.abortedTransactions : null)
      const { neededBytes } = fetched
      const most = settings['receive.message.max.bytes']
      if (neededBytes > most) {
        throw new ProtocolError(`a batch takes ${neededBytes} bytes, receive.message.max.bytes allows ${most}`)
      }
      const { codecs } = this.#context
      const limits = { checkCrcs: settings['check.crcs'], maxBatchBytes: most }
      batches = codecs === null ? fetched.batches : await codecs.uncompressed(fetched.batches, limits)
      const wait = whenReadable(batches)
      if (wait !== null) await wait
    } catch (error) {
      // It does not concern a partition that has been moved meanwhile.
      if (cursor.isAnsweredBy(node)) this.corrupt(cursor, error)
      return
    }
    if (!cursor.isAnsweredBy(node)) return
    fetching.failures = 0
    if (cursor.trouble !== null) this.#recovered(cursor)
    fetching.grownMaxBytes = fetched.neededBytes
    const broker = this.#cluster.broker(node)?.counters ?? null
    countFetched(cursor, fetched, { client: this.#context.counters, broker, trace })
    const { nextOffset, leaderEpoch } = fetched
    fetching.end = readCommitted ? answer.lastStableOffset : answer.highWatermark
    cursor.fetched(nextOffset, leaderEpoch)
    const gap = fetched.gap()
    if (batches.length > 0 || gap !== null) this.#queue.push(cursor, batches, gap)
  }

  /** A response leaves out what has not changed: the end is found from what is known about the partition. */
  #reportEnd(cursor: Cursor, node: number): void {
    const { fetchOffset, fetching } = cursor
    const { end, reportedEnd } = fetching
    if (!cursor.isAnsweredBy(node) || end < 0 || fetchOffset < end || reportedEnd === fetchOffset) return
    fetching.reportedEnd = fetchOffset
    this.#queue.push(cursor, [], new Gap(fetchOffset, true))
  }

  /** The bytes are corrupt: reports that and fetches them again, until the application seeks past them. */
  corrupt(cursor: Cursor, error: unknown): void {
    this.#backOff(cursor, this.#context.settings['fetch.error.backoff.ms'])
    const message = `${cursor.name} cannot be read from offset ${cursor.fetchOffset} on: ${messageOf(error)}`
    const trouble = new KafkaError(ErrorCode.ERR__BAD_MSG, message, { cause: error })
    cursor.failed(trouble)
    if (this.#errorThrottle.shouldReport(cursor.name, trouble)) this.#host.raise(trouble)
  }

  #recovered(cursor: Cursor): void {
    cursor.recovered()
    this.#errorThrottle.resolved(cursor.name)
    const { topic } = cursor
    const isRefused = this.#assignment.cursors.some(
      each => each.topic === topic && each.trouble?.code === ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED,
    )
    if (!isRefused) this.#errorThrottle.resolved(topic)
  }

  // A leader that believes in a lost replica would redirect its readers there for ever.
  #stayWithLeader(cursor: Cursor): void {
    cursor.fetching.stayWithLeader(this.#context.clock.now() + REPLICA_REST_MS)
  }

  #redirect(cursor: Cursor, answer: PartitionAnswer): void {
    const { preferredReadReplica: replica } = answer
    const { clock, settings, logger } = this.#context
    cursor.fetching.preferReplica(replica, clock.now() + settings['metadata.max.age.ms'])
    logger.debug('fetch', 'FETCH', `${cursor.name} is read from broker ${replica}`)
    this.kick()
  }

  #refused(cursor: Cursor, answer: PartitionAnswer, node: number, response: Decoded<FetchResponse>): void {
    const { metadata } = this.#cluster
    const error = KafkaError.of(answer.errorCode, cursor.name)
    this.#context.logger.debug('fetch', 'FETCH', `broker ${node}: ${error.message}`)
    cursor.failed(error)
    const fromReplica = cursor.fetching.preferredReplica === node
    if (fromReplica) this.#stayWithLeader(cursor)
    switch (answer.errorCode) {
      case ErrorCode.ERR_OFFSET_OUT_OF_RANGE:
        // A replica may lag behind: only the leader knows.
        if (fromReplica) this.kick()
        // What was fetched before is still valid, and is delivered first.
        else if (cursor.queued.messages > 0) this.#backOff(cursor)
        else {
          this.#queue.forget(cursor) // a gap in it would move the new position
          this.#host.reset(cursor, `offset ${cursor.fetchOffset} is out of range`)
        }
        return
      case ErrorCode.ERR_NOT_LEADER_FOR_PARTITION:
      case ErrorCode.ERR_FENCED_LEADER_EPOCH: {
        const { leaderId, leaderEpoch } = answer.currentLeader
        metadata.applyLeaderHint(cursor.topic, cursor.partition, leaderId, leaderEpoch, response.nodeEndpoints)
        metadata.requestRefresh(error.message, [cursor.topic])
        this.#backOff(cursor)
        return
      }
      case ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART:
      case ErrorCode.ERR_UNKNOWN_TOPIC_ID:
      case ErrorCode.ERR_INCONSISTENT_TOPIC_ID:
      case ErrorCode.ERR_UNKNOWN_LEADER_EPOCH:
      case ErrorCode.ERR_LEADER_NOT_AVAILABLE:
      case ErrorCode.ERR_REPLICA_NOT_AVAILABLE:
      case ErrorCode.ERR_BROKER_NOT_AVAILABLE:
      case ErrorCode.ERR_KAFKA_STORAGE_ERROR:
      case ErrorCode.ERR_OFFSET_NOT_AVAILABLE:
        metadata.requestRefresh(error.message, [cursor.topic])
        this.#backOff(cursor)
        return
      case ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED:
        this.#backOff(cursor)
        // Reported once for all partitions of a topic.
        this.#reportTopic(cursor.topic, KafkaError.of(answer.errorCode, `topic ${cursor.topic}`))
        return
      default:
        this.#backOff(cursor, this.#context.settings['fetch.error.backoff.ms'])
        if (this.#errorThrottle.shouldReport(cursor.name, error)) this.#host.raise(error)
    }
  }

  #reportTopic(topic: string, error: KafkaError): void {
    if (this.#errorThrottle.shouldReport(topic, error)) this.#host.raise(error, topic)
  }

  #backOff(cursor: Cursor, ms?: number): void {
    const { clock, settings } = this.#context
    // The same jitter for all partitions of a response, so that one request retries them together.
    const random = (): number => this.#jitter
    const { fetching } = cursor
    fetching.failures++
    fetching.retryAt = clock.now() + (ms ?? retryBackoffMs({ settings, random }, fetching.failures))
    this.#wakeAt(fetching.retryAt)
  }

  #wakeAt(at: number): void {
    // Timers cut off fractions of a millisecond: without the extra one this would be too early.
    if (!this.#closed) this.#alarm.set(at + 1)
  }
}
