// Avro by @kafkajs/confluent-schema-registry, with a registry of its own: `node avro.mjs BROKERS`. Prints what was read.
import { SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry'
import { createServer } from 'node:http'
import kafkajs from 'kafkajs'

const { Kafka, logLevel } = kafkajs
const schemas = []
const server = createServer((request, response) => {
  let body = ''
  request.on('data', chunk => (body += chunk))
  request.on('end', () => {
    response.setHeader('content-type', 'application/vnd.schemaregistry.v1+json')
    const known = /^\/schemas\/ids\/(\d+)/.exec(request.url)
    if (known) return response.end(JSON.stringify({ schema: schemas[known[1] - 1] }))
    if (request.method === 'POST') return response.end(JSON.stringify({ id: schemas.push(JSON.parse(body).schema) }))
    return response.end(JSON.stringify({ compatibilityLevel: 'BACKWARD' }))
  })
})
await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))

const registry = new SchemaRegistry({ host: `http://127.0.0.1:${server.address().port}` })
const bill = {
  type: 'record',
  name: 'Bill',
  namespace: 'shop',
  fields: [
    { name: 'customer', type: 'string' },
    { name: 'cents', type: 'long' },
  ],
}
const { id } = await registry.register({ type: SchemaType.AVRO, schema: JSON.stringify(bill) })
const kafka = new Kafka({ brokers: process.argv[2].split(','), logLevel: logLevel.NOTHING })
const producer = kafka.producer()
await producer.connect()
await producer.send({
  topic: 'avro',
  messages: [{ value: await registry.encode(id, { customer: 'alice', cents: 1250 }) }],
})
await producer.disconnect()
const consumer = kafka.consumer({ groupId: 'avro' })
await consumer.connect()
await consumer.subscribe({ topics: ['avro'], fromBeginning: true })
const read = await new Promise((resolve, reject) => {
  consumer.run({ eachMessage: async ({ message }) => resolve(await registry.decode(message.value)) }).catch(reject)
})
await consumer.disconnect()
server.close()
console.log(JSON.stringify({ id, read }))
