/** Fetches messages of a share group from every broker that has some, and sends acknowledgements (KIP-932). */
import { ErrorCode, ShareAcknowledge, ShareFetch, type Decoded, type ShareFetchResponse } from '@ottla/protocol'
import { Alarm } from '../../base/alarm.ts'
import type { Deadline } from '../../base/clock.ts'
import { messageOf, stackOf } from '../../base/unknown-error.ts'
import { within } from '../../base/wait.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import { retryBackoffMs } from '../../cluster/rounds.ts'
import type { ClientContext } from '../../cluster/context.ts'
import { actionFor, isRetriable } from '../../cluster/retry.ts'
import { KafkaError } from '../../errors.ts'
import { ErrorThrottle } from '../../observe/error-throttle.ts'
import { memberAnswer } from '../group/membership-errors.ts'
import { acknowledgeTypes, AUTO_RELEASE, AUTO_RENEW, type AcknowledgeType } from './acknowledgements.ts'
import { acquiredMessages, readableBatches, releasesOf, takeOutdated, type AcquiredRange } from './acquired.ts'
import type { ShareFetcherHost } from './fetcher-host.ts'
import type { LockedMessage, ShareLot, ShareSource } from './message.ts'
import { acknowledgedOf, closing, lockLost, type Sent, ShareNode } from './share-node.ts'
import { SharePartitions } from './share-partitions.ts'
import type { ShareQueue } from './share-queue.ts'
import {
  acknowledgeBody,
  fetchBody,
  fetchedBytes,
  FIRST_WITH_RENEWAL,
  refusedAcknowledgements,
  refusedWithFetch,
  type Refusal,
} from './share-requests.ts'
import { keyOf, type IdPartition } from './share-session.ts'

type FetchedPartition = Decoded<ShareFetchResponse>['responses'][number]['partitions'][number]

export class ShareFetcher {
  readonly #context: ClientContext
  readonly #cluster: Cluster
  readonly #queue: ShareQueue
  readonly #host: ShareFetcherHost
  readonly #errorThrottle: ErrorThrottle
  readonly #nodes = new Map<number, ShareNode>()
  readonly #partitions: SharePartitions
  readonly #abort = new AbortController()
  /** Rings when a broker or a partition in backoff may be asked again, or acknowledgements are due. */
  readonly #alarm: Alarm
  #isFinishing = false

  constructor(context: ClientContext, cluster: Cluster, queue: ShareQueue, host: ShareFetcherHost) {
    this.#context = context
    this.#cluster = cluster
    this.#queue = queue
    this.#host = host
    this.#partitions = new SharePartitions(context, cluster)
    this.#errorThrottle = new ErrorThrottle(context.clock)
    this.#alarm = new Alarm(context.clock, () => this.kick())
  }

  get assigned(): readonly IdPartition[] {
    return this.#partitions.assigned
  }

  assign(partitions: readonly IdPartition[]): void {
    this.#partitions.assigned = partitions
    this.kick()
  }

  /** Something may have become fetchable: wakes the loop of every broker. */
  kick(): void {
    if (this.#isFinishing) return
    const unknown = new Set<string>()
    let isAnyUnnamed = false
    for (const each of this.#partitions.assigned) {
      const topic = this.#partitions.topicOf(each)
      const leader = this.#partitions.leaderOf(each)
      if (topic === undefined) isAnyUnnamed = true
      else if (leader < 0) unknown.add(topic)
      else this.#node(leader)
    }
    const { metadata } = this.#cluster
    if (isAnyUnnamed) metadata.requestRefresh('topics of the share group without a name')
    if (unknown.size > 0) metadata.requestRefresh('partitions without a leader', [...unknown])
    for (const node of this.#nodes.values()) {
      // The new leader gives to others what the former one has locked.
      for (const source of node.moved(each => this.#partitions.leaderOf(each))) this.#queue.loseWaiting(source)
      node.loop.kick()
    }
  }

  /** Whether the broker of the message can renew locks; undefined when that broker is no longer known. */
  canRenew({ source }: LockedMessage): boolean | undefined {
    const version = this.#cluster.broker(source.node)?.version(ShareAcknowledge)
    return version === undefined ? undefined : version >= FIRST_WITH_RENEWAL
  }

  /** Acknowledges a message with the next request to its broker. */
  acknowledge({ source, offset }: LockedMessage, type: number): void {
    this.#add(source, offset, type)
  }

  /** Releases a message that was never delivered, which is not worth an event. */
  autoRelease({ source, offset }: LockedMessage): void {
    this.#add(source, offset, AUTO_RELEASE)
  }

  /** Reports the failed acknowledgement of a message whose lock was already lost: no broker would accept it. */
  reportTooLate({ source, offset }: LockedMessage, type: Exclude<AcknowledgeType, 'renew'>): void {
    if (this.#isFinishing) return
    const error = lockLost(ErrorCode.ERR_INVALID_RECORD_STATE, source, 'the lock had been lost')
    this.#host.onAcknowledged(source, new Map([[offset, acknowledgeTypes[type]]]), error)
  }

  /** Renews a lock because the application asks for it. */
  renew(message: LockedMessage): void {
    this.#renew(message, acknowledgeTypes.renew)
  }

  /** Renews a lock on the consumer's own account, which is not worth an event. */
  autoRenew(message: LockedMessage): void {
    if (this.canRenew(message) === true && !this.#isRenewing(message)) this.#renew(message, AUTO_RENEW)
  }

  #renew(message: LockedMessage, type: number): void {
    const node = this.#nodes.get(message.source.node)
    if (node === undefined || message.source.isLost) return
    node.renewing.set(message, message.source)
    this.#add(message.source, message.offset, type)
  }

  #isRenewing(message: LockedMessage): boolean {
    return this.#nodes.get(message.source.node)?.renewing.has(message) === true
  }

  /** Sends all acknowledgements now, and waits for the answers. */
  async flush(deadline: Deadline, signal: AbortSignal | undefined): Promise<void> {
    const waiting: Promise<void>[] = []
    for (const node of this.#nodes.values()) {
      waiting.push(node.flushed())
      node.flush()
      node.loop.kick()
    }
    const why = 'the brokers did not answer the acknowledgements in time'
    const late = (): KafkaError => new KafkaError(ErrorCode.ERR__TIMED_OUT, why)
    await within(Promise.all(waiting), this.#context.clock, deadline, late, signal)
  }

  /** Sends the last acknowledgements and ends the sessions, which releases what is still locked. */
  async finish(deadline: Deadline): Promise<void> {
    this.#isFinishing = true
    this.#alarm.cancel()
    await Promise.all(
      [...this.#nodes.values()].map(async node => {
        await node.loop.stop()
        if (node.session.isOpen && !this.#abort.signal.aborted) await this.#acknowledge(node, true, deadline)
      }),
    )
  }

  async close(): Promise<void> {
    this.#isFinishing = true
    this.#alarm.cancel()
    this.#abort.abort()
    await Promise.all([...this.#nodes.values()].map(node => node.loop.stop()))
    for (const node of this.#nodes.values()) {
      node.unwatch()
      this.#lose(node, [], closing())
    }
  }

  #add(source: ShareSource, offset: number, type: number): void {
    const node = this.#nodes.get(source.node)
    if (node === undefined || source.isLost) {
      const error = lockLost(ErrorCode.ERR_INVALID_SHARE_SESSION_EPOCH, source, 'the session with the broker was lost')
      this.#host.onAcknowledged(source, new Map([[offset, type]]), error)
      return
    }
    node.add(source, offset, type, this.#context.clock.now())
    node.loop.kick()
  }

  #node(id: number): ShareNode {
    let node = this.#nodes.get(id)
    if (node === undefined) {
      node = new ShareNode(id, each => this.#run(each))
      this.#nodes.set(id, node)
    }
    return node
  }

  async #run(node: ShareNode): Promise<void> {
    try {
      while (!this.#isFinishing) {
        const now = this.#context.clock.now()
        if (node.retryAt > now) {
          this.#alarm.set(node.retryAt)
          return
        }
        if (node.session.isOpen && node.hasRenewals) {
          await this.#acknowledge(node, false)
          continue
        }
        const wanted = this.#partitions.ledBy(node.id, topic => this.#host.isTaking(topic))
        const ready = wanted.filter(each => this.#isReady(each, now))
        const { room } = this.#queue
        if (ready.length > 0 && room > 0 && this.#host.isWanted()) {
          // In a fetch, what is said of other partitions would make the broker give more of them.
          if (node.session.isOpen && node.hasPendingBeside(ready)) await this.#acknowledge(node, false)
          else await this.#fetch(node, ready, room)
          continue
        }
        if (!node.hasPending) return
        if (node.flushAt > now) {
          this.#alarm.set(node.flushAt)
          return
        }
        await this.#acknowledge(node, false)
      }
    } catch (error) {
      if (this.#isFinishing) return
      this.#context.logger.error('SHAREFETCH', stackOf(error))
    }
  }

  #isReady(each: IdPartition, now: number): boolean {
    const at = this.#partitions.pausedUntil(each)
    if (at <= now) return true
    this.#alarm.set(at)
    return false
  }

  async #fetch(node: ShareNode, partitions: readonly IdPartition[], room: number): Promise<void> {
    const { settings, clock } = this.#context
    const sharing = new Set(this.#partitions.assigned.map(each => this.#partitions.leaderOf(each))).size
    const maxRecords = Math.max(1, Math.floor(room / Math.max(1, sharing)))
    const now = clock.now()
    const maxWaitMs = node.waitMs(settings['fetch.wait.max.ms'], this.#queue.checkMs, now)
    const sent = node.session.isOpen ? node.take(now) : []
    const session = node.session.fetch(partitions, acknowledgedOf(sent))
    const isStrict = settings['ottla.share.acquire.mode'] === 'record_limit' || !this.#queue.window.isOpen
    const body = fetchBody(this.#host, session, settings, maxWaitMs, maxRecords, isStrict)
    const response = await this.#answerTo(node, sent, () =>
      this.#broker(node).request(ShareFetch, body, {
        lane: 'fetch',
        timeoutMs: settings['socket.timeout.ms'] + maxWaitMs,
        signal: this.#abort.signal,
        isBound: node.session.isOpen,
      }),
    )
    if (response === null) return
    this.#context.counters.pushed.fetched(clock.now() - now, fetchedBytes(response))
    this.#answered(node, sent, now, response.acquisitionLockTimeoutMs, refusedWithFetch(response))
    await this.#accept(node, now, response)
  }

  /** Sends a request with nothing but acknowledgements. */
  async #acknowledge(node: ShareNode, isLast: boolean, deadline?: Deadline): Promise<void> {
    await this.#tell(node, node.take(this.#context.clock.now()), isLast, deadline)
  }

  async #tell(node: ShareNode, sent: readonly Sent[], isLast: boolean, deadline?: Deadline): Promise<void> {
    const { settings, clock } = this.#context
    const now = clock.now()
    const body = acknowledgeBody(this.#host, node.session.acknowledge(acknowledgedOf(sent), isLast), sent)
    const response = await this.#answerTo(node, sent, () =>
      this.#broker(node).request(ShareAcknowledge, body, {
        lane: 'fetch',
        timeoutMs: Math.min(settings['socket.timeout.ms'], deadline?.left() ?? Infinity),
        signal: this.#abort.signal,
        isBound: true,
      }),
    )
    if (response === null) return
    for (const { topicId, partitions } of response.responses) {
      for (const { partitionIndex, errorCode, currentLeader } of partitions) {
        if (errorCode === 0) continue
        this.#onLeader({ topicId, partition: partitionIndex }, errorCode, currentLeader, response.nodeEndpoints)
      }
    }
    this.#answered(node, sent, now, response.acquisitionLockTimeoutMs, refusedAcknowledgements(response))
    if (isLast) this.#lose(node, [], closing())
  }

  /** Null when the session is lost instead. @param sent the acknowledgements in the request */
  async #answerTo<R extends { readonly errorCode: number; readonly errorMessage: string | null }>(
    node: ShareNode,
    sent: readonly Sent[],
    request: () => Promise<R>,
  ): Promise<R | null> {
    let response: R
    node.isAsking = true
    try {
      response = await request()
    } catch (error) {
      this.#failed(node, sent, error)
      return null
    } finally {
      node.isAsking = false
    }
    if (response.errorCode === ErrorCode.ERR_NO_ERROR) return response
    this.#refused(node, sent, response.errorCode, response.errorMessage)
    return null
  }

  #broker(node: ShareNode): NonNullable<ReturnType<Cluster['broker']>> {
    const broker = this.#cluster.broker(node.id)
    if (broker === undefined) throw KafkaError.of(ErrorCode.ERR_BROKER_NOT_AVAILABLE, `broker ${node.id}`)
    node.watch(broker, error => this.#lostConnection(node, error))
    return broker
  }

  /** @param askedAt when the request was made: locks begin no earlier, but long before a response that was held up */
  #answered(
    node: ShareNode,
    sent: readonly Sent[],
    askedAt: number,
    lockMs: number,
    refusals: ReadonlyMap<string, Refusal>,
  ): void {
    node.session.answered()
    node.failures = 0
    this.#errorThrottle.resolved(`broker ${node.id}`)
    if (lockMs > 0) this.#queue.lockMs = lockMs
    const lockedUntil = askedAt + this.#queue.lockMs
    for (const { source, types } of sent) {
      this.#context.counters.pushed.acknowledgements += types.size
      const refusal = refusals.get(keyOf(source))
      const error = refusal === undefined ? null : KafkaError.of(refusal[0], source.name, refusal[1])
      const until = error === null ? lockedUntil : null
      for (const message of node.renewed(source, types, until, this.#context.clock.now())) this.#queue.end(message)
      this.#host.onAcknowledged(source, types, error)
    }
    node.answered()
  }

  /** @param askedAt as for #answered */
  async #accept(node: ShareNode, askedAt: number, response: Decoded<ShareFetchResponse>): Promise<void> {
    const { clock, settings, codecs } = this.#context
    const now = clock.now()
    const options = {
      checkCrcs: settings['check.crcs'],
      maxBatchBytes: settings['receive.message.max.bytes'],
    }
    const lockedUntil = askedAt + this.#queue.lockMs
    const late: Sent[] = []
    let isAny = false
    for (const { topicId, partitions } of response.responses) {
      for (const answer of partitions) {
        // The connection was lost while one of them was read, and the locks of all of them with it.
        if (!node.session.isOpen) continue
        const each = { topicId, partition: answer.partitionIndex }
        if (answer.errorCode !== ErrorCode.ERR_NO_ERROR) {
          this.#refusedPartition(node, each, answer, response)
          continue
        }
        const topic = this.#partitions.topicOf(each)
        if (this.#partitions.fetched(each) && topic !== undefined) {
          this.#errorThrottle.resolved(topic)
          this.#errorThrottle.resolved(`${topic} [${each.partition}]`)
        }
        if (topic === undefined || answer.acquiredRecords.length === 0) continue
        if (this.#partitions.hasMovedFrom(node.id, each)) continue
        const source = node.source(topic, each)
        this.#dropOutdated(source, answer.acquiredRecords)
        const readable = await readableBatches(answer.records, codecs, options)
        if (source.isLost) continue
        if (clock.now() >= lockedUntil) {
          late.push({ source, types: releasesOf(answer.acquiredRecords) })
          continue
        }
        const lot: { -readonly [K in keyof ShareLot]: ShareLot[K] } = { since: now, count: 0, waiting: 0 }
        const acquired = acquiredMessages(readable, answer.acquiredRecords, source, lot, lockedUntil, options)
        lot.count = lot.waiting = acquired.messages.length
        for (const [offset, type] of acquired.others) this.#add(source, offset, type)
        if (acquired.error !== null) this.#corrupt(source, acquired.error)
        this.#context.counters.fetched(topic, each.partition, lot.count, answer.records?.length ?? 0)
        // The end of the session releases everything.
        if (this.#isFinishing || acquired.messages.length === 0) continue
        if (!this.#host.isTaking(topic)) {
          for (const message of acquired.messages) this.autoRelease(message)
          continue
        }
        this.#queue.add(acquired.messages)
        isAny = true
      }
    }
    if (isAny) this.#host.onMessages()
    if (late.length > 0 && node.session.isOpen && !this.#isFinishing) await this.#releaseLate(node, late)
  }

  /**
   * Messages whose locks may have ended while their fetch was under way are not delivered. If the broker still holds
   * them, others get them now instead of at the end of the lock. They come back here after a pause, and fewer at a time:
   * each time counts as a delivery, of which a message has only so many.
   */
  async #releaseLate(node: ShareNode, late: readonly Sent[]): Promise<void> {
    const { lockMs, window } = this.#queue
    for (const { source } of late) this.#partitions.pause(source)
    const count = late.reduce((sum, { types }) => sum + types.size, 0)
    window.delivered(count, lockMs, lockMs)
    this.#context.logger.debug('fetch', 'SHAREFETCH', `broker ${node.id}: ${count} messages came after their lock`)
    // In a request of their own: if others have them by now, the broker refuses all that it says of a partition.
    await this.#tell(node, late, false)
  }

  #dropOutdated(source: ShareSource, ranges: readonly AcquiredRange[]): void {
    const types = takeOutdated(source, ranges)
    if (types.size === 0) return
    const why = 'the lock had ended, and the messages are delivered again'
    this.#host.onAcknowledged(source, types, lockLost(ErrorCode.ERR_INVALID_RECORD_STATE, source, why))
  }

  // They are released: another member may be able to read them; if none is, the broker's delivery limit ends it.
  #corrupt(source: ShareSource, cause: unknown): void {
    const message = `messages of ${source.name} cannot be read and are released: ${messageOf(cause)}`
    const error = new KafkaError(ErrorCode.ERR__BAD_MSG, message, { cause })
    if (this.#errorThrottle.shouldReport(source.name, error)) this.#host.raise(error)
  }

  #refusedPartition(
    node: ShareNode,
    each: IdPartition,
    answer: FetchedPartition,
    response: Decoded<ShareFetchResponse>,
  ): void {
    // The refusal says nothing about the partition.
    if (this.#partitions.hasMovedFrom(node.id, each)) return
    const { errorCode, errorMessage, currentLeader } = answer
    const name = `${this.#partitions.topicOf(each) ?? each.topicId} [${each.partition}]`
    const error = KafkaError.of(errorCode, name, errorMessage)
    this.#context.logger.debug('fetch', 'SHAREFETCH', error.message)
    this.#partitions.pause(each)
    this.#onLeader(each, errorCode, currentLeader, response.nodeEndpoints)
    if (isRetriable(errorCode)) return
    const topic = this.#partitions.topicOf(each)
    const isTopics = errorCode === ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED && topic !== undefined
    // Reported once for all partitions of a topic.
    if (!isTopics && this.#errorThrottle.shouldReport(name, error)) this.#host.raise(error)
    const ofTopic = KafkaError.of(errorCode, `topic ${topic ?? ''}`)
    if (isTopics && this.#errorThrottle.shouldReport(topic, ofTopic)) this.#host.raise(ofTopic, topic)
  }

  /** The response of a broker that is no longer the leader may name the new one (KIP-951). */
  #onLeader(
    each: IdPartition,
    errorCode: number,
    { leaderId, leaderEpoch }: { leaderId: number; leaderEpoch: number },
    endpoints: Decoded<ShareFetchResponse>['nodeEndpoints'],
  ): void {
    const { metadata } = this.#cluster
    const topic = this.#partitions.topicOf(each)
    const hasMoved =
      errorCode === ErrorCode.ERR_NOT_LEADER_FOR_PARTITION || errorCode === ErrorCode.ERR_FENCED_LEADER_EPOCH
    if (hasMoved && topic !== undefined && leaderId >= 0 && endpoints.length > 0) {
      metadata.applyLeaderHint(topic, each.partition, leaderId, leaderEpoch, endpoints)
    }
    if (actionFor(errorCode) === 'refresh-metadata') {
      metadata.requestRefresh('a share fetch was refused', topic === undefined ? undefined : [topic])
    }
  }

  #failed(node: ShareNode, sent: readonly Sent[], error: unknown): void {
    const failure = error instanceof KafkaError ? error : closing()
    if (!(error instanceof KafkaError) && !this.#abort.signal.aborted) {
      this.#context.logger.error('SHAREFETCH', String(error))
    }
    this.#context.logger.debug('fetch', 'SHAREFETCH', `broker ${node.id}: ${failure.message}`)
    this.#lose(node, sent, failure)
    if (failure.isFatal || failure.code === ErrorCode.ERR__UNSUPPORTED_FEATURE) {
      if (failure.isFatal || this.#errorThrottle.shouldReport(`broker ${node.id}`, failure)) this.#host.raise(failure)
    }
    if (!this.#isFinishing) this.#cluster.metadata.requestRefresh(failure.message)
  }

  #refused(node: ShareNode, sent: readonly Sent[], code: number, message: string | null): void {
    const error = KafkaError.of(code, `share group '${this.#host.groupId}' at broker ${node.id}`, message)
    this.#context.logger.debug('fetch', 'SHAREFETCH', error.message)
    this.#lose(node, sent, error)
    if (memberAnswer('ShareSession', code) !== 'report') return
    if (this.#errorThrottle.shouldReport(`broker ${node.id}`, error)) this.#host.raise(error)
  }

  // A broker releases what a lost connection had acquired.
  #lostConnection(node: ShareNode, error: KafkaError): void {
    if (!node.session.isOpen || this.#isFinishing) return
    this.#lose(node, [], error)
    node.loop.kick()
  }

  /** The session is lost, and all locks with it: nothing of it can be delivered or acknowledged any more. */
  #lose(node: ShareNode, sent: readonly Sent[], error: KafkaError): void {
    const { clock } = this.#context
    const now = clock.now()
    const unsent = node.take(now)
    for (const source of node.reset()) this.#queue.lose(source)
    for (const { source, types } of [...sent, ...unsent]) {
      this.#host.onAcknowledged(source, types, lockLost(error.code, source, error.message))
    }
    node.answered()
    node.retryAt = now + retryBackoffMs(this.#context, ++node.failures)
  }
}
