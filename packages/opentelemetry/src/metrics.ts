/** Metrics: durations and counts from the channels, states from the clients' statistics when they are collected. */
import type { Attributes, BatchObservableResult, Counter, Histogram, Meter, Observable } from '@opentelemetry/api'
import { openClients, type ChannelClient, type OpenClient } from 'ottla'
import { joined, OperationAttributes } from './attributes.ts'
import { attribute, DURATION_BOUNDARIES, errorType, metric } from './names.ts'
import { Subscriptions } from './subscriptions.ts'

/**
 * What metrics are told apart by.
 * @since 0.1.0
 */
export interface MetricsOptions {
  /** Counts and lag for each partition instead of for each topic. False by default: it multiplies the series. */
  readonly perPartition?: boolean
}

const seconds = (begun: number): number => (performance.now() - begun) / 1000

/** Measures all clients of the process until `end`. */
export class ClientMetrics {
  readonly #client = new OperationAttributes(null)
  readonly #send = new OperationAttributes(['send', 'send'])
  readonly #poll = new OperationAttributes(['poll', 'receive'])
  readonly #settle = new OperationAttributes(['commit', 'settle'])
  readonly #process = new OperationAttributes(['process', 'process'])
  readonly #perPartition: boolean
  readonly #subscriptions = new Subscriptions()
  readonly #stopObserving: () => void

  constructor(meter: Meter, { perPartition = false }: MetricsOptions) {
    this.#perPartition = perPartition
    this.#follow(meter)
    this.#stopObserving = this.#observe(meter)
  }

  end(): void {
    this.#subscriptions.end()
    this.#stopObserving()
  }

  #follow(meter: Meter): void {
    const duration = histogram(meter, metric.operationDuration, 'Duration of operations: send, poll, commit.')
    const processing = histogram(meter, metric.processDuration, 'Duration of a handler of messages or batches.')
    const requests = histogram(meter, metric.requestDuration, 'From a request to its response.')
    const throttle = histogram(meter, metric.throttle, 'How long brokers have asked the client to wait.')
    const sent = counter(meter, metric.sent, '{message}', 'Messages sent to brokers, each time that they are sent.')
    const consumed = counter(meter, metric.consumed, '{message}', 'Messages fetched from brokers.')
    const rebalances = counter(meter, metric.rebalances, '{rebalance}', 'Partitions were assigned, revoked or lost.')
    const channels = this.#subscriptions
    const now = (): number => performance.now()
    channels.follow('ottla:produce', now, ({ client, topic, partition, messageCount, error }, begun) => {
      const attributes = this.#attributes(this.#send, client, topic, partition, error)
      sent.add(messageCount, attributes)
      duration.record(seconds(begun), attributes)
    })
    channels.follow('ottla:fetch', now, ({ client, fetched, error }, begun) => {
      for (const { topic, partition, messageCount } of fetched) {
        consumed.add(messageCount, this.#attributes(this.#poll, client, topic, partition, undefined))
      }
      duration.record(seconds(begun), this.#attributes(this.#poll, client, null, -1, error))
    })
    channels.follow('ottla:commit', now, ({ client, error }, begun) =>
      duration.record(seconds(begun), this.#attributes(this.#settle, client, null, -1, error)),
    )
    channels.follow('ottla:process', now, ({ client, topic, partition, error }, begun) =>
      processing.record(seconds(begun), this.#attributes(this.#process, client, topic, partition, error)),
    )
    channels.follow('ottla:request', now, ({ client, apiName, error, result }, begun) => {
      const attributes = joined(this.#client.of(client, null), { 'ottla.request': apiName, ...failed(error) })
      requests.record(seconds(begun), attributes)
      const ms = result?.throttleTimeMs ?? 0
      if (ms > 0) throttle.record(ms / 1000, this.#client.of(client, null))
    })
    channels.on('ottla:rebalance', 'asyncEnd', ({ client, type }) => {
      rebalances.add(1, joined(this.#client.of(client, null), { 'ottla.rebalance': type }))
    })
  }

  #observe(meter: Meter): () => void {
    const gauge = (name: string, unit: string, description: string): Observable =>
      meter.createObservableGauge(name, { unit, description })
    const gauges = {
      lag: gauge(metric.lag, '{message}', 'Offsets behind the end, by what is committed.'),
      fetched: gauge(metric.fetchQueue, '{message}', 'Messages fetched and not delivered yet.'),
      queued: gauge(metric.produceQueue, '{message}', 'Messages without a report.'),
      bytes: gauge(metric.produceQueueBytes, 'By', 'Their bytes.'),
      connections: gauge(metric.connections, '{broker}', 'Brokers by the state of their connections.'),
    }
    const observe = (result: BatchObservableResult): void => {
      for (const client of openClients()) this.#read(client, gauges, result)
    }
    const all = Object.values(gauges)
    meter.addBatchObservableCallback(observe, all)
    return () => meter.removeBatchObservableCallback(observe, all)
  }

  #read(
    open: OpenClient,
    gauges: Readonly<Record<'lag' | 'fetched' | 'queued' | 'bytes' | 'connections', Observable>>,
    result: BatchObservableResult,
  ): void {
    const { client } = open
    const { brokers, topics, msg_cnt, msg_size } = open.statistics()
    const own = joined(this.#client.of(client, null), { [attribute.client]: client.name })
    const states = new Map<string, number>()
    for (const { state } of Object.values(brokers)) states.set(state, (states.get(state) ?? 0) + 1)
    for (const [state, count] of states) {
      result.observe(gauges.connections, count, { ...own, 'ottla.broker.state': state.toLowerCase() })
    }
    if (client.kind === 'producer') {
      result.observe(gauges.queued, msg_cnt, own)
      result.observe(gauges.bytes, msg_size, own)
    }
    if (client.kind !== 'consumer') return
    for (const { topic, partitions } of Object.values(topics)) {
      const read = Object.values(partitions).filter(({ desired }) => desired)
      for (const part of this.#perPartition ? read.map(each => [each]) : [read]) {
        const [first] = part
        if (first === undefined) continue
        const partition = this.#perPartition ? { [attribute.partition]: String(first.partition) } : {}
        const attributes = { ...own, [attribute.destination]: topic, ...partition }
        const known = part.filter(({ consumer_lag }) => consumer_lag >= 0)
        if (known.length > 0) {
          result.observe(
            gauges.lag,
            known.reduce((sum, { consumer_lag }) => sum + consumer_lag, 0),
            attributes,
          )
        }
        result.observe(
          gauges.fetched,
          part.reduce((sum, { fetchq_cnt }) => sum + fetchq_cnt, 0),
          attributes,
        )
      }
    }
  }

  #attributes(
    operation: OperationAttributes,
    client: ChannelClient,
    topic: string | null,
    partition: number,
    error: unknown,
  ): Attributes {
    const known = operation.of(client, topic)
    const isCounted = this.#perPartition && partition >= 0
    if (!isCounted && error === undefined) return known
    return joined(known, { ...(isCounted ? { [attribute.partition]: String(partition) } : {}), ...failed(error) })
  }
}

function failed(error: unknown): Attributes {
  return error === undefined ? {} : { [attribute.errorType]: errorType(error) }
}

function histogram(meter: Meter, name: string, description: string): Histogram {
  return meter.createHistogram(name, {
    unit: 's',
    description,
    advice: { explicitBucketBoundaries: DURATION_BOUNDARIES },
  })
}

function counter(meter: Meter, name: string, unit: string, description: string): Counter {
  return meter.createCounter(name, { unit, description })
}
