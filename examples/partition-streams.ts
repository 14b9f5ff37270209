/** Each partition is read at its own pace: a slow one does not hold up the others. */
import { AdminClient, Consumer, Producer } from 'ottla'
import { fresh, openCluster } from './cluster.ts'

const cluster = await openCluster()
const servers = { 'bootstrap.servers': cluster.bootstrapServers }
const topic = fresh('sensors')

const admin = new AdminClient(servers)
await admin.createTopics([{ topic, numPartitions: 3, replicationFactor: 1 }])
await admin.close()
const producer = new Producer(servers)
await producer.sendBatch(Array.from({ length: 12 }, (_, i) => ({ topic, partition: i % 3, value: `reading ${i}` })))
await producer.close()

const consumer = new Consumer({ ...servers, 'group.id': fresh('dashboards'), 'auto.offset.reset': 'earliest' })
consumer.subscribe(topic)

let left = 12
const reading: Promise<void>[] = []
const streams = consumer.partitions()
for await (const stream of streams) {
  reading.push(
    (async () => {
      for await (const { value } of stream) {
        if (stream.partition === 0) await new Promise(resolve => setTimeout(resolve, 50))
        console.log(`partition ${stream.partition}: ${String(value)}`)
        if (--left === 0) void consumer.close()
      }
    })(),
  )
}
await Promise.all(reading)
await consumer.close()
await cluster.close()
