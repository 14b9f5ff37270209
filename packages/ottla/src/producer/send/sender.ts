/** Sends ready batches, those of all partitions of a broker in one request. */
import { ErrorCode, Produce, ZERO_UUID, type Decoded, type ProduceRequest, type ProduceResponse } from '@ottla/protocol'
import { enqueueMicrotask } from '../../base/microtask.ts'
import type { TurnClock } from '../../base/turn-clock.ts'
import { messageOf, stackOf } from '../../base/unknown-error.ts'
import type { BrokerRequestOptions } from '../../cluster/broker.ts'
import { KafkaError } from '../../errors.ts'
import { RequestError } from '../../network/request-error.ts'
import { channels } from '../../observe/channels.ts'
import type { BrokerCounters } from '../../observe/statistics/counters.ts'
import type { SenderIdentity, SenderTransaction } from '../idempotence/identity.ts'
import { giveUp, leaveOut, stampHead } from '../idempotence/sequences.ts'
import { withoutReported, type Batch } from '../queue/batch.ts'
import type { PartitionQueue } from '../queue/partition-queue.ts'
import type { Delivery } from '../report/delivery.ts'
import { failure } from '../report/outcomes.ts'
import { AnswerJudge, type Settlement } from './answers.ts'
import { Compressions } from './compressions.ts'
import type { ProduceCluster, SenderContext, SenderSettings } from './context.ts'
import { ProduceTraces } from './produce-traces.ts'
import { Outbox } from './outbox.ts'
import { highestVersion, requestBody, ShippedRequest, type Shipment } from './produce-request.ts'

// As in librdkafka, messages sent in their last moment do not cost those in flight the connection.
const LEAST_TIMEOUT_MS = 100

/**
 * Sends whole batches from the queues to the brokers and settles them with the responses. A partition's batches go to
 * one broker at a time: after a change of leader, nothing is sent to the new one before the old one has answered.
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
  readonly #judge: AnswerJudge
  readonly #compressions: Compressions | null
  readonly #traces: ProduceTraces
  readonly #outboxes = new Map<number, Outbox>()
  readonly #inFlight = new Set<ShippedRequest>()
  #backingOff = new Set<PartitionQueue>()
  #isDraining = false
  #isHeld: boolean

  /**
   * @param identity - of an idempotent producer
   * @param wakeAt - requests a call of `tick` at a time (monotonic ms)
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
    this.#traces = new ProduceTraces(context.client)
    this.#judge = new AnswerJudge(cluster, settings, context, identity)
    this.#isHeld = settings.codec !== null
    const { codec, level } = settings
    this.#compressions =
      codec === null ? null : new Compressions(codec, level, context.threads, queue => this.list(queue))
  }

  /** Requests in flight. */
  get requestsInFlight(): number {
    return this.#inFlight.size
  }

  /** Starts sending: the codec is ready. */
  release(): void {
    this.#isHeld = false
    this.#drainSoon()
  }

  /** Call this when a queue has changed: sends from it soon if its head is ready. */
  list(queue: PartitionQueue): void {
    if (queue.isEmpty || (queue.listedIn >= 0 && queue.listedIn === queue.leader)) return
    const now = this.#turnClock.now()
    if (!this.#maySend(queue, now)) {
      if (queue.leader >= 0 && queue.inFlight === 0 && queue.retryAt > now) this.#backOff(queue)
      return
    }
    this.#outbox(queue.leader).list(queue)
    this.#drainSoon()
  }

  /** Sends the queue's open batch as soon as no request to its broker is in flight. */
  eager(queue: PartitionQueue): void {
    queue.isEager = queue.leader < 0
    if (queue.isEager) return
    this.#outbox(queue.leader).addEager(queue)
    this.#drainSoon()
  }

  /** Connects to a broker ahead of the first request. */
  preconnect(brokerId: number): void {
    if (brokerId >= 0) this.#outbox(brokerId)
  }

  /** Lists the queues whose backoff before a retry is over. */
  tick(now: number): void {
    if (this.#backingOff.size === 0) return
    const backingOff = this.#backingOff
    this.#backingOff = new Set()
    for (const queue of backingOff) {
      if (queue.retryAt > now) this.#backOff(queue)
      else this.list(queue)
    }
  }

  /**
   * A batch was given up: batches stamped after it need new stamps. Call this before settling it.
   * @param error - why it could not be delivered; null if the application purged it
   */
  dropped(queue: PartitionQueue, batch: Batch, error: KafkaError | null): void {
    giveUp(this.#identity, queue, batch, error)
  }

  /**
   * Some messages of a batch, which goes on without them, timed out.
   * @param error - why they could not be delivered
   */
  lost(error: KafkaError): void {
    this.#identity?.lost(error)
  }

  /** The requests in flight, oldest first; the response settles each of their batches unless it is settled by then. */
  requests(): Iterable<ShippedRequest> {
    return this.#inFlight
  }

  #maySend(queue: PartitionQueue, now: number): boolean {
    if (queue.leader < 0 || !queue.isReady(now)) return false
    return queue.inFlight === 0 || queue.inFlightTo === queue.leader
  }

  #backOff(queue: PartitionQueue): void {
    this.#backingOff.add(queue)
    this.#wakeAt(queue.retryAt)
  }

  #outbox(brokerId: number): Outbox {
    let outbox = this.#outboxes.get(brokerId)
    if (outbox === undefined) {
      outbox = new Outbox(brokerId)
      this.#outboxes.set(brokerId, outbox)
      this.#cluster.broker(brokerId)?.preconnect('produce')
    }
    return outbox
  }

  // In a microtask: a burst of messages within one turn shares requests.
  #drainSoon(): void {
    if (this.#isDraining) return
    this.#isDraining = true
    enqueueMicrotask(() => {
      this.#isDraining = false
      if (this.#isHeld) return
      for (const outbox of this.#outboxes.values()) this.#drain(outbox)
    })
  }

  #drain(outbox: Outbox): void {
    if (outbox.inFlight === 0) {
      for (const queue of outbox.takeEager()) {
        queue.endLinger()
        this.list(queue)
      }
    }
    const limit = outbox.isProven ? this.#settings.maxInFlight : 1
    while (outbox.readyCount > 0 && outbox.inFlight < limit) {
      const shipments = this.#compose(outbox)
      if (shipments.length > 0) this.#ship(outbox, shipments)
    }
  }

  /** Takes one batch of each ready partition, as many as fit into a request. */
  #compose(outbox: Outbox): Shipment[] {
    const { maxRequestBytes, codec, level } = this.#settings
    const now = this.#context.clock.now()
    const shipments: Shipment[] = []
    let bytes = 0
    for (let left = outbox.readyCount; left > 0; left--) {
      const queue = outbox.next()
      if (queue === null || queue.isEmpty) continue
      if (queue.takenFor === shipments || queue.leader !== outbox.brokerId || !this.#maySend(queue, now)) {
        this.list(queue)
        continue
      }
      const head = this.#nextOf(queue)
      if (head === null || !queue.isReady(now)) {
        this.list(queue)
        continue
      }
      if (shipments.length > 0 && bytes + head.sizeBytes > maxRequestBytes) {
        outbox.relist(queue)
        break
      }
      // A queue that has to wait is listed again when there is an id, or when its batches in flight are answered.
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

  /** The queue's head, without messages that have been reported meanwhile; null if there is none. */
  #nextOf(queue: PartitionQueue): Batch | null {
    const { head } = queue
    if (head === null || head.reported === 0 || head.isFixed) return head
    const rest = withoutReported(head)
    leaveOut(this.#identity, queue, head)
    queue.replaceHead(rest)
    this.#delivery.release(head)
    return rest
  }

  #sealFailed(queue: PartitionQueue, batch: Batch, error: unknown): void {
    queue.settle()
    const why = messageOf(error)
    const message = `${queue.name}: the batch could not be sealed: ${why}`
    const reported = new KafkaError(ErrorCode.ERR__BAD_COMPRESSION, message, { cause: error })
    this.dropped(queue, batch, reported)
    // Not within the call that sends it.
    enqueueMicrotask(() => this.#delivery.settle(queue.topic.name, queue.partition, batch, failure(batch, reported)))
  }

  #ship(outbox: Outbox, shipments: readonly Shipment[]): void {
    const { acks } = this.#settings
    const request = new ShippedRequest(outbox.brokerId, shipments)
    outbox.inFlight++
    this.#inFlight.add(request)
    const broker = this.#cluster.broker(outbox.brokerId)
    if (channels.produce.hasSubscribers) this.#traces.begin(outbox.brokerId, shipments, this.#context.clock.now())
    if (broker === undefined) {
      const message = `broker ${outbox.brokerId} is not known to the cluster at present`
      const error = new RequestError(ErrorCode.ERR__TRANSPORT, message, false)
      enqueueMicrotask(() => this.#failed(outbox, request, error))
      return
    }
    const maxVersion = highestVersion(shipments, ZERO_UUID, this.#transaction?.maxProduceVersion)
    const options: BrokerRequestOptions = {
      lane: 'produce',
      timeoutMs: this.#timeoutOf(shipments),
      noResponse: acks === 0,
      ...(maxVersion === undefined ? {} : { maxVersion }),
    }
    broker
      .request(Produce, version => this.#write(request, broker.counters ?? null, version), options)
      .then(
        response => this.#answered(outbox, request, response),
        (error: unknown) => this.#failed(outbox, request, error),
      )
      .catch((error: unknown) => {
        const why = stackOf(error)
        this.#context.logger.error('BUG', `settling a produce request failed: ${why}`)
      })
  }

  // Called when there is a connection, just before the bytes are written.
  #write(request: ShippedRequest, counters: BrokerCounters | null, version: number): ProduceRequest {
    const { shipments } = request
    const isOutdated = shipments.some(({ batch }) => batch.isSettled || (batch.reported > 0 && !batch.isFixed))
    if (isOutdated) this.#recall(request)
    if (request.isRecalled) {
      const why = 'messages of it were given up while it waited for a connection'
      throw new RequestError(ErrorCode.ERR__RETRY, `the request was not sent: ${why}`, false)
    }
    request.isWritten = true
    if (counters !== null) countShipments(counters, this.#context, shipments)
    const { logger } = this.#context
    if (logger.enabled('msg')) {
      for (const { queue, batch, records } of shipments) {
        const what = `${batch.count} messages from message ${batch.baseMsgid}, ${records.length} bytes`
        logger.debug('msg', 'PRODUCE', `${queue.name}: ${what}, to broker ${request.brokerId}`)
      }
    }
    const { acks, requestTimeoutMs } = this.#settings
    return requestBody(shipments, acks, requestTimeoutMs, this.#transaction?.id ?? null, version)
  }

  // Those behind it come back as well: they must not overtake its batches.
  #recall(request: ShippedRequest): void {
    for (const other of this.#inFlight) {
      if (other.brokerId === request.brokerId && !other.isWritten) other.isRecalled = true
    }
  }

  // Ends with its messages: nothing is left to wait for then, and the broker does not seem to answer. librdkafka lets it
  // end with the first message of a batch and tries the others again, over another connection; here they are in no
  // doubt as long as the broker may answer.
  #timeoutOf(shipments: readonly Shipment[]): number {
    const { wireTimeoutMs, messageTimeoutMs } = this.#settings
    const now = this.#context.clock.now()
    let timeoutMs = wireTimeoutMs
    for (const { batch } of shipments) timeoutMs = Math.min(timeoutMs, batch.lastAt + messageTimeoutMs - now)
    return Math.max(LEAST_TIMEOUT_MS, timeoutMs)
  }

  #answered(outbox: Outbox, request: ShippedRequest, response: Decoded<ProduceResponse> | undefined): void {
    this.#returned(outbox, request)
    this.#finish(request, this.#judge.answered(outbox, request.shipments, response))
  }

  #failed(outbox: Outbox, request: ShippedRequest, error: unknown): void {
    this.#returned(outbox, request)
    if (request.isRecalled) {
      for (const { queue, batch } of request.shipments) {
        if (batch.isSettled) queue.settle()
        else queue.retry(batch, 0)
      }
      this.#finish(request, [])
      return
    }
    this.#finish(request, this.#judge.failed(outbox, request, error))
  }

  #returned(outbox: Outbox, request: ShippedRequest): void {
    outbox.inFlight--
    this.#inFlight.delete(request)
  }

  // The state is final before the first report, so that code within a report can produce.
  #finish(request: ShippedRequest, done: readonly Settlement[]): void {
    for (const { queue } of request.shipments) this.list(queue)
    this.#drainSoon()
    this.#traces.ended(request.shipments, done)
    for (const { shipment, outcome } of done) {
      const { queue, batch } = shipment
      this.#delivery.settle(queue.topic.name, queue.partition, batch, outcome)
    }
  }
}

function countShipments(broker: BrokerCounters, context: SenderContext, shipments: readonly Shipment[]): void {
  const now = context.clock.now()
  for (const { queue, batch, records } of shipments) {
    broker.batchSent(now - batch.firstAt)
    context.counters?.produced(queue.topic.name, queue.partition, batch.count, records.length)
  }
}
