/** Sends what is ready: one request at a time for all partitions of a broker that have something to go. */
import {
  ErrorCode,
  Produce,
  ZERO_UUID,
  type CompressionCodec,
  type Decoded,
  type ProduceRequest,
  type ProduceResponse,
} from '@ottla/protocol'
import { backoffMs } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import { soon } from '../base/soon.ts'
import type { TurnClock } from '../base/turn-clock.ts'
import type { BrokerRequestOptions, LaneName } from '../cluster/broker.ts'
import { KafkaError } from '../errors.ts'
import { RequestError } from '../network/request-error.ts'
import type { Logger } from '../observe/logger.ts'
import type { BrokerCounters, ClientCounters } from '../observe/statistics/counters.ts'
import { splitBatch, type Batch, type Identity, type Outcome } from './batch.ts'
import { Compressions } from './compressions.ts'
import type { Delivery } from './delivery.ts'
import { Outbox } from './outbox.ts'
import { expiry, failure, recordErrors, written } from './outcomes.ts'
import type { PartitionQueue } from './partition-queue.ts'
import { answerVerdict, behindLost, outOfSequence, requestVerdict, type Verdict } from './produce-errors.ts'
import { dropBatch, judgeSequence, stampHead } from './sequences.ts'
import { answersOf, highestVersion, requestBody, type PartitionAnswer, type Shipment } from './produce-request.ts'

/** The part of a broker that the sender needs. */
export interface ProduceBroker {
  request(
    api: typeof Produce,
    body: (version: number) => ProduceRequest,
    options: BrokerRequestOptions,
  ): Promise<Decoded<ProduceResponse>>
  warm(lane: LaneName): void
  readonly counters?: BrokerCounters | null
}

/** The part of the cluster that the sender needs. */
export interface ProduceCluster {
  broker(id: number): ProduceBroker | undefined
  readonly metadata: {
    requestRefresh(reason: string, topics?: readonly string[]): void
    applyLeaderHint(
      topic: string,
      partition: number,
      leaderId: number,
      leaderEpoch: number,
      endpoints: readonly { nodeId: number; host: string; port: number; rack: string | null }[],
    ): void
  }
}

export interface SenderSettings {
  /** -1, 0 or 1. */
  readonly acks: number
  /** `request.timeout.ms`: for the broker's own waiting. */
  readonly requestTimeoutMs: number
  /** For the answer on the wire. */
  readonly wireTimeoutMs: number
  /** `message.timeout.ms`; Infinity for none. */
  readonly messageTimeoutMs: number
  /** `message.max.bytes`: of a request's batches together, unless one alone is larger. */
  readonly maxRequestBytes: number
  /** `max.in.flight`, per broker. */
  readonly maxInFlight: number
  /** `message.send.max.retries` */
  readonly maxRetries: number
  readonly backoffMs: number
  readonly backoffMaxMs: number
  readonly codec: CompressionCodec | null
  /** `compression.level` */
  readonly level: number
}

/** The part of an idempotent producer's identity that the sender needs. */
export interface SenderIdentity {
  readonly current: Identity | null
  /** Null unless the producer is transactional. */
  readonly transaction: SenderTransaction | null
  /** @param code - of the answer that told of it */
  gap(identity: Identity | null, reason: string, code: number): void
  fenced(identity: Identity | null, reason: string): void
  /** Messages could not be delivered; null: the program gave them up. */
  lost(error: KafkaError | null): void
}

/** The part of a transactional producer that the sender needs. */
export interface SenderTransaction {
  /** `transactional.id` */
  readonly id: string
  readonly maxProduceVersion: number
  /** Nothing is sent again. */
  readonly isLost: boolean
  /** Whether the partition's batches may leave; if not, the queue is listed again when they may. */
  admits(queue: PartitionQueue): boolean
}

/** What all senders of a client share. */
export interface SenderContext {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** None while there are no statistics. */
  readonly counters?: ClientCounters | null
}

/**
 * Moves whole batches from the queues to the brokers and settles them with the answers. A partition's batches
 * go to one broker at a time: after its leader has changed, nothing goes to the new one before everything is back
 * from the old.
 */
export class Sender {
  readonly #cluster: ProduceCluster
  readonly #settings: SenderSettings
  readonly #context: SenderContext
  readonly #delivery: Delivery
  readonly #identity: SenderIdentity | null
  readonly #transaction: SenderTransaction | null
  readonly #turnClock: TurnClock
  readonly #wakeAt: (at: number) => void
  readonly #compressions: Compressions | null
  readonly #outboxes = new Map<number, Outbox>()
  readonly #inFlight = new Set<readonly Shipment[]>()
  #resting = new Set<PartitionQueue>()
  #isDraining = false
  #isHeld: boolean

  /**
   * @param identity - of an idempotent producer
   * @param wakeAt - asks for `tick` to be called at a time (monotonic ms)
   */
  constructor(
    cluster: ProduceCluster,
    settings: SenderSettings,
    context: SenderContext,
    delivery: Delivery,
    identity: SenderIdentity | null,
    turnClock: TurnClock,
    wakeAt: (at: number) => void,
  ) {
    this.#cluster = cluster
    this.#settings = settings
    this.#context = context
    this.#delivery = delivery
    this.#identity = identity
    this.#transaction = identity?.transaction ?? null
    this.#turnClock = turnClock
    this.#wakeAt = wakeAt
    this.#isHeld = settings.codec !== null
    const { codec, level } = settings
    this.#compressions = codec === null ? null : new Compressions(codec, level, queue => this.list(queue))
  }

  /** Requests under way. */
  get requestsInFlight(): number {
    return this.#inFlight.size
  }

  /** The codec is ready: batches can be sealed from now on. */
  release(): void {
    this.#isHeld = false
    this.#drainSoon()
  }

  /** Something about the queue has changed: sends from it, soon, if its head may leave. */
  list(queue: PartitionQueue): void {
    if (queue.isEmpty || (queue.listedIn >= 0 && queue.listedIn === queue.leader)) return
    const now = this.#turnClock.now()
    if (!this.#maySend(queue, now)) {
      if (queue.leader >= 0 && queue.inFlight === 0 && queue.retryAt > now) this.#rest(queue)
      return
    }
    this.#outbox(queue.leader).list(queue)
    this.#drainSoon()
  }

  /** Sends the queue's open batch as soon as no request to its broker is under way. */
  eager(queue: PartitionQueue): void {
    queue.isEager = queue.leader < 0
    if (queue.isEager) return
    this.#outbox(queue.leader).addEager(queue)
    this.#drainSoon()
  }

  /** There will be something to send to this broker: connects meanwhile. */
  warm(brokerId: number): void {
    if (brokerId >= 0) this.#outbox(brokerId)
  }

  /** Lists the queues whose rest before a retry is over. */
  tick(now: number): void {
    if (this.#resting.size === 0) return
    const resting = this.#resting
    this.#resting = new Set()
    for (const queue of resting) {
      if (queue.retryAt > now) this.#rest(queue)
      else this.list(queue)
    }
  }

  /**
   * A batch was given up: what was stamped behind it has to be stamped anew. To be called before it is settled.
   * @param error - why it could not be delivered; null: the program did not want it any more
   */
  dropped(queue: PartitionQueue, batch: Batch, error: KafkaError | null): void {
    if (this.#identity === null) return
    this.#identity.lost(error)
    if (!dropBatch(queue, batch)) return
    const code = error?.code ?? ErrorCode.ERR__INCONSISTENT
    this.#identity.gap(queue.identity, `${queue.name}: ${batch.count} messages were given up`, code)
  }

  /** The batches under way; each is settled by the answer unless it has been by then. */
  *shipments(): Generator<Shipment> {
    for (const shipments of this.#inFlight) yield* shipments
  }

  #maySend(queue: PartitionQueue, now: number): boolean {
    if (queue.leader < 0 || !queue.isReady(now)) return false
    return queue.inFlight === 0 || queue.inFlightTo === queue.leader
  }

  #rest(queue: PartitionQueue): void {
    this.#resting.add(queue)
    this.#wakeAt(queue.retryAt)
  }

  #outbox(brokerId: number): Outbox {
    let outbox = this.#outboxes.get(brokerId)
    if (outbox === undefined) {
      outbox = new Outbox(brokerId)
      this.#outboxes.set(brokerId, outbox)
      this.#cluster.broker(brokerId)?.warm('produce')
    }
    return outbox
  }

  // In a microtask: a burst of messages within one turn shares requests.
  #drainSoon(): void {
    if (this.#isDraining) return
    this.#isDraining = true
    soon(() => {
      this.#isDraining = false
      if (this.#isHeld) return
      for (const outbox of this.#outboxes.values()) this.#drain(outbox)
    })
  }

  #drain(outbox: Outbox): void {
    if (outbox.inFlight === 0) {
      for (const queue of outbox.takeEager()) {
        queue.hurry()
        this.list(queue)
      }
    }
    const limit = outbox.isProven ? this.#settings.maxInFlight : 1
    while (outbox.readyCount > 0 && outbox.inFlight < limit) {
      const shipments = this.#compose(outbox)
      if (shipments.length > 0) this.#ship(outbox, shipments)
    }
  }

  /** Takes one batch of each ready partition, as many as a request holds. */
  #compose(outbox: Outbox): Shipment[] {
    const { maxRequestBytes, codec, level } = this.#settings
    const now = this.#context.clock.now()
    const shipments: Shipment[] = []
    let bytes = 0
    for (let left = outbox.readyCount; left > 0; left--) {
      const queue = outbox.next()
      const head = queue?.head ?? null
      if (queue === null || head === null) continue
      if (queue.takenFor === shipments || queue.leader !== outbox.brokerId || !this.#maySend(queue, now)) {
        this.list(queue)
        continue
      }
      if (shipments.length > 0 && bytes + head.sizeBytes > maxRequestBytes) {
        outbox.relist(queue)
        break
      }
      // A queue that has to wait is listed again when an id is there, or when what is under way is back.
      if (this.#transaction !== null && !this.#transaction.admits(queue)) continue
      if (this.#compressions?.delay(queue, head) === true) continue
      if (this.#identity !== null && !stampHead(queue, head, this.#identity.current)) continue
      const batch = queue.take(outbox.brokerId)
      if (batch === null) continue
      queue.takenFor = shipments
      try {
        const records = batch.seal(codec, level)
        bytes += records.length
        shipments.push({ queue, batch, records, topicId: queue.topic.topicId })
      } catch (error) {
        this.#sealFailed(queue, batch, error)
      }
      this.list(queue)
    }
    return shipments
  }

  #sealFailed(queue: PartitionQueue, batch: Batch, error: unknown): void {
    queue.settle()
    const why = error instanceof Error ? error.message : String(error)
    const message = `${queue.name}: the batch could not be sealed: ${why}`
    const told = new KafkaError(ErrorCode.ERR__BAD_COMPRESSION, message, { cause: error })
    this.dropped(queue, batch, told)
    // Not within the call that wanted it sent.
    soon(() => this.#delivery.settle(queue.topic.name, queue.partition, batch, failure(batch, told)))
  }

  #ship(outbox: Outbox, shipments: readonly Shipment[]): void {
    const { acks, requestTimeoutMs } = this.#settings
    outbox.inFlight++
    this.#inFlight.add(shipments)
    const broker = this.#cluster.broker(outbox.brokerId)
    if (broker === undefined) {
      const message = `broker ${outbox.brokerId} is not known to the cluster at present`
      const error = new RequestError(ErrorCode.ERR__TRANSPORT, message, false)
      soon(() => this.#failed(outbox, shipments, error))
      return
    }
    if (broker.counters) countShipments(broker.counters, this.#context, shipments)
    const maxVersion = highestVersion(shipments, ZERO_UUID, this.#transaction?.maxProduceVersion)
    const options: BrokerRequestOptions = {
      lane: 'produce',
      timeoutMs: this.#timeoutOf(shipments),
      noResponse: acks === 0,
      ...(maxVersion === undefined ? {} : { maxVersion }),
    }
    const { logger } = this.#context
    const transactionalId = this.#transaction?.id ?? null
    if (logger.enabled('msg')) {
      for (const { queue, batch, records } of shipments) {
        const what = `${batch.count} messages, ${records.length} bytes, message ${batch.baseMsgid} on`
        logger.debug('msg', 'PRODUCE', `${queue.name}: ${what}, to broker ${outbox.brokerId}`)
      }
    }
    broker
      .request(Produce, version => requestBody(shipments, acks, requestTimeoutMs, transactionalId, version), options)
      .then(
        response => this.#answered(outbox, shipments, response),
        (error: unknown) => this.#failed(outbox, shipments, error),
      )
      .catch((error: unknown) => {
        const why = error instanceof Error ? (error.stack ?? error.message) : String(error)
        logger.error('BUG', `settling a produce request failed: ${why}`)
      })
  }

  // No longer than the messages may take: those that run out of time in flight are in doubt, and told so in time.
  #timeoutOf(shipments: readonly Shipment[]): number {
    const { wireTimeoutMs, messageTimeoutMs } = this.#settings
    const now = this.#context.clock.now()
    let timeoutMs = wireTimeoutMs
    for (const { batch } of shipments) timeoutMs = Math.min(timeoutMs, batch.lastAt + messageTimeoutMs - now)
    return Math.max(1, timeoutMs)
  }

  #answered(outbox: Outbox, shipments: readonly Shipment[], response: Decoded<ProduceResponse> | undefined): void {
    this.#returned(outbox, shipments)
    outbox.isProven = true
    const done: { shipment: Shipment; outcome: Outcome }[] = []
    if (response === undefined) {
      // acks=0: nobody will ever say more about them.
      for (const shipment of shipments) {
        shipment.queue.settle()
        done.push({ shipment, outcome: written('possibly-persisted', -1, -1) })
      }
    } else {
      const answers = answersOf(shipments, response)
      this.#takeHints(shipments, answers, response)
      shipments.forEach((shipment, i) => {
        const answer = answers[i] ?? null
        if (answer?.errorCode !== ErrorCode.ERR_NO_ERROR) {
          const outcome = this.#refused(outbox, shipment, answer)
          if (outcome !== null) done.push({ shipment, outcome })
          return
        }
        this.#acknowledged(shipment, done)
        done.push({ shipment, outcome: written('persisted', answer.baseOffset, answer.logAppendTimeMs) })
      })
    }
    this.#finish(shipments, done)
  }

  #acknowledged({ queue, batch, records, topicId }: Shipment, done: { shipment: Shipment; outcome: Outcome }[]): void {
    queue.isAcknowledged = true
    queue.acknowledgedTo = Math.max(queue.acknowledgedTo, batch.baseMsgid + batch.count)
    queue.settle()
    for (const known of queue.takeForgotten()) {
      const shipment = { queue, batch: known, records, topicId }
      done.push({ shipment, outcome: written('persisted', -1, -1) })
    }
  }

  #failed(outbox: Outbox, shipments: readonly Shipment[], error: unknown): void {
    this.#returned(outbox, shipments)
    const code = error instanceof KafkaError ? error.code : ErrorCode.ERR__FAIL
    const sent = error instanceof RequestError ? error.sent : true
    const message = error instanceof Error ? error.message : String(error)
    const verdict = requestVerdict(code, sent)
    if (verdict.retry) outbox.isProven = false
    if (verdict.refresh) {
      const topics = new Set(shipments.map(({ queue }) => queue.topic.name))
      this.#cluster.metadata.requestRefresh(`produce: ${message}`, [...topics])
    }
    const done: { shipment: Shipment; outcome: Outcome }[] = []
    for (const shipment of shipments) {
      shipment.batch.isBufferShared = true
      const cause = new KafkaError(code, `${shipment.queue.name}: ${message}`, { cause: error })
      const outcome = this.#judge(outbox, shipment, verdict, cause, null)
      if (outcome !== null) done.push({ shipment, outcome })
    }
    this.#finish(shipments, done)
  }

  #returned(outbox: Outbox, shipments: readonly Shipment[]): void {
    outbox.inFlight--
    this.#inFlight.delete(shipments)
  }

  // All state is as it shall be before the first report: whoever produces from within one finds it so.
  #finish(shipments: readonly Shipment[], done: readonly { shipment: Shipment; outcome: Outcome }[]): void {
    for (const { queue } of shipments) this.list(queue)
    this.#drainSoon()
    for (const { shipment, outcome } of done) {
      const { queue, batch } = shipment
      this.#delivery.settle(queue.topic.name, queue.partition, batch, outcome)
    }
  }

  // KIP-951: the broker that lost a partition says who has it now.
  #takeHints(
    shipments: readonly Shipment[],
    answers: readonly (PartitionAnswer | null)[],
    response: Decoded<ProduceResponse>,
  ): void {
    shipments.forEach(({ queue }, i) => {
      const hint = answers[i]?.currentLeader
      if (hint === undefined || hint.leaderId < 0 || hint.leaderEpoch < 0) return
      const { metadata } = this.#cluster
      metadata.applyLeaderHint(
        queue.topic.name,
        queue.partition,
        hint.leaderId,
        hint.leaderEpoch,
        response.nodeEndpoints,
      )
    })
  }

  /** What an answer other than success means; null: the batch goes again. */
  #refused(outbox: Outbox, shipment: Shipment, answer: PartitionAnswer | null): Outcome | null {
    const { queue, batch } = shipment
    if (answer === null) {
      const error = new KafkaError(
        ErrorCode.ERR__BAD_MSG,
        `${queue.name}: the broker's answer leaves the partition out`,
      )
      return this.#judge(outbox, shipment, requestVerdict(error.code, true), error, null)
    }
    const { errorCode, errorMessage } = answer
    if (errorCode === ErrorCode.ERR_MSG_SIZE_TOO_LARGE && this.#maySplit(batch)) {
      this.#split(shipment)
      return null
    }
    const error = KafkaError.of(errorCode, queue.name, errorMessage)
    if (this.#identity !== null && !batch.isSettled) {
      const about = judgeSequence(queue, batch, errorCode)
      if (about === 'persisted') {
        queue.settle()
        return written('persisted', -1, -1)
      }
      if (about === 'forgotten' && !this.#isLost()) {
        batch.lastError = error
        queue.forget(batch)
        return null
      }
      if (about !== 'other') {
        const isInDoubt = about === 'in doubt' || about === 'forgotten'
        if (!isInDoubt) batch.doubt = 'not-persisted'
        if (about === 'fenced') this.#identity.fenced(queue.identity, error.message)
        else if (queue.hasGap) this.#identity.gap(queue.identity, error.message, errorCode)
        return this.#judge(outbox, shipment, isInDoubt ? behindLost : outOfSequence, error, null)
      }
    }
    const verdict = answerVerdict(errorCode, this.#settings.acks)
    if (verdict.refresh && queue.leader === outbox.brokerId) {
      this.#cluster.metadata.requestRefresh(`produce: ${error.message}`, [queue.topic.name])
    }
    return this.#judge(outbox, shipment, verdict, error, recordErrors(answer, queue.name))
  }

  // Of a transaction that is being aborted nothing is sent again.
  #isLost(): boolean {
    return this.#transaction !== null && this.#transaction.isLost
  }

  // A leader that has the whole of it would not know the halves again.
  #maySplit(batch: Batch): boolean {
    const isInDoubt = this.#identity !== null && batch.doubt === 'possibly-persisted'
    return batch.count > 1 && !batch.isSettled && !isInDoubt && !this.#isLost()
  }

  // The limits of broker and topic are not known here; halves get below them in the end.
  #split({ queue, batch }: Shipment): void {
    this.#context.logger.debug('msg', 'SPLIT', `${queue.name}: ${batch.count} messages were too large for one batch`)
    queue.settle()
    const halves = splitBatch(batch, batch.count >> 1)
    queue.putBack(halves)
  }

  #judge(
    outbox: Outbox,
    { queue, batch }: Shipment,
    verdict: Verdict,
    error: KafkaError,
    records: ReadonlyMap<number, KafkaError> | null,
  ): Outcome | null {
    if (batch.isSettled) {
      queue.settle()
      return null
    }
    if (verdict.inDoubt) {
      batch.doubt = 'possibly-persisted'
      batch.wasInDoubt = true
    }
    batch.lastError = error
    const { messageTimeoutMs, maxRetries } = this.#settings
    const { clock, logger, random } = this.#context
    const now = clock.now()
    if (verdict.counts) batch.retries++
    const isLate = now >= batch.lastAt + messageTimeoutMs
    if (verdict.retry && batch.retries <= maxRetries && !isLate && !this.#isLost()) {
      batch.failures++
      // A leader that is known to be another one already is asked at once.
      const hasMoved = verdict.refresh && queue.leader >= 0 && queue.leader !== outbox.brokerId
      const { backoffMs: base, backoffMaxMs } = this.#settings
      const pause = hasMoved ? 0 : (verdict.pauseMs ?? backoffMs(batch.failures, base, backoffMaxMs, random))
      queue.retry(batch, now + pause)
      const counters = this.#cluster.broker(outbox.brokerId)?.counters
      if (counters) counters.txRetries++
      if (logger.enabled('msg')) {
        logger.debug('msg', 'RETRY', `${queue.name}: again in ${Math.round(pause)} ms: ${error.name}: ${error.message}`)
      }
      return null
    }
    queue.settle()
    let told = error
    if (records !== null) told = KafkaError.of(ErrorCode.ERR__INVALID_DIFFERENT_RECORD, queue.name)
    else if (verdict.retry && isLate) told = expiry(queue, messageTimeoutMs, error)
    else if (error.code === ErrorCode.ERR__TIMED_OUT) {
      told = new KafkaError(ErrorCode.ERR__MSG_TIMED_OUT, error.message, { cause: error })
    }
    this.dropped(queue, batch, records === null ? told : error)
    return { status: batch.unpersisted, baseOffset: -1, logAppendTime: -1, error: told, recordErrors: records }
  }
}

function countShipments(broker: BrokerCounters, context: SenderContext, shipments: readonly Shipment[]): void {
  const now = context.clock.now()
  for (const { queue, batch, records } of shipments) {
    broker.batchSent(now - batch.firstAt)
    context.counters?.produced(queue.topic.name, queue.partition, batch.count, records.length)
  }
}
