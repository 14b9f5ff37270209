/** @ottla/opentelemetry with the OpenTelemetry SDK: one trace across two topics and consumers, and metrics. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test, type TestContext } from 'node:test'
import { context, propagation, SpanKind, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { registerInstrumentations } from '@opentelemetry/instrumentation'
import {
  AggregationTemporality,
  DataPointType,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base'
import { OttlaInstrumentation, type OttlaInstrumentationConfig } from '@ottla/opentelemetry'
import { Consumer, Producer, type ConsumerConfig, type ProducerConfig, type Statistics, type StatsEvent } from 'ottla'
import { handle } from '../harness/handle.ts'
import { createTopic } from '../harness/topics.ts'
import type { PlainWorld } from './plain-world.ts'
import { fresh } from './world.ts'

const quiet = (): void => undefined
const LIMIT_MS = 20_000
const spans = new InMemorySpanExporter()
const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] })
const tracer = tracerProvider.getTracer('test')

const named = (name: string): ReadableSpan[] => spans.getFinishedSpans().filter(each => each.name === name)

/** What an instrumentation of HTTP does: a span of the server's, a child of the caller's by its headers. */
const traced =
  (work: () => Promise<unknown>): RequestListener =>
  ({ method, headers }, response) => {
    const caller = propagation.extract(context.active(), headers)
    tracer.startActiveSpan(`${String(method)} /orders`, { kind: SpanKind.SERVER }, caller, span => {
      void work().then(
        () => {
          span.end()
          response.writeHead(202).end()
        },
        () => response.writeHead(500).end(),
      )
    })
  }

/** Posts to an HTTP server with that handler, in a span of the caller's. */
async function post(work: () => Promise<unknown>): Promise<void> {
  const server = createServer(traced(work)).listen(0, '127.0.0.1')
  try {
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    await tracer.startActiveSpan('browser', async span => {
      const headers: Record<string, string> = {}
      propagation.inject(context.active(), headers)
      const { status } = await fetch(`http://127.0.0.1:${port}/orders`, { method: 'POST', headers })
      span.end()
      assert.equal(status, 202)
    })
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

/** Registers the tests; `start` starts their cluster. */
export function tracedMessageScenarios(start: () => Promise<PlainWorld>): void {
  let world: PlainWorld

  before(async () => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
    propagation.setGlobalPropagator(new W3CTraceContextPropagator())
    world = await start()
  })
  after(async () => {
    await world.close()
    context.disable()
    propagation.disable()
  })

  async function newTopic(): Promise<string> {
    const topic = fresh('traced')
    await createTopic(world.bootstrapServers, topic, { numPartitions: 1 })
    return topic
  }

  function producer(t: TestContext, config: Partial<ProducerConfig> = {}): Producer {
    const servers = { 'bootstrap.servers': world.bootstrapServers, 'client.id': 'shop' }
    const made = new Producer({ ...servers, ...config }, { logger: quiet })
    t.after(() => made.close())
    return made
  }

  function consumer(t: TestContext, topic: string, config: Partial<ConsumerConfig> = {}): Consumer {
    const servers = { 'bootstrap.servers': world.bootstrapServers, 'group.id': fresh('group') }
    const made = new Consumer({ ...servers, 'auto.offset.reset': 'earliest', ...config }, { logger: quiet })
    t.after(() => made.close())
    made.subscribe(topic)
    return made
  }

  function instrumented(t: TestContext, config: OttlaInstrumentationConfig, meterProvider?: MeterProvider): void {
    const instrumentations = [new OttlaInstrumentation(config)]
    const ended = { tracerProvider, instrumentations, ...(meterProvider === undefined ? {} : { meterProvider }) }
    t.after(registerInstrumentations(ended))
    t.after(() => spans.reset())
  }

  test('one trace: from an HTTP handler through send, run and a second send to a second consumer', async t => {
    instrumented(t, {})
    const [first, second] = [await newTopic(), await newTopic()]
    const sender = producer(t)
    const group = fresh('billing')
    const reader = consumer(t, first, { 'group.id': group })
    await post(() => sender.send({ topic: first, key: 'secret-key', value: 'v' }))
    await handle(reader, 1, () => sender.send({ topic: second, value: 'w' }))
    await handle(consumer(t, second), 1)
    const [caller] = named('browser')
    const [request] = named('POST /orders')
    const [sent] = named(`send ${first}`)
    const [processed] = named(`process ${first}`)
    const [sentOn] = named(`send ${second}`)
    const [last] = named(`process ${second}`)
    const chain = [caller, request, sent, processed, sentOn, last]
    assert.equal(new Set(chain.map(span => span?.spanContext().traceId)).size, 1)
    chain.slice(1).forEach((span, i) => {
      assert.equal(span?.parentSpanContext?.spanId, chain[i]?.spanContext().spanId, span?.name)
    })
    assert.deepEqual(
      chain.slice(2).map(span => span?.kind),
      [SpanKind.PRODUCER, SpanKind.CONSUMER, SpanKind.PRODUCER, SpanKind.CONSUMER],
    )
    assert.deepEqual(sent?.attributes, {
      'messaging.system': 'kafka',
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
      'messaging.client.id': 'shop',
      'messaging.destination.name': first,
      'messaging.destination.partition.id': '0',
      'messaging.kafka.offset': 0,
      'messaging.message.body.size': 1,
    })
    assert.deepEqual(processed?.attributes, {
      'messaging.system': 'kafka',
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.client.id': processed?.attributes['messaging.client.id'],
      'messaging.consumer.group.name': group,
      'messaging.destination.name': first,
      'messaging.destination.partition.id': '0',
      'messaging.kafka.offset': 0,
    })
    assert.ok(named(`poll ${first}`).length > 0 && named(`commit ${first}`).length > 0)
    const all = JSON.stringify(spans.getFinishedSpans().map(({ name, attributes }) => [name, attributes]))
    assert.doesNotMatch(all, /secret-key/)
  })

  test('by batch: the batch handler’s span has links to the HTTP handler that sent, and what it sends has its own', async t => {
    instrumented(t, { batch: 'batch' })
    const [first, second] = [await newTopic(), await newTopic()]
    const sender = producer(t)
    await post(() => Promise.all([1, 2, 3].map(() => sender.send({ topic: first, value: 'v' }))))
    const stop = new AbortController()
    await consumer(t, first).run({
      signal: stop.signal,
      batchHandler: async batch => {
        if (batch.lastOffset < 2) return
        await sender.send({ topic: second, value: 'w' })
        stop.abort()
      },
    })
    const request = named('POST /orders')[0]?.spanContext()
    const processed = named(`process ${first}`).at(-1)
    assert.ok(request !== undefined && processed !== undefined)
    assert.deepEqual(
      processed.links.map(link => [link.context.traceId, link.context.spanId]),
      [[request.traceId, request.spanId]],
    )
    const message = await consumer(t, second).readMessage(LIMIT_MS)
    const { traceId, spanId } = processed.spanContext()
    const { key, value } = message.headers[0] ?? {}
    assert.deepEqual([key, String(value)], ['traceparent', `00-${traceId}-${spanId}-01`])
  })

  test('metrics agree with the statistics JSON at the same moment', async t => {
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
    const metricReader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })
    const meterProvider = new MeterProvider({ readers: [metricReader] })
    t.after(() => meterProvider.shutdown())
    instrumented(t, { perPartition: true }, meterProvider)
    const topic = await newTopic()
    const settings = { 'statistics.interval.ms': 100 }
    const sender = producer(t, settings)
    const receiver = consumer(t, topic, { ...settings, 'enable.auto.commit': false })
    for (let i = 0; i < 5; i++) await sender.send({ topic, value: 'v' })
    await handle(receiver, 3)
    // Both at rest: what the JSON of the next interval says is what the metrics have to say.
    const [sent, received] = await Promise.all([json(sender), json(receiver)])
    await metricReader.forceFlush()
    const found =
      exporter
        .getMetrics()
        .at(-1)
        ?.scopeMetrics.flatMap(({ metrics }) => metrics) ?? []
    const points = (metric: string): { readonly value: unknown; readonly attributes: Record<string, unknown> }[] =>
      found.filter(({ descriptor }) => descriptor.name === metric).flatMap(({ dataPoints }) => [...dataPoints])
    const sum = (metric: string): number =>
      points(metric)
        .filter(({ attributes }) => attributes['messaging.destination.name'] === topic)
        .reduce((all, { value }) => all + Number(value), 0)
    assert.deepEqual([sent.txmsgs, received.rxmsgs], [5, 5])
    assert.equal(sum('messaging.client.sent.messages'), sent.txmsgs)
    assert.equal(sum('messaging.client.consumed.messages'), received.rxmsgs)
    const partition = received.topics[topic]?.partitions[0]
    assert.equal(sum('ottla.consumer.lag'), partition?.consumer_lag)
    assert.equal(sum('ottla.consumer.queue.messages'), partition?.fetchq_cnt)
    assert.deepEqual(
      points('ottla.producer.queue.messages').map(({ value }) => value),
      [sent.msg_cnt],
    )
    for (const { name, brokers } of [sent, received]) {
      const up = Object.values(brokers).filter(({ state }) => state === 'UP').length
      const connections = points('ottla.client.connections').filter(
        ({ attributes }) => attributes['ottla.client'] === name && attributes['ottla.broker.state'] === 'up',
      )
      assert.equal(connections[0]?.value, up)
    }
    const durations = found.find(({ descriptor }) => descriptor.name === 'messaging.process.duration')
    assert.ok(durations?.dataPointType === DataPointType.HISTOGRAM)
    assert.equal(
      durations.dataPoints.reduce((all, { value }) => all + value.count, 0),
      3,
    )
    const requests = found.find(({ descriptor }) => descriptor.name === 'ottla.client.request.duration')
    assert.ok(requests?.dataPointType === DataPointType.HISTOGRAM)
    const produced = requests.dataPoints.find(({ attributes }) => attributes['ottla.request'] === 'Produce')
    const counted = Object.values(sent.brokers).reduce((all, { req }) => all + (req['Produce'] ?? 0), 0)
    assert.equal(produced?.value.count, counted)
    const rebalances = points('ottla.consumer.rebalances').reduce((all, { value }) => all + Number(value), 0)
    assert.equal(rebalances, received.cgrp?.rebalance_cnt)
    assert.equal(trace.getActiveSpan(), undefined)
  })
}

/** The statistics of a client's next interval. */
function json(client: { on(type: 'stats', listener: (event: StatsEvent) => void): unknown }): Promise<Statistics> {
  return new Promise(resolve => {
    client.on('stats', event => resolve(JSON.parse(event.json) as Statistics))
  })
}
