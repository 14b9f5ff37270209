/** Every message gets a delivery report: by callback, event or promise. */
import { ErrorCode, KafkaError, Producer } from 'ottla'
import { fresh, openCluster } from './cluster.ts'

const cluster = await openCluster()
const topic = fresh('orders')
const producer = new Producer({ 'bootstrap.servers': cluster.bootstrapServers, 'linger.ms': 5 })

// 1. A callback per message, the fastest way: produce() returns at once and throws when the queue is full.
for (let i = 0; i < 1000; i++) {
  try {
    producer.produce({ topic, key: `customer-${i % 10}`, value: `order ${i}` }, report => {
      if (report.error !== undefined) console.error(`order ${i} was not delivered: ${report.error.message}`)
    })
  } catch (error) {
    if (!(error instanceof KafkaError) || error.code !== ErrorCode.ERR__QUEUE_FULL) throw error
    await producer.flush(100)
    i--
  }
}

// flush() sends what is queued and resolves with the number of messages still without a report.
console.log(`still outstanding after flush: ${await producer.flush(10_000)}`)

// 2. Without a callback the report is an event.
producer.on('delivery', ({ report }) => {
  console.log(`event: partition ${report.partition}, offset ${report.offset}, ${report.status}`)
})
producer.produce({ topic, key: 'customer-1', value: 'reported as an event' })
await producer.flush(10_000)

// 3. A promise; send() also waits for room in the queue.
const report = await producer.send({ topic, key: 'customer-1', value: 'awaited', headers: { source: 'example' } })
console.log(`promise: partition ${report.partition}, offset ${report.offset}`)

await producer.close()
await cluster.close()
