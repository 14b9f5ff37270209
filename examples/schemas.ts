/** Avro with a schema registry: typed messages, an older version read as the newer schema. */
import { Consumer, Producer } from 'ottla'
import { EmbeddedSchemaRegistry } from '@ottla/schema-registry/embedded'
import { SchemaRegistry } from '@ottla/schema-registry'
import { fresh, openCluster } from './cluster.ts'

const cluster = await openCluster()
const servers = { 'bootstrap.servers': cluster.bootstrapServers }
const [topic, group] = [fresh('orders'), fresh('billing')]

// In place of one that you have: SchemaRegistry takes its url.
const embedded = await EmbeddedSchemaRegistry.start()
const registry = new SchemaRegistry({ url: embedded.url })

const first = registry.avro({ schema: { type: 'record', name: 'Order', fields: [{ name: 'id', type: 'long' }] } })
const second = registry.avro({
  schema: {
    type: 'record',
    name: 'Order',
    fields: [
      { name: 'id', type: 'long' },
      { name: 'customer', type: 'string', default: 'unknown' },
    ],
  },
})

const older = new Producer(servers, { value: first })
await older.send({ topic, value: { id: 1 } })
await older.close()
const newer = new Producer(servers, { value: second })
await newer.send({ topic, value: { id: 2, customer: 'Ada' } })
await newer.close()

const consumer = new Consumer({ ...servers, 'group.id': group, 'auto.offset.reset': 'earliest' }, { value: second })
consumer.subscribe(topic)
for (let left = 2; left > 0; left--) {
  const { value } = await consumer.readMessage(10_000)
  console.log(`order ${value?.id} of ${value?.customer}`)
}
await consumer.close()
await embedded.close()
await cluster.close()
