// A codec plugged into the registry: `node codecs.mjs BROKERS NAME PACKAGE`. Prints how often it was called, and how many
// messages were read.
import kafkajs from 'kafkajs'

const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = kafkajs
const [, , brokers, name, codecPackage] = process.argv
const { default: Codec } = await import(codecPackage)
const compression = CompressionTypes[name]
const calls = { compress: 0, decompress: 0 }

/** kafkajs-snappy is a function that makes the codec; kafkajs-lz4 a class with a method that does. */
const make = name === 'LZ4' ? new (Codec.default ?? Codec)().codec : Codec
CompressionCodecs[compression] = () => {
  const codec = make()
  return {
    compress: encoder => {
      calls.compress++
      return codec.compress(encoder)
    },
    decompress: buffer => {
      calls.decompress++
      return codec.decompress(buffer)
    },
  }
}

const kafka = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING })
const producer = kafka.producer()
await producer.connect()
const messages = Array.from({ length: 50 }, (_, i) => ({ value: `${name}: ${'message '.repeat(20)}${i}` }))
await producer.send({ topic: name, compression, messages })
await producer.disconnect()

const values = new Set()
const consumer = kafka.consumer({ groupId: name })
await consumer.connect()
await consumer.subscribe({ topics: [name], fromBeginning: true })
await new Promise((resolve, reject) => {
  consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error))
  consumer
    .run({
      eachMessage: async ({ message }) => {
        values.add(String(message.value))
        if (values.size === messages.length) resolve()
      },
    })
    .catch(reject)
})
await consumer.disconnect()
console.log(JSON.stringify({ calls, count: values.size }))
