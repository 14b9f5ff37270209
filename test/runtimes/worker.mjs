// Clients in a worker thread: writes with every codec, reads it back, and ends when its clients are closed.
import { parentPort, workerData } from 'node:worker_threads'
import { Consumer, Producer } from 'ottla'

const { bootstrapServers, codecs } = workerData
for (const codec of codecs) {
  const producer = new Producer({ 'bootstrap.servers': bootstrapServers, 'compression.codec': codec })
  await producer.send({ topic: 't', value: `${codec} `.repeat(1000) })
  await producer.close()
}
const consumer = new Consumer({
  'bootstrap.servers': bootstrapServers,
  'group.id': 'workers',
  'auto.offset.reset': 'earliest',
})
consumer.subscribe('t')
const read = []
while (read.length < codecs.length) read.push(String((await consumer.readMessage(30_000)).value).split(' ')[0])
await consumer.close()
parentPort.postMessage(read)
