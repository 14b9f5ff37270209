/** A message counts as processed only once the application commits it: after a crash it is delivered again. */
import { Consumer, Producer, type Message } from 'ottla'
import { fresh, openCluster } from './cluster.ts'

const cluster = await openCluster()
const topic = fresh('payments')
const group = fresh('bookkeepers')

const producer = new Producer({ 'bootstrap.servers': cluster.bootstrapServers })
await producer.sendBatch(Array.from({ length: 4 }, (_, i) => ({ topic, key: 'account', value: `payment ${i}` })))
await producer.close()

function bookkeeper(): Consumer {
  const consumer = new Consumer({
    'bootstrap.servers': cluster.bootstrapServers,
    'group.id': group,
    'auto.offset.reset': 'earliest',
    'enable.auto.commit': false,
  })
  consumer.subscribe(topic)
  return consumer
}

function work(message: Message): Promise<void> {
  console.log(`booked: ${String(message.value)}`)
  return Promise.resolve()
}

const first = bookkeeper()
for (let i = 0; i < 2; i++) {
  const message = await first.readMessage(-1)
  await work(message)
  await first.commitMessage(message)
}
const lost = await first.readMessage(-1)
console.log(`delivered, but never processed: ${String(lost.value)}`)
await first.close()

const second = bookkeeper()
const again = await second.readMessage(-1)
console.log(`delivered again: ${String(again.value)}`)
await work(again)
await second.commitMessage(again)
await second.close()
await cluster.close()
if (again.offset !== lost.offset) throw new Error('the uncommitted message was not delivered again')
