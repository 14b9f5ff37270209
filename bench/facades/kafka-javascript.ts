/** The work as an application of Confluent's package does it, in its namespace `KafkaJS`. */
import type { KafkaJS as Namespace } from '@ottla/kafka-javascript'
import { BATCH, Meter, sendAll, VALUE_BYTES, type Job, type Measured } from './meter.ts'

/** @param module what `require('@confluentinc/kafka-javascript')` gives */
export async function measureConfluent(module: unknown, job: Job): Promise<Measured> {
  const { KafkaJS } = module as { readonly KafkaJS: typeof Namespace }
  const { Kafka, logLevel } = KafkaJS
  const kafka = new Kafka({ kafkaJS: { brokers: job.brokers.split(','), logLevel: logLevel.NOTHING } })
  return job.work === 'produce' ? produce(kafka, job) : consume(kafka, job)
}

async function produce(kafka: Namespace.Kafka, job: Job): Promise<Measured> {
  const { topic } = job
  const producer = kafka.producer()
  const meter = new Meter(job)
  const value = Buffer.alloc(VALUE_BYTES, 'x')
  await producer.connect()
  await sendAll(job, async () => {
    await producer.send({ topic, messages: Array.from({ length: BATCH }, (_, i) => ({ key: String(i), value })) })
    meter.add(BATCH)
  })
  await producer.disconnect()
  return meter.measured
}

async function consume(kafka: Namespace.Kafka, job: Job): Promise<Measured> {
  const consumer = kafka.consumer({ kafkaJS: { groupId: `bench-${process.pid}`, fromBeginning: true } })
  const meter = new Meter(job)
  await consumer.connect()
  await consumer.subscribe({ topics: [job.topic] })
  await consumer.run({
    eachBatch: ({ batch }) => {
      meter.add(batch.messages.length)
      return Promise.resolve()
    },
  })
  const measured = await meter.measured
  await consumer.disconnect()
  return measured
}
