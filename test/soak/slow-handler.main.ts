/**
 * A fast producer, a slow handler: `npm run soak:consumer -- [--minutes 10] [--handler-ms 5]`
 * The consumer's memory must stay within its limits (`queued.max.messages.kbytes`, `queued.min.messages`), however large the
 * topic grows. The producer has its own process, so that the figures are the consumer's.
 */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { AdminClient, Consumer, Producer } from 'ottla'
import { startKafka } from '../harness/kafka.ts'

const TOPIC = 'slow-handler'
const PARTITIONS = 4
const MESSAGE = Buffer.alloc(1000, 'm')
const QUEUE_KIB = 16_384
/** Besides the queue: the application, data being decoded, garbage that the collector has not freed yet. */
const ALLOWED_BYTES = 64 * 1024 * 1024
const SAMPLE_MS = 5000

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    'handler-ms': { type: 'string', default: '5' },
    produce: { type: 'string' },
  },
})

if (values.produce === undefined) await consume()
else await produce(values.produce)

async function produce(bootstrapServers: string): Promise<void> {
  const producer = new Producer({ 'bootstrap.servers': bootstrapServers, 'linger.ms': 5 })
  process.once('disconnect', () => process.exit(0))
  const batch = Array.from({ length: 100 }, (_, n) => ({ topic: TOPIC, partition: n % PARTITIONS, value: MESSAGE }))
  for (;;) await producer.sendBatch(batch)
}

async function consume(): Promise<void> {
  const kafka = await startKafka({ brokers: 1, config: { 'log.retention.check.interval.ms': '5000' } })
  const servers = { 'bootstrap.servers': kafka.bootstrapServers }
  const admin = new AdminClient(servers)
  const config = { 'retention.bytes': '268435456', 'segment.bytes': '67108864' }
  await admin.createTopics([{ topic: TOPIC, numPartitions: PARTITIONS, replicationFactor: 1, config }])
  await admin.close()
  const writer = fork(fileURLToPath(import.meta.url), ['--produce', kafka.bootstrapServers], { stdio: 'inherit' })
  const consumer = new Consumer({
    ...servers,
    'group.id': 'slow',
    'auto.offset.reset': 'earliest',
    'queued.max.messages.kbytes': QUEUE_KIB,
  })
  consumer.subscribe(TOPIC)
  const end = Date.now() + Number(values.minutes) * 60_000
  const samples: number[] = []
  let read = 0
  let next = Date.now() + SAMPLE_MS
  console.log('  seconds   messages   heap and buffers, MB   resident, MB')
  const started = Date.now()
  try {
    for await (const message of consumer) {
      if (message.value?.length !== MESSAGE.length) throw new Error('not what was written')
      read++
      if (read % 10 === 0) await new Promise(resolve => setTimeout(resolve, Number(values['handler-ms'])))
      const now = Date.now()
      if (now < next) continue
      next = now + SAMPLE_MS
      global.gc?.()
      const { heapUsed, external, rss } = process.memoryUsage()
      samples.push(heapUsed + external)
      const row = [((now - started) / 1000).toFixed(0), read, megabytes(heapUsed + external), megabytes(rss)]
      console.log(
        `${String(row[0]).padStart(9)}${String(row[1]).padStart(11)}${String(row[2]).padStart(23)}${String(row[3]).padStart(15)}`,
      )
      if (now >= end) break
    }
  } finally {
    writer.kill()
    await consumer.close()
    await kafka.close()
  }
  const most = Math.max(...samples)
  const limit = QUEUE_KIB * 1024 + ALLOWED_BYTES
  console.log(`at most ${megabytes(most)} MB of ${megabytes(limit)} MB, ${read} messages handled`)
  process.exitCode = most <= limit ? 0 : 1
}

function megabytes(bytes: number): string {
  return (bytes / 1_000_000).toFixed(1)
}
