// Codecs plugged into the registry: `node codecs.mjs BROKERS`. Prints what they did, and what was read.
import kafkajs from 'kafkajs'
import LZ4Codec from 'kafkajs-lz4'
import SnappyCodec from 'kafkajs-snappy'

const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = kafkajs
const calls = {}

function plugIn(name, make) {
  const count = what => (calls[what] = (calls[what] ?? 0) + 1)
  CompressionCodecs[CompressionTypes[name]] = () => {
    const codec = make()
    return {
      compress: encoder => {
        count(`${name} compress`)
        return codec.compress(encoder)
      },
      decompress: buffer => {
        count(`${name} decompress`)
        return codec.decompress(buffer)
      },
    }
  }
}

plugIn('Snappy', SnappyCodec)
plugIn('LZ4', new (LZ4Codec.default ?? LZ4Codec)().codec)

const kafka = new Kafka({ brokers: process.argv[2].split(','), logLevel: logLevel.NOTHING })
const producer = kafka.producer()
await producer.connect()
for (const compression of [CompressionTypes.Snappy, CompressionTypes.LZ4]) {
  const messages = Array.from({ length: 50 }, (_, i) => ({ value: `${compression}: ${'message '.repeat(20)}${i}` }))
  await producer.send({ topic: 'codecs', compression, messages })
}
await producer.disconnect()

const values = []
const consumer = kafka.consumer({ groupId: 'codecs' })
await consumer.connect()
await consumer.subscribe({ topics: ['codecs'], fromBeginning: true })
await new Promise((resolve, reject) => {
  consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error))
  consumer
    .run({
      eachMessage: async ({ message }) => {
        values.push(String(message.value))
        if (values.length === 100) resolve()
      },
    })
    .catch(reject)
})
await consumer.disconnect()
console.log(JSON.stringify({ calls, count: new Set(values).size }))
