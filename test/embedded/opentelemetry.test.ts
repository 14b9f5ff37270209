/** @ottla/opentelemetry with the OpenTelemetry SDK: what test/behaviour/traced-messages.ts does not show. */
import assert from 'node:assert/strict'
import { after, afterEach, before, test, type TestContext } from 'node:test'
import { context, propagation, SpanStatusCode, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { registerInstrumentations } from '@opentelemetry/instrumentation'
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
import { handle } from '../harness/handle.ts'

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
