/** The default: a message counts as processed when readMessage() returns it, and is committed in the background. */
import { Consumer, Producer } from 'ottla'
import { fresh, openCluster } from './cluster.ts'

const cluster = await openCluster()
const topic = fresh('clicks')
const group = fresh('counters')

const producer = new Producer({ 'bootstrap.servers': cluster.bootstrapServers })
await producer.sendBatch(Array.from({ length: 10 }, (_, i) => ({ topic, key: `page-${i % 3}`, value: `click ${i}` })))
await producer.close()

const consumer = new Consumer({
  'bootstrap.servers': cluster.bootstrapServers,
  'group.id': group,
  'auto.offset.reset': 'earliest',
})
consumer.subscribe(topic)
for (let i = 0; i < 10; i++) {
  // -1 waits for ever; the client recovers by itself from transient errors.
  const message = await consumer.readMessage(-1)
  console.log(`[${message.partition}] ${message.offset}  ${String(message.key)}: ${String(message.value)}`)
}
// Closing commits what was delivered and leaves the group at once.
await consumer.close()
await cluster.close()
