/** The work as an application of node-rdkafka does it. */
import type { KafkaConsumerInstance, LibrdKafkaError, ProducerInstance } from '@ottla/node-rdkafka'
import type * as NodeRdkafka from '@ottla/node-rdkafka'
import { BATCH, IN_FLIGHT, Meter, VALUE_BYTES, type Job, type Measured } from './meter.ts'

/** @param module what `require('node-rdkafka')` gives */
export async function measureRdkafka(module: unknown, job: Job): Promise<Measured> {
  const rdkafka = module as typeof NodeRdkafka
  return job.work === 'produce' ? produce(rdkafka, job) : consume(rdkafka, job)
}

/** `produce` for each message, with its report; as many are waiting for theirs as there are in the other benchmarks. */
async function produce({ Producer }: typeof NodeRdkafka, job: Job): Promise<Measured> {
  const producer = new Producer({ 'metadata.broker.list': job.brokers, dr_cb: true })
  const meter = new Meter(job)
  const value = Buffer.alloc(VALUE_BYTES, 'x')
  const total = job.warmUp + job.messages
  let [sent, reported] = [0, 0]
  const fill = (): void => {
    for (; sent < total && sent - reported < BATCH * IN_FLIGHT; sent++) {
      producer.produce(job.topic, null, value, String(sent % BATCH))
    }
  }
  producer.on('delivery-report', error => {
    check(error)
    reported++
    meter.add(1)
    fill()
  })
  await connected(producer)
  // Without polling, node-rdkafka reports nothing.
  producer.setPollInterval(1)
  fill()
  const measured = await meter.measured
  await disconnected(producer)
  return measured
}

/** `consume` for up to 1000 messages, again and again. */
async function consume({ KafkaConsumer }: typeof NodeRdkafka, job: Job): Promise<Measured> {
  const consumer = new KafkaConsumer(
    { 'metadata.broker.list': job.brokers, 'group.id': `bench-${process.pid}` },
    { 'auto.offset.reset': 'earliest' },
  )
  const meter = new Meter(job)
  let isDone = false
  await connected(consumer)
  consumer.subscribe([job.topic])
  consumer.setDefaultConsumeTimeout(100)
  const read = (): void => {
    consumer.consume(BATCH, (error, messages) => {
      if (isDone) return
      check(error)
      meter.add(messages.length)
      read()
    })
  }
  read()
  const measured = await meter.measured
  isDone = true
  await disconnected(consumer)
  return measured
}

function connected(client: ProducerInstance | KafkaConsumerInstance): Promise<void> {
  return new Promise((resolve, reject) => {
    client.connect({}, error => {
      if ((error as unknown) === null) resolve()
      else reject(new Error(error.message))
    })
  })
}

function disconnected(client: ProducerInstance | KafkaConsumerInstance): Promise<void> {
  return new Promise(resolve => {
    client.disconnect(() => resolve())
  })
}

/** @param error null, whatever the type says, if there is none */
function check(error: LibrdKafkaError | null): void {
  if (error !== null) throw new Error(error.message)
}
