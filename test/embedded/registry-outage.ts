/** A cluster, and a registry that can be stopped and started again where it was. */
import type { TestContext } from 'node:test'
import { Consumer, Producer, type ConsumerConfig } from 'ottla'
import { EmbeddedCluster } from '@ottla/broker'
import { SchemaRegistry } from '@ottla/schema-registry'
import { EmbeddedSchemaRegistry, type RegistryLog } from '@ottla/schema-registry/embedded'
import { quiet } from '../behaviour/reading-ways.ts'

const schemaOf = (name: string) => ({ type: 'record', name, fields: [{ name: 'id', type: 'int' }] }) as const

export interface Thing {
  id: number
}

async function registryThatStops(t: TestContext) {
  const records: { key: string; value: string | null }[] = []
  const log: RegistryLog = { read: () => records, append: (key, value) => records.push({ key, value }) }
  let running: EmbeddedSchemaRegistry | null = await EmbeddedSchemaRegistry.start({ log })
  const { url } = running
  const stop = async (): Promise<void> => {
    await running?.close()
    running = null
  }
  t.after(stop)
  const start = async (): Promise<void> => {
    running = await EmbeddedSchemaRegistry.start({ log, port: Number(new URL(url).port) })
  }
  return { url, stop, start }
}

/**
 * The topic `things` has 1 and 3 in partition 0, whose schema `reading` knows, and 2 and 4 in partition 1, whose schema it
 * does not know; the registry is down.
 */
export async function outage(t: TestContext) {
  const cluster = await EmbeddedCluster.start()
  t.after(() => cluster.close())
  cluster.createTopic('things', { partitions: 2 })
  cluster.createTopic('dead', { partitions: 1 })
  const registry = await registryThatStops(t)
  const bootstrap = { 'bootstrap.servers': cluster.bootstrapServers } as const
  const known = new SchemaRegistry({ url: registry.url })
  const naming = { subject: 'record' } as const
  const write = async (partition: number, name: string, id: number): Promise<void> => {
    await using producer = new Producer<string, Thing>(bootstrap, {
      value: known.avro<Thing>({ schema: schemaOf(name), ...naming }),
    })
    await producer.send({ topic: 'things', partition, value: { id } })
  }
  await write(0, 'A', 1)
  await write(1, 'B', 2)
  await write(0, 'A', 3)
  await write(1, 'B', 4)
  const reading = new SchemaRegistry({ url: registry.url, retryBackoffMs: 10 })
  await reading.getById(1)
  await registry.stop()
  const consumerOf = (config: Partial<ConsumerConfig> = {}): Consumer<Buffer, Thing> => {
    const consumer = new Consumer<Buffer, Thing>(
      { ...bootstrap, 'group.id': 'g', 'auto.offset.reset': 'earliest', ...config },
      { value: reading.avro<Thing>(), logger: quiet },
    )
    t.after(() => consumer.close(1000))
    return consumer
  }
  return { cluster, bootstrap, registry, write, reading, consumerOf }
}
