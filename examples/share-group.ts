/** A queue: three workers of a share group; one has a message at a time, and failed messages are delivered again. */
import { AdminClient, Producer, ShareConsumer } from 'ottla'
import { fresh, openCluster } from './cluster.ts'

const cluster = await openCluster()
const servers = { 'bootstrap.servers': cluster.bootstrapServers }
const topic = fresh('jobs')
const group = fresh('workers')

// Where a share group begins is a setting of the broker.
const admin = new AdminClient(servers)
await admin.createTopics([{ topic, numPartitions: 2, replicationFactor: 1 }])
await admin.incrementalAlterConfigs([
  { type: 'group', name: group, entries: [{ name: 'share.auto.offset.reset', value: 'earliest', operation: 'set' }] },
])
await admin.close()

const producer = new Producer(servers)
await producer.sendBatch(Array.from({ length: 12 }, (_, i) => ({ topic, value: `job ${i}` })))

const finished = new AbortController()
let left = 12

async function work(name: string): Promise<void> {
  const jobs = new ShareConsumer({ ...servers, 'group.id': group, 'max.poll.records': 2 })
  jobs.subscribe(topic)
  await jobs.run({
    concurrency: 2,
    signal: finished.signal,
    handler: async ({ value, deliveryCount }) => {
      await new Promise(resolve => setTimeout(resolve, 20))
      if (String(value) === 'job 5' && deliveryCount < 3) throw new Error('the machine is jammed')
      console.log(`${name}: ${String(value)}, delivery ${deliveryCount}`)
      if (--left === 0) finished.abort()
    },
    onError: async (error, { value, deliveryCount }) => {
      if (deliveryCount < 4) return 'release'
      await producer.send({ topic: `${topic}-failed`, value: `${String(value)}: ${String(error)}` })
      return 'reject'
    },
  })
  await jobs.close()
}

await Promise.all(['anna', 'ben', 'cleo'].map(work))
await producer.close()
await cluster.close()
