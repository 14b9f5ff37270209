/** Many messages at once, in order by key, with retries and a dead-letter topic. */
import { Consumer, Producer } from 'ottla'
import { fresh, openCluster } from './cluster.ts'

const cluster = await openCluster()
const servers = { 'bootstrap.servers': cluster.bootstrapServers }
const [topic, group] = [fresh('orders'), fresh('billing')]
const failed = `${topic}-failed`

const producer = new Producer(servers)
await producer.sendBatch(
  Array.from({ length: 20 }, (_, i) => ({ topic, key: `customer ${i % 4}`, value: `order ${i}` })),
)

const consumer = new Consumer({ ...servers, 'group.id': group, 'auto.offset.reset': 'earliest' })
consumer.subscribe(topic)

const finished = new AbortController()
let left = 20
await consumer.run({
  concurrency: 4,
  order: 'key',
  retry: { retries: 2, backoffMs: 10 },
  deadLetter: { topic: failed, producer },
  signal: finished.signal,
  handler: async ({ key, value }, { attempt }) => {
    await new Promise(resolve => setTimeout(resolve, 5))
    const order = String(value)
    if (order === 'order 6' && attempt < 2) throw new Error('the printer is out of paper')
    if (order === 'order 13') {
      if (attempt === 3 && --left === 0) finished.abort()
      throw new Error('nobody can bill this')
    }
    console.log(`${String(key)}: ${order}${attempt > 1 ? `, attempt ${attempt}` : ''}`)
    if (--left === 0) finished.abort()
  },
})
await consumer.close()

const reader = new Consumer({ ...servers, 'group.id': `${group}-failed`, 'auto.offset.reset': 'earliest' })
reader.subscribe(failed)
const deadLetter = await reader.readMessage(10_000)
console.log(
  `dead letter: ${String(deadLetter.value)}, error: ${String(deadLetter.headers.find(h => h.key === 'ottla.error')?.value)}`,
)
await reader.close()
await producer.close()
await cluster.close()
