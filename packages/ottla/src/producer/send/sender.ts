/** Sends ready batches, those of all partitions of a broker in one request. */
import { ErrorCode, Produce, ZERO_UUID, type Decoded, type ProduceResponse } from '@ottla/protocol'
import { enqueueMicrotask } from '../../base/microtask.ts'
import type { TurnClock } from '../../base/turn-clock.ts'
import { messageOf, stackOf } from '../../base/unknown-error.ts'
import type { BrokerRequestOptions } from '../../cluster/broker.ts'
import { KafkaError } from '../../errors.ts'
import { RequestError } from '../../network/request-error.ts'
import { channels } from '../../observe/channels.ts'
import type { BrokerCounters } from '../../observe/statistics/counters.ts'
import type { SenderIdentity, SenderTransaction } from '../idempotence/identity.ts'
import { giveUp, stampHead } from '../idempotence/sequences.ts'
import type { Batch } from '../queue/batch.ts'
import type { PartitionQueue } from '../queue/partition-queue.ts'
import type { Delivery } from '../report/delivery.ts'
import { failure } from '../report/outcomes.ts'
import { AnswerJudge, type Settlement } from './answers.ts'
import { Compressions } from './compressions.ts'
import type { ProduceCluster, SenderContext, SenderSettings } from './context.ts'
import { ProduceTraces } from './produce-traces.ts'
import { Outbox } from './outbox.ts'
import { highestVersion, requestBody, type Shipment } from './produce-request.ts'

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
  readonly #inFlight = new Set<readonly Shipment[]>()
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

  /** The batches in flight; the response settles each unless it is settled by then. */
  *shipments(): Generator<Shipment> {
    for (const shipments of this.#inFlight) yield* shipments
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
    const { acks, requestTimeoutMs } = this.#settings
    outbox.inFlight++
    this.#inFlight.add(shipments)
    const broker = this.#cluster.broker(outbox.brokerId)
    if (channels.produce.hasSubscribers) this.#traces.begin(outbox.brokerId, shipments, this.#context.clock.now())
    if (broker === undefined) {
      const message = `broker ${outbox.brokerId} is not known to the cluster at present`
      const error = new RequestError(ErrorCode.ERR__TRANSPORT, message, false)
      enqueueMicrotask(() => this.#failed(outbox, shipments, error))
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
        const what = `${batch.count} messages from message ${batch.baseMsgid}, ${records.length} bytes`
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
        const why = stackOf(error)
        logger.error('BUG', `settling a produce request failed: ${why}`)
      })
  }

  // Not beyond the messages' own timeout: messages that time out in flight are in doubt, and reported in time.
  #timeoutOf(shipments: readonly Shipment[]): number {
    const { wireTimeoutMs, messageTimeoutMs } = this.#settings
    const now = this.#context.clock.now()
    let timeoutMs = wireTimeoutMs
    for (const { batch } of shipments) timeoutMs = Math.min(timeoutMs, batch.lastAt + messageTimeoutMs - now)
    return Math.max(1, timeoutMs)
  }

  #answered(outbox: Outbox, shipments: readonly Shipment[], response: Decoded<ProduceResponse> | undefined): void {
    this.#returned(outbox, shipments)
    this.#finish(shipments, this.#judge.answered(outbox, shipments, response))
  }

  #failed(outbox: Outbox, shipments: readonly Shipment[], error: unknown): void {
    this.#returned(outbox, shipments)
    this.#finish(shipments, this.#judge.failed(outbox, shipments, error))
  }

  #returned(outbox: Outbox, shipments: readonly Shipment[]): void {
    outbox.inFlight--
    this.#inFlight.delete(shipments)
  }

  // The state is final before the first report, so that code within a report can produce.
  #finish(shipments: readonly Shipment[], done: readonly Settlement[]): void {
    for (const { queue } of shipments) this.list(queue)
    this.#drainSoon()
    this.#traces.ended(shipments, done)
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
