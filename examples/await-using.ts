/**
 * Clients close themselves at the end of their block, however it is left. TypeScript compiles `await using` for
 * Node versions that do not parse it yet (20 and 22).
 */
import { Consumer, Producer } from 'ottla'
import { fresh, openCluster } from './cluster.ts'

const cluster = await openCluster()
const topic = fresh('notes')

async function write(text: string): Promise<void> {
  await using producer = new Producer({ 'bootstrap.servers': cluster.bootstrapServers })
  await producer.send({ topic, value: text })
}

async function read(): Promise<string> {
  await using consumer = new Consumer({
    'bootstrap.servers': cluster.bootstrapServers,
    'group.id': fresh('readers'),
    'auto.offset.reset': 'earliest',
  })
  consumer.subscribe(topic)
  for await (const message of consumer) return String(message.value)
  throw new Error('the consumer was closed')
}

await write('nothing to close by hand')
console.log(await read())
await cluster.close()
