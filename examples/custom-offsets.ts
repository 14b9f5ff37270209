/** A consumer that keeps its offsets elsewhere: the rebalance callback sets where each partition begins. */
import { Consumer, OFFSET_BEGINNING, Producer } from 'ottla'
import { fresh, openCluster } from './cluster.ts'

const cluster = await openCluster()
const topic = fresh('measurements')

const producer = new Producer({ 'bootstrap.servers': cluster.bootstrapServers })
await producer.sendBatch(Array.from({ length: 20 }, (_, i) => ({ topic, partition: 0, value: `measurement ${i}` })))
await producer.close()

// What an application would keep in its database, next to its results.
const kept = new Map([[0, 15]])

const consumer = new Consumer({
  'bootstrap.servers': cluster.bootstrapServers,
  'group.id': fresh('analysts'),
  'enable.auto.commit': false,
})
consumer.subscribe(topic, async (event, self) => {
  console.log(`${event.type}: partitions ${event.partitions.map(p => p.partition).join(', ')}`)
  if (event.type !== 'assign') return
  await self.assign(event.partitions.map(p => ({ ...p, offset: kept.get(p.partition) ?? OFFSET_BEGINNING })))
})
for (let i = 15; i < 20; i++) {
  const message = await consumer.readMessage(-1)
  console.log(`${message.offset}: ${String(message.value)}`)
  if (message.offset !== i) throw new Error(`expected offset ${i}`)
  kept.set(message.partition, message.offset + 1)
}
await consumer.close()
await cluster.close()
