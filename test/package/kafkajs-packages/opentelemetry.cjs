// Spans by @opentelemetry/instrumentation-kafkajs: `node opentelemetry.cjs BROKERS`. Prints them.
'use strict'
const { KafkaJsInstrumentation } = require('@opentelemetry/instrumentation-kafkajs')
const { registerInstrumentations } = require('@opentelemetry/instrumentation')
const { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } = require('@opentelemetry/sdk-trace-node')

const exporter = new InMemorySpanExporter()
new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register()
registerInstrumentations({ instrumentations: [new KafkaJsInstrumentation()] })

const { Kafka, logLevel } = require('kafkajs')

async function main() {
  const kafka = new Kafka({ brokers: process.argv[2].split(','), logLevel: logLevel.NOTHING })
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic: 'traced', messages: [{ value: 'a' }, { value: 'b' }] })
  await producer.disconnect()
  for (const run of [
    resolve => ({ eachMessage: async ({ message }) => String(message.value) === 'b' && resolve() }),
    resolve => ({ eachBatch: async ({ batch }) => batch.messages.length > 0 && resolve() }),
  ]) {
    const consumer = kafka.consumer({ groupId: `traced-${Math.random()}` })
    await consumer.connect()
    await consumer.subscribe({ topics: ['traced'], fromBeginning: true })
    await new Promise(resolve => consumer.run(run(resolve)))
    await consumer.disconnect()
  }
  const spans = exporter.getFinishedSpans().map(span => {
    const { name, kind, attributes, links, parentSpanContext } = span
    const { spanId, traceId } = span.spanContext()
    const linked = links.map(({ context }) => context.spanId)
    return { name, kind, attributes, spanId, traceId, parent: parentSpanContext?.spanId ?? null, linked }
  })
  console.log(JSON.stringify(spans))
}

main().catch(error => {
  console.error(error)
  process.exitCode = 1
})
