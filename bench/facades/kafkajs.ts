/** The work as an application of kafkajs does it. */
import type { Kafka as KafkaClass } from '@ottla/kafkajs'
import { BATCH, Meter, sendAll, VALUE_BYTES, type Job, type Measured } from './meter.ts'

/** @param module what `require('kafkajs')` gives */
export async function measureKafkaJS(module: unknown, job: Job): Promise<Measured> {
  const { Kafka } = module as { readonly Kafka: typeof KafkaClass }
  const kafka = new Kafka({ brokers: job.brokers.split(','), logCreator: () => () => undefined })
  return job.work === 'produce' ? produce(kafka, job) : consume(kafka, job)
}

async function produce(kafka: KafkaClass, job: Job): Promise<Measured> {
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

async function consume(kafka: KafkaClass, job: Job): Promise<Measured> {
  const consumer = kafka.consumer({ groupId: `bench-${process.pid}` })
  const meter = new Meter(job)
  await consumer.connect()
  await consumer.subscribe({ topics: [job.topic], fromBeginning: true })
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
