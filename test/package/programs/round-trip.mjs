// A small program as a user would write it: everything it needs comes from the two packages.
import { EmbeddedCluster } from '@ottla/broker'
import { AdminClient, Consumer, Producer } from 'ottla'

const codecs = process.argv.slice(2)
const topic = 'round-trip'

async function roundTrip() {
  const cluster = await EmbeddedCluster.start()
  const settings = { 'bootstrap.servers': cluster.bootstrapServers }
  const admin = new AdminClient(settings)
  await admin.createTopics([{ topic, numPartitions: 1 }])
  for (const codec of codecs) {
    const producer = new Producer({ ...settings, 'compression.codec': codec })
    await producer.send({ topic, value: `${codec} `.repeat(100) })
    await producer.close()
  }
  const consumer = new Consumer({ ...settings, 'group.id': 'round-trip', 'auto.offset.reset': 'earliest' })
  consumer.subscribe(topic)
  for (const codec of codecs) {
    const { value } = await consumer.readMessage(20_000)
    if (value?.toString() !== `${codec} `.repeat(100)) throw new Error(`${codec}: not what was produced`)
  }
  await consumer.close()
  await admin.close()
  await cluster.close()
}

// Not awaited at the top: a CommonJS bundle could not be made of it.
void roundTrip().then(() => console.log(`read ${codecs.join(' ')}`))
