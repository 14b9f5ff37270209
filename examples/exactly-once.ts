/** Consume, transform, produce: each order is booked exactly once, although the first bookkeeper fails halfway. */
import { Consumer, Producer, type MessageBatch } from 'ottla'
import { fresh, openCluster } from './cluster.ts'

const cluster = await openCluster()
const orders = fresh('orders')
const bookings = fresh('bookings')
const group = fresh('bookkeepers')
const id = fresh('bookkeeper')
const COUNT = 10

const plain = new Producer({ 'bootstrap.servers': cluster.bootstrapServers })
await plain.sendBatch(Array.from({ length: COUNT }, (_, i) => ({ topic: orders, key: 'shop', value: `order ${i}` })))
await plain.close()

async function keepBooks(work: (batch: MessageBatch, tx: Producer) => void, signal?: AbortSignal): Promise<void> {
  const consumer = new Consumer({
    'bootstrap.servers': cluster.bootstrapServers,
    'group.id': group,
    'auto.offset.reset': 'earliest',
    'enable.auto.commit': false,
  })
  const producer = new Producer({ 'bootstrap.servers': cluster.bootstrapServers, 'transactional.id': id })
  consumer.subscribe(orders)
  try {
    await producer.transactional(consumer, work, { maxMessages: 4, ...(signal === undefined ? {} : { signal }) })
  } finally {
    await producer.close()
    await consumer.close()
  }
}

// What the second batch produces before it fails never becomes visible.
let batches = 0
await keepBooks((batch, tx) => {
  for (const message of batch)
    tx.produce({ topic: bookings, key: message.key, value: `booked ${String(message.value)}` })
  if (++batches === 2) throw new Error('the second batch fails')
}).catch((error: unknown) => console.log(String(error)))

const stop = new AbortController()
const second = keepBooks((batch, tx) => {
  for (const message of batch)
    tx.produce({ topic: bookings, key: message.key, value: `booked ${String(message.value)}` })
}, stop.signal)

const reader = new Consumer({
  'bootstrap.servers': cluster.bootstrapServers,
  'group.id': fresh('readers'),
  'auto.offset.reset': 'earliest',
  'isolation.level': 'read_committed',
})
reader.subscribe(bookings)
const seen: string[] = []
while (seen.length < COUNT) seen.push(String((await reader.readMessage(-1)).value))
console.log(seen.join('\n'))

stop.abort()
await second
await reader.close()
await cluster.close()
if (new Set(seen).size !== COUNT) throw new Error('something was booked twice')
