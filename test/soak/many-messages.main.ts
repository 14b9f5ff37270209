/**
 * Ten million messages through one producer: `npm run soak:producer -- [--messages 10000000] [--transactions]`
 * The producer's memory must not grow with the number of messages: heap and buffers after a collection, sampled throughout,
 * are no larger at the end than near the beginning. With statistics, compression and idempotence; with `--transactions`,
 * one transaction for every 10,000 messages.
 */
import { parseArgs } from 'node:util'
import { AdminClient, Producer, type DeliveryReport } from 'ottla'
import { startKafka } from '../harness/kafka.ts'

const TOPIC = 'many-messages'
const PARTITIONS = 12
const IN_TRANSACTION = 10_000
const SAMPLES = 40
/** For compiled code, and garbage that the collector has not freed yet. */
const ALLOWED_BYTES = 8_000_000

const { values } = parseArgs({
  options: { messages: { type: 'string', default: '10000000' }, transactions: { type: 'boolean', default: false } },
})
const messages = Number(values.messages)
const kafka = await startKafka({ brokers: 1, config: { 'log.retention.check.interval.ms': '5000' } })
const servers = { 'bootstrap.servers': kafka.bootstrapServers }
const config = { 'retention.bytes': '67108864', 'segment.bytes': '33554432' }
const admin = new AdminClient(servers)
await admin.createTopics([{ topic: TOPIC, numPartitions: PARTITIONS, replicationFactor: 1, config }])
await admin.close()
const producer = new Producer({
  ...servers,
  'enable.idempotence': true,
  'compression.type': 'lz4',
  'statistics.interval.ms': 1000,
  ...(values.transactions ? { 'transactional.id': TOPIC } : {}),
})
let statistics = 0
producer.on('stats', () => {
  statistics++
})
let reported = 0
let failure: Error | undefined
let goOn: (() => void) | null = null
const report = ({ error }: DeliveryReport): void => {
  reported++
  failure ??= error
  if (goOn === null || producer.outstanding > 1000) return
  goOn()
  goOn = null
}

const samples: number[] = []
const started = performance.now()
console.log('   messages   heap and buffers, MB   resident, MB   messages/s')
try {
  if (values.transactions) await producer.initTransactions()
  for (let n = 0; n < messages; n++) {
    if (values.transactions && n % IN_TRANSACTION === 0) {
      if (n > 0) await producer.commitTransaction()
      producer.beginTransaction()
    }
    producer.produce(
      { topic: TOPIC, key: `key ${n % 100_000}`, value: `the value of message ${n}, for the most part text` },
      report,
    )
    if (producer.outstanding > 20_000) {
      await new Promise<void>(resolve => {
        goOn = resolve
      })
    }
    if ((n + 1) % Math.ceil(messages / SAMPLES) === 0) sample(n + 1)
    if (failure !== undefined) throw failure
  }
  if (values.transactions) await producer.commitTransaction()
  await producer.flush()
} finally {
  await producer.close()
  await kafka.close()
}

const few = samples.length / 4
const begin = mean(samples.slice(few, 2 * few))
const end = mean(samples.slice(-few))
const growth = end - begin
console.log(
  `${reported} reports for ${messages} messages, ${statistics} statistics; from ${megabytes(begin)} MB to ${megabytes(end)} MB`,
)
process.exitCode = reported === messages && growth <= ALLOWED_BYTES ? 0 : 1

function sample(count: number): void {
  global.gc?.()
  const { heapUsed, external, rss } = process.memoryUsage()
  samples.push(heapUsed + external)
  const speed = Math.round((count / (performance.now() - started)) * 1000)
  const cells = [String(count).padStart(11), megabytes(heapUsed + external).padStart(23), megabytes(rss).padStart(15)]
  console.log(`${cells.join('')}${String(speed).padStart(13)}`)
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, one) => sum + one, 0) / numbers.length
}

function megabytes(bytes: number): string {
  return (bytes / 1_000_000).toFixed(1)
}
