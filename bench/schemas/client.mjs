// One registry client at work, in a process of its own: `node client.mjs NAME FOLDER URL MESSAGES`. FOLDER is a project that
// has it installed. Prints what MESSAGES encodings and decodings took, and the bytes and the value, which must be equal.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { schema, value } from './order.mjs'

const [name, folder, url, count] = process.argv.slice(2)
const messages = Number(count)
const TOPIC = 'orders'

async function load(packageName) {
  const require = createRequire(join(folder, 'package.json'))
  const module = await import(pathToFileURL(require.resolve(packageName)).href)
  return { ...module.default, ...module }
}

/** `encode` and `decode` as a program that uses the client would call them. */
const clients = {
  async '@ottla/schema-registry'() {
    const { SchemaRegistry } = await load('@ottla/schema-registry')
    const serdes = new SchemaRegistry({ url }).avro({ schema })
    await serdes.prepare(TOPIC)
    const context = { topic: TOPIC, field: 'value', headers: [] }
    // A promise for the first message of a schema only; ottla's clients look, too.
    return { encode: data => serdes.serialize(data, context), decode: bytes => serdes.deserialize(bytes, context) }
  },
  async '@confluentinc/schemaregistry'() {
    const { AvroDeserializer, AvroSerializer, SchemaRegistryClient, SerdeType } =
      await load('@confluentinc/schemaregistry')
    const client = new SchemaRegistryClient({ baseURLs: [url] })
    await client.register(`${TOPIC}-value`, { schemaType: 'AVRO', schema: JSON.stringify(schema) })
    const serializer = new AvroSerializer(client, SerdeType.VALUE, { useLatestVersion: true })
    const deserializer = new AvroDeserializer(client, SerdeType.VALUE, {})
    return {
      encode: data => serializer.serialize(TOPIC, data),
      decode: bytes => deserializer.deserialize(TOPIC, bytes),
    }
  },
  async '@kafkajs/confluent-schema-registry'() {
    const { SchemaRegistry, SchemaType } = await load('@kafkajs/confluent-schema-registry')
    const registry = new SchemaRegistry({ host: url })
    const given = { type: SchemaType.AVRO, schema: JSON.stringify(schema) }
    const { id } = await registry.register(given, { subject: `${TOPIC}-value` })
    return { encode: data => registry.encode(id, data), decode: bytes => registry.decode(bytes) }
  },
}

/** Messages a second, by the clock and by the CPU time of all threads of the process. */
async function measured(work, given) {
  const times = { wall: process.hrtime.bigint(), cpu: process.cpuUsage() }
  for (let i = 0; i < messages; i++) {
    const made = work(given)
    if (made instanceof Promise) await made
  }
  const { user, system } = process.cpuUsage(times.cpu)
  const wallNanos = Number(process.hrtime.bigint() - times.wall)
  return { wall: Math.round((messages / wallNanos) * 1e9), cpu: Math.round((messages / (user + system)) * 1e6) }
}

const { encode, decode } = await clients[name]()
const bytes = await encode(value)
const read = await decode(bytes)
// The first round is for the compiler.
await measured(encode, value)
await measured(decode, bytes)
const result = { encode: await measured(encode, value), decode: await measured(decode, bytes) }
console.log(JSON.stringify({ ...result, bytes: Buffer.from(bytes).toString('hex'), read }))
process.exit(0)
