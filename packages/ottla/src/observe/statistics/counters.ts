/**
 * Counters of the statistics, updated per request and per batch, never per message. The fields are plain because hot
 * paths write them.
 */
import type { Clock } from '../../base/clock.ts'
import { Averages } from './averages.ts'
import { PushedCounters } from './pushed.ts'
import { Window } from './window.ts'

const MICROSECONDS = 1000

/** Counters of one partition, for the life of the client. */
export class PartitionCounters {
  txMessages = 0
  txBytes = 0
  rxMessages = 0
  rxBytes = 0
  rxDrops = 0
}

/** Counters of one topic. */
export class TopicCounters {
  /** In bytes, and in messages. */
  readonly batchSize: Window
  readonly batchCount: Window
  readonly partitions = new Map<number, PartitionCounters>()
  /** Monotonic ms. */
  readonly since: number

  constructor(since: number, hasWindows: boolean) {
    this.since = since
    this.batchSize = new Window(hasWindows)
    this.batchCount = new Window(hasWindows)
  }

  partition(partition: number): PartitionCounters {
    let counters = this.partitions.get(partition)
    if (counters === undefined) this.partitions.set(partition, (counters = new PartitionCounters()))
    return counters
  }
}

/** Counters of one client, including those of brokers that may be gone by now. */
export class ClientCounters {
  readonly clock: Clock
  /** Monotonic ms. */
  readonly since: number
  tx = 0
  txBytes = 0
  rx = 0
  rxBytes = 0
  txMessages = 0
  txMessageBytes = 0
  rxMessages = 0
  rxMessageBytes = 0
  readonly topics = new Map<string, TopicCounters>()
  readonly pushed = new PushedCounters()
  /** Distributions are counted, too, for `stats` events. */
  readonly hasWindows: boolean

  constructor(clock: Clock, hasWindows = true) {
    this.clock = clock
    this.since = clock.now()
    this.hasWindows = hasWindows
  }

  topic(name: string): TopicCounters {
    let counters = this.topics.get(name)
    if (counters === undefined) this.topics.set(name, (counters = new TopicCounters(this.clock.now(), this.hasWindows)))
    return counters
  }

  /** A batch was put into a request. */
  produced(topic: string, partition: number, messages: number, bytes: number): void {
    const ofTopic = this.topic(topic)
    ofTopic.batchSize.add(bytes)
    ofTopic.batchCount.add(messages)
    const ofPartition = ofTopic.partition(partition)
    ofPartition.txMessages += messages
    ofPartition.txBytes += bytes
    this.txMessages += messages
    this.txMessageBytes += bytes
  }

  /** A fetch brought batches of a partition. */
  fetched(topic: string, partition: number, messages: number, bytes: number): void {
    const ofPartition = this.topic(topic).partition(partition)
    ofPartition.rxMessages += messages
    ofPartition.rxBytes += bytes
    this.rxMessages += messages
    this.rxMessageBytes += bytes
  }

  /** A fetch response was for a position that the partition has left since. */
  dropped(topic: string, partition: number): void {
    this.topic(topic).partition(partition).rxDrops++
  }
}

/** Counters of one broker, over all its connections. */
export class BrokerCounters {
  readonly #client: ClientCounters
  tx = 0
  txBytes = 0
  txErrors = 0
  txRetries = 0
  timeouts = 0
  rx = 0
  rxBytes = 0
  rxErrors = 0
  rxPartial = 0
  connects = 0
  disconnects = 0
  /** Monotonic ms; -1 before the first. */
  lastSentAt = -1
  lastReceivedAt = -1
  /** When a connection last came up or was lost, monotonic ms. */
  stateAt: number
  readonly requests = new Map<string, number>()
  /** Microseconds. */
  readonly internalLatency: Window
  readonly outbufLatency: Window
  readonly roundTrip: Window
  /** Milliseconds. */
  readonly throttle: Window
  /** Those that brokers may ask for (KIP-714), milliseconds. */
  readonly latency = new Averages()
  readonly produceLatency = new Averages()
  readonly throttleTime = new Averages()
  readonly queueTime = new Averages()

  constructor(client: ClientCounters) {
    const { hasWindows } = client
    this.#client = client
    this.internalLatency = new Window(hasWindows)
    this.outbufLatency = new Window(hasWindows)
    this.roundTrip = new Window(hasWindows)
    this.throttle = new Window(hasWindows)
    this.stateAt = client.clock.now()
  }

  /** A connection came up or was lost. */
  changedState(): void {
    this.stateAt = this.#client.clock.now()
  }

  connected(): void {
    this.connects++
  }

  disconnected(): void {
    this.disconnects++
  }

  /** @param waitedMs - how long the request waited for its connection */
  queued(waitedMs: number): void {
    this.outbufLatency.add(waitedMs * MICROSECONDS)
  }

  /** @param now - monotonic ms */
  sent(name: string, chunks: readonly Uint8Array[], now: number): void {
    let bytes = 0
    for (const chunk of chunks) bytes += chunk.length
    this.tx++
    this.txBytes += bytes
    this.#client.tx++
    this.#client.txBytes += bytes
    this.lastSentAt = now
    this.requests.set(name, (this.requests.get(name) ?? 0) + 1)
  }

  /**
   * @param bytes - of the response, without its length prefix
   * @param sentAt - monotonic ms, like `now`
   * @param isProduce - whether it is one to a Produce request
   */
  received(bytes: number, sentAt: number, now: number, isProduce: boolean): void {
    const all = bytes + 4
    this.rx++
    this.rxBytes += all
    this.#client.rx++
    this.#client.rxBytes += all
    this.lastReceivedAt = now
    this.roundTrip.add((now - sentAt) * MICROSECONDS)
    this.latency.add(now - sentAt)
    if (isProduce) this.produceLatency.add(now - sentAt)
  }

  throttled(ms: number): void {
    this.throttle.add(ms)
    this.throttleTime.add(ms)
  }

  /** @param oldestMs - how long the oldest message of the batch waited to be sent */
  batchSent(oldestMs: number): void {
    this.internalLatency.add(oldestMs * MICROSECONDS)
    this.queueTime.add(oldestMs)
  }
}
