/** @ottla/opentelemetry with the OpenTelemetry SDK: spans in memory, metrics read at once. */
import assert from 'node:assert/strict'
import { after, afterEach, before, test, type TestContext } from 'node:test'
import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
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
import { EmbeddedCluster } from '@ottla/broker'
import {
  OttlaInstrumentation,
  processMessage,
  traceClients,
  type OttlaInstrumentationConfig,
} from '@ottla/opentelemetry'
import { Consumer, ErrorCode, Producer, type ConsumerConfig, type ProducerMessage } from 'ottla'

const quiet = (): void => undefined
const PRODUCE = 0
const spans = new InMemorySpanExporter()
const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] })
const tracer = tracerProvider.getTracer('test')

let cluster: EmbeddedCluster
let names = 0
const fresh = (prefix: string): string => `${prefix}-${++names}`

before(async () => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  cluster = await EmbeddedCluster.start({ autoCreateTopics: false })
})
afterEach(() => spans.reset())
after(async () => {
  await cluster.close()
  context.disable()
  propagation.disable()
})

/** Registers the instrumentation until the test ends. */
function instrumented(t: TestContext, config: OttlaInstrumentationConfig = {}): OttlaInstrumentation {
  const instrumentation = new OttlaInstrumentation(config)
  t.after(registerInstrumentations({ tracerProvider, instrumentations: [instrumentation] }))
  return instrumentation
}

function topic(): string {
  const name = fresh('topic')
  cluster.createTopic(name, { partitions: 1 })
  return name
}

function producer(t: TestContext): Producer {
  const made = new Producer({ 'bootstrap.servers': cluster.bootstrapServers, 'client.id': 'shop' }, { logger: quiet })
  t.after(() => made.close())
  return made
}

function consumer(t: TestContext, of: string, config: Partial<ConsumerConfig> = {}): Consumer {
  const servers = { 'bootstrap.servers': cluster.bootstrapServers, 'group.id': fresh('group') }
  const made = new Consumer({ ...servers, 'auto.offset.reset': 'earliest', ...config }, { logger: quiet })
  t.after(() => made.close())
  made.subscribe(of)
  return made
}

/** Handles so many messages, then ends. */
async function handle(reader: Consumer, count: number, work: () => unknown = quiet): Promise<void> {
  const stop = new AbortController()
  let handled = 0
  await reader.run({
    signal: stop.signal,
    handler: async () => {
      await work()
      if (++handled === count) stop.abort()
    },
  })
}

const named = (name: string): ReadableSpan[] => spans.getFinishedSpans().filter(each => each.name === name)
const idOf = (span: ReadableSpan | undefined): string | undefined => span?.spanContext().spanId

function inRequest<R>(work: () => Promise<R>): Promise<R> {
  return tracer.startActiveSpan('GET /', async span => {
    try {
      return await work()
    } finally {
      span.end()
    }
  })
}

test('one trace: from a request through send, run and a second send to a second consumer', async t => {
  instrumented(t)
  const [first, second] = [topic(), topic()]
  const sender = producer(t)
  await inRequest(() => sender.send({ topic: first, key: 'secret-key', value: 'v' }))
  await handle(consumer(t, first, { 'group.id': 'billing' }), 1, () => sender.send({ topic: second, value: 'w' }))
  await handle(consumer(t, second), 1)
  const [request] = named('GET /')
  const [sent] = named(`send ${first}`)
  const [processed] = named(`process ${first}`)
  const [sentOn] = named(`send ${second}`)
  const [last] = named(`process ${second}`)
  const chain = [request, sent, processed, sentOn, last]
  assert.equal(new Set(chain.map(span => span?.spanContext().traceId)).size, 1)
  chain.slice(1).forEach((span, i) => assert.equal(span?.parentSpanContext?.spanId, idOf(chain[i])))
  assert.deepEqual([sent?.kind, processed?.kind], [SpanKind.PRODUCER, SpanKind.CONSUMER])
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
  assert.equal(processed?.attributes['messaging.consumer.group.name'], 'billing')
  assert.ok(named(`poll ${first}`).length > 0 && named(`commit ${first}`).length > 0)
  const all = JSON.stringify(spans.getFinishedSpans().map(({ name, attributes }) => [name, attributes]))
  assert.doesNotMatch(all, /secret-key/)
})

test('what fails is an error: a message that is refused, a handler that throws', async t => {
  instrumented(t)
  const name = topic()
  const sender = producer(t)
  await sender.send({ topic: name, value: 'v' })
  cluster.failPartition(name, 0, PRODUCE, [ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED])
  await assert.rejects(sender.send({ topic: name, value: 'v' }))
  const [, failed] = named(`send ${name}`)
  assert.equal(failed?.status.code, SpanStatusCode.ERROR)
  assert.equal(failed.attributes['error.type'], 'ERR_TOPIC_AUTHORIZATION_FAILED')
  const reader = consumer(t, name)
  await assert.rejects(
    reader.run({
      handler: () => {
        throw new RangeError('too far')
      },
    }),
  )
  const [processed] = named(`process ${name}`)
  assert.deepEqual([processed?.status.message, processed?.attributes['error.type']], ['too far', 'RangeError'])
})

test('a message with wrong headers is refused by the client, not by its tracing', async t => {
  instrumented(t)
  const sender = producer(t)
  for (const headers of [7, null, [1], 'text']) {
    const message = { topic: topic(), value: 'v', headers } as unknown as ProducerMessage
    await inRequest(() => assert.rejects(sender.send(message), { name: 'ERR__INVALID_ARG' }))
  }
})

test('by batch: one span for a batch that is sent and one for a batch handler, with links to the senders', async t => {
  instrumented(t, { batch: 'batch' })
  const name = topic()
  const sender = producer(t)
  for (let i = 0; i < 2; i++) {
    await inRequest(async () => {
      for (let n = 0; n < 3; n++) sender.produce({ topic: name, value: 'v', headers: { a: 'b' } })
      await Promise.resolve()
    })
  }
  await sender.flush()
  const requests = named('GET /').map(idOf).sort()
  const sent = named(`send ${name}`)
  assert.equal(
    sent.reduce((sum, { attributes }) => sum + Number(attributes['messaging.batch.message_count']), 0),
    6,
  )
  assert.deepEqual(sent.flatMap(({ links }) => links.map(link => link.context.spanId)).sort(), requests)
  const stop = new AbortController()
  await consumer(t, name).run({
    signal: stop.signal,
    batchHandler: batch => {
      assert.notEqual(trace.getActiveSpan(), undefined)
      if (batch.lastOffset === 5) stop.abort()
    },
  })
  const linked = named(`process ${name}`).flatMap(({ links }) => links.map(link => link.context.spanId))
  assert.deepEqual([...new Set(linked)].sort(), requests)
  spans.reset()
  // Messages have no span of their own, but what their handlers do goes on in the sender's trace.
  const traceIds = new Set<string | undefined>()
  await handle(consumer(t, name), 6, () => traceIds.add(trace.getSpanContext(context.active())?.traceId))
  assert.deepEqual([named(`process ${name}`).length, traceIds.size, traceIds.has(undefined)], [0, 2, false])
})

test('without propagation nothing is added to messages', async t => {
  for (const batch of ['message', 'batch'] as const) {
    const instrumentation = instrumented(t, { batch, propagate: false })
    const name = topic()
    const sender = producer(t)
    await inRequest(() => sender.send({ topic: name, value: 'v' }))
    const { headers } = await consumer(t, name).readMessage(10_000)
    assert.deepEqual([headers, named(`send ${name}`).length], [[], 1])
    instrumentation.disable()
  }
})

test('plain functions: spans for a loop over messages, until they are ended', async t => {
  const end = traceClients(tracer, { clientSpans: false })
  t.after(end)
  const name = topic()
  const sender = producer(t)
  await sender.send({ topic: name, value: 'v' })
  const reader = consumer(t, name)
  const message = await reader.readMessage(10_000)
  await processMessage(message, () => sender.send({ topic: name, value: 'w' }), tracer)
  await assert.rejects(
    processMessage(message, () => Promise.reject(new Error('no')), tracer),
    /no/,
  )
  const [first, second] = named(`send ${name}`)
  const [processed, failed] = named(`process ${name}`)
  assert.equal(processed?.parentSpanContext?.spanId, idOf(first))
  assert.equal(second?.parentSpanContext?.spanId, idOf(processed))
  assert.equal(failed?.status.code, SpanStatusCode.ERROR)
  end()
  await sender.send({ topic: name, value: 'x' })
  assert.equal(named(`send ${name}`).length, 2)
})

test('metrics agree with the statistics at the same moment', async t => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })
  const meterProvider = new MeterProvider({ readers: [reader] })
  t.after(() => meterProvider.shutdown())
  const instrumentation = new OttlaInstrumentation({ perPartition: true })
  t.after(registerInstrumentations({ tracerProvider, meterProvider, instrumentations: [instrumentation] }))
  const name = topic()
  const sender = producer(t)
  for (let i = 0; i < 5; i++) await sender.send({ topic: name, value: 'v' })
  const receiver = consumer(t, name, { 'enable.auto.commit': false })
  await handle(receiver, 3)
  await reader.forceFlush()
  const found =
    exporter
      .getMetrics()
      .at(-1)
      ?.scopeMetrics.flatMap(({ metrics }) => metrics) ?? []
  const points = (metric: string): { readonly value: unknown; readonly attributes: Record<string, unknown> }[] =>
    found.filter(({ descriptor }) => descriptor.name === metric).flatMap(({ dataPoints }) => [...dataPoints])
  const sum = (metric: string, topicName = name): number =>
    points(metric)
      .filter(({ attributes }) => attributes['messaging.destination.name'] === topicName)
      .reduce((all, { value }) => all + Number(value), 0)
  const sent = sender.statistics()
  const received = receiver.statistics()
  assert.equal(sum('messaging.client.sent.messages'), sent.txmsgs)
  assert.equal(sum('messaging.client.consumed.messages'), received.rxmsgs)
  assert.equal(sum('ottla.consumer.lag'), received.topics[name]?.partitions[0]?.consumer_lag)
  assert.equal(sum('ottla.consumer.queue.messages'), received.topics[name]?.partitions[0]?.fetchq_cnt)
  assert.deepEqual(
    points('ottla.producer.queue.messages').map(({ value }) => value),
    [sent.msg_cnt],
  )
  const up = Object.values(sent.brokers).filter(({ state }) => state === 'UP').length
  const connections = points('ottla.client.connections').filter(
    ({ attributes }) => attributes['ottla.client'] === sent.name && attributes['ottla.broker.state'] === 'up',
  )
  assert.equal(connections[0]?.value, up)
  const durations = found.find(({ descriptor }) => descriptor.name === 'messaging.process.duration')
  assert.ok(durations?.dataPointType === DataPointType.HISTOGRAM)
  assert.equal(
    durations.dataPoints.reduce((all, { value }) => all + value.count, 0),
    3,
  )
  assert.ok(sum('ottla.consumer.rebalances', name) === 0 && points('ottla.consumer.rebalances').length > 0)
})

test('disabled it follows nothing, and it can be enabled again', async t => {
  const instrumentation = instrumented(t, { enabled: false })
  // registerInstrumentations enables what is not enabled.
  assert.equal(instrumentation.getConfig().enabled, true)
  instrumentation.disable()
  const name = topic()
  const sender = producer(t)
  await sender.send({ topic: name, value: 'v' })
  assert.equal(spans.getFinishedSpans().length, 0)
  instrumentation.setConfig({ enabled: true, clientSpans: false })
  await sender.send({ topic: name, value: 'v' })
  assert.equal(named(`send ${name}`).length, 1)
})
