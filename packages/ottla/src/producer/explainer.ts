/** Says in sentences why messages are not delivered, and what is wrong with a producer. */
import { ErrorCode } from '@ottla/protocol'
import { addToGroup } from '../base/grouping.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { ClientContext } from '../cluster/context.ts'
import { ClientInsight, connectionConditions, explainConnections, explainTopicError, some } from '../cluster/insight.ts'
import { KafkaError } from '../errors.ts'
import type { Condition } from '../observe/health.ts'
import { lookAtWindow } from '../observe/statistics/window.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { Pipeline } from './pipeline.ts'
import type { PartitionQueue } from './queue/partition-queue.ts'
import type { TopicQueue } from './queue/topic-queue.ts'
import { producerStatistics } from './statistics.ts'

/** Messages that wait longer, without counting their linger, are late. */
const LATE_MS = 10_000

/** The transactions, as far as they are explained. */
export interface ExplainedTransactions {
  readonly isOpen: boolean
  readonly lastError: KafkaError | null
}

/** Messages that wait in one queue. */
interface Waiting {
  readonly queue: PartitionQueue
  readonly topic: TopicQueue
  readonly messages: number
  /** When the oldest of them was accepted, monotonic ms. */
  readonly since: number
  readonly lastError: KafkaError | null
}

/** A producer, as far as it is explained. */
interface ExplainedProducer {
  readonly context: ClientContext
  readonly cluster: Cluster
  readonly pipeline: Pipeline
  readonly lifecycle: Lifecycle
  readonly transactions: ExplainedTransactions | null
}

class ProducerExplainer {
  readonly #producer: ExplainedProducer

  constructor(producer: ExplainedProducer) {
    this.#producer = producer
  }

  /** One sentence each, causes before their consequences. */
  explain(): string[] {
    const final = this.#final()
    if (final !== null) return [final.message]
    const { accumulator } = this.#producer.pipeline
    const waiting = [...this.#waiting()]
    const found = [...explainConnections(this.#producer.cluster), ...this.#topics(), ...this.#transaction()]
    if (this.#isFull) found.push(this.#fullness())
    const byReason = new Map<string, string[]>()
    for (const each of waiting) addToGroup(byReason, this.#reason(each), nameOf(each))
    for (const [reason, names] of byReason) found.push(`${some(names)}: ${reason}.`)
    const { requestsInFlight } = this.#producer.pipeline.sender
    if (requestsInFlight > 0)
      found.push(`Requests in flight, which brokers have not answered yet: ${requestsInFlight}.`)
    if (accumulator.messages === 0) found.push('Every message has been reported: nothing waits to be sent.')
    return found
  }

  *conditions(): Iterable<Condition> {
    const final = this.#final()
    if (final !== null) {
      yield final
      return
    }
    yield* connectionConditions(this.#producer.cluster)
    for (const message of this.#topics()) yield { code: 'topic', message }
    for (const message of this.#transaction()) yield { code: 'transaction', message }
    const now = this.#producer.context.clock.now()
    const limitMs = LATE_MS + this.#producer.context.settings['linger.ms']
    const late = [...this.#waiting()].filter(({ since }) => now - since > limitMs)
    const since = Math.min(...late.map(each => each.since))
    if (this.#isFull) yield { code: 'queue-full', message: this.#fullness() }
    if (late.length === 0) return
    const messages = late.reduce((sum, each) => sum + each.messages, 0)
    const seconds = Math.round((now - since) / 1000)
    const why = this.#reason(late[0] as Waiting) // not empty
    const message = `${messages} messages wait for up to ${seconds} s: ${some(late.map(nameOf))}: ${why}.`
    yield { code: 'late-messages', message, since: since + limitMs }
  }

  /** After which there is nothing more to say. */
  #final(): Condition | null {
    if (this.#producer.lifecycle.state !== 'open') {
      const what = this.#producer.lifecycle.state === 'closed' ? 'closed' : 'being closed'
      return { code: 'closed', message: `The producer is ${what}.` }
    }
    const { fatal } = this.#producer.lifecycle
    if (fatal === null) return null
    const why = `${fatal.message} (${fatal.name})`
    return { code: 'fatal', message: `The producer has failed for good: ${why}. Close it and make another one.` }
  }

  get #isFull(): boolean {
    const { accumulator } = this.#producer.pipeline
    return accumulator.hasWaiters || !accumulator.hasRoom(1)
  }

  #fullness(): string {
    const { accumulator } = this.#producer.pipeline
    const limits = 'queue.buffering.max.messages, queue.buffering.max.kbytes'
    return `The queue is full (${accumulator.limits}; ${limits}): produce throws ERR__QUEUE_FULL, and send waits.`
  }

  *#topics(): Iterable<string> {
    const { topics } = this.#producer.cluster.metadata.snapshot
    for (const { name } of this.#producer.pipeline.topics()) {
      const code = topics.get(name)?.errorCode ?? ErrorCode.ERR_NO_ERROR
      if (code === ErrorCode.ERR_NO_ERROR) continue
      yield `Topic ${name} ${explainTopicError(code, 'written to', KafkaError.of(code, 'metadata').message)}.`
    }
  }

  *#transaction(): Iterable<string> {
    const { transactions } = this.#producer
    if (transactions === null || !transactions.isOpen || transactions.lastError === null) return
    const { message, name } = transactions.lastError
    yield `The transaction has to be aborted: ${message} (${name}).`
  }

  *#waiting(): Iterable<Waiting> {
    for (const topic of this.#producer.pipeline.topics()) {
      for (const queue of topic.queues()) {
        const { oldest } = queue
        if (oldest === null) continue
        let messages = 0
        for (const batch of queue.batches()) messages += batch.count
        yield { queue, topic, messages, since: oldest.firstAt, lastError: oldest.lastError }
      }
    }
  }

  /** Why the messages of a queue wait. */
  #reason({ queue, topic, lastError }: Waiting): string {
    const now = this.#producer.context.clock.now()
    const last = lastError === null ? '' : `; last error: ${lastError.message}`
    if (queue.partition < 0 || topic.state === 'unknown') return `wait for what the brokers say about the topic${last}`
    if (queue.leader < 0) return `has no leader at present${last}`
    if (queue.retryAt > now) return `are sent again in ${Math.round(queue.retryAt - now)} ms${last}`
    const leader = this.#producer.cluster.broker(queue.leader)
    const name = leader?.name ?? `broker ${queue.leader}`
    if (leader === undefined || leader.isFailing)
      return `wait for their leader, ${name}, which cannot be reached${last}`
    if (queue.inFlight > 0) return `wait for the batches before them, sent to ${name}${last}`
    return `are about to be sent to ${name}${last}`
  }
}

/** What a producer says about itself when it is asked. */
export function producerInsight(producer: ExplainedProducer): ClientInsight {
  const { context, cluster, pipeline } = producer
  const explainer = new ProducerExplainer(producer)
  return new ClientInsight(context, {
    conditions: () => explainer.conditions(),
    explain: () => explainer.explain(),
    statistics: () => producerStatistics(context, cluster, pipeline, lookAtWindow),
  })
}

function nameOf({ queue, topic }: Waiting): string {
  return queue.partition < 0 ? topic.name : `${topic.name} [${queue.partition}]`
}
