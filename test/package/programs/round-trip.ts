/** A small program as a user would write it: everything it needs comes from the two packages. */
import { EmbeddedCluster } from '@ottla/broker'
import { AdminClient, Consumer, Producer } from 'ottla'

type Codec = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

export async function roundTrip(codecs: readonly Codec[]): Promise<string[]> {
  const cluster = await EmbeddedCluster.start()
  const settings = { 'bootstrap.servers': cluster.bootstrapServers }
  const admin = new AdminClient(settings)
  await admin.createTopics([{ topic: 'package', numPartitions: 1 }])
  for (const codec of codecs) {
    const producer = new Producer({ ...settings, 'compression.codec': codec })
    await producer.send({ topic: 'package', value: `${codec} `.repeat(100) })
    await producer.close()
  }
  const consumer = new Consumer({ ...settings, 'group.id': 'package', 'auto.offset.reset': 'earliest' })
  consumer.subscribe('package')
  const read: string[] = []
  for (const codec of codecs) {
    const message = await consumer.readMessage(20_000)
    if (message.value?.toString() !== `${codec} `.repeat(100)) throw new Error(`${codec}: not what was produced`)
    read.push(codec)
  }
  await consumer.close()
  await admin.close()
  await cluster.close()
  return read
}
