/** `ottla:carry`: what subscribers add to messages. */
import assert from 'node:assert/strict'
import { after, before, test, type TestContext } from 'node:test'
import { EmbeddedCluster } from '@ottla/broker'
import { Consumer, Producer, type ProducerMessage, type ProducerOptions } from 'ottla'
import { ended, listen, record } from '../harness/channel-recorder.ts'

const quiet = (): void => undefined

let cluster: EmbeddedCluster
let topics = 0

before(async () => {
  cluster = await EmbeddedCluster.start()
})
after(() => cluster.close())

function topic(): string {
  const name = `topic-${++topics}`
  cluster.createTopic(name, { partitions: 1 })
  return name
}

function producer(t: TestContext, options: Partial<ProducerOptions> = {}): Producer {
  const made = new Producer({ 'bootstrap.servers': cluster.bootstrapServers }, { logger: quiet, ...options })
  t.after(() => made.close())
  return made
}

/** Adds a header to every message, after what others do. */
function adds(t: TestContext, header: string): () => void {
  return listen(t, 'ottla:carry', 'start', payload => {
    const { carry } = payload
    payload.carry = message => {
      const given = carry === undefined ? message : carry(message)
      return { ...given, headers: { ...(given.headers as Record<string, string> | undefined), [header]: 'x' } }
    }
  })
}

/** The names of the headers of so many messages, in order. */
async function headersIn(t: TestContext, name: string, count: number): Promise<string[]> {
  const servers = { 'bootstrap.servers': cluster.bootstrapServers, 'group.id': `group-of-${name}` }
  const consumer = new Consumer({ ...servers, 'auto.offset.reset': 'earliest' }, { logger: quiet })
  t.after(() => consumer.close())
  consumer.subscribe(name)
  const found: string[] = []
  for (let i = 0; i < count; i++) {
    const { headers } = await consumer.readMessage(10_000)
    found.push(headers.map(({ key }) => key).join())
  }
  return found
}

test('messages of every way to send carry what each subscriber adds, and the given ones stay as they are', async t => {
  const name = topic()
  adds(t, 'a')
  adds(t, 'b')
  const sender = producer(t)
  const message: ProducerMessage = Object.freeze({ topic: name, value: 'v', headers: Object.freeze({ own: 'x' }) })
  const reported: unknown[] = []
  sender.produce(message, ({ headers }) => reported.push(headers))
  await sender.send(message)
  await sender.sendBatch([message, message])
  await sender.flush()
  assert.deepEqual(await headersIn(t, name, 4), Array(4).fill('own,a,b'))
  assert.deepEqual(reported, [{ own: 'x', a: 'x', b: 'x' }])
})

test('interceptors come first, and traces of single messages see what is sent', async t => {
  const name = topic()
  const send = record(t, 'ottla:send')
  adds(t, 'carried')
  const onSend = (message: ProducerMessage): ProducerMessage => ({
    ...message,
    headers: { intercepted: 'x' },
  })
  await producer(t, { interceptors: [{ onSend }] }).send({ topic: name, value: 'v' })
  assert.deepEqual(await headersIn(t, name, 1), ['intercepted,carried'])
  assert.deepEqual(
    ended(send).map(({ message: { headers } }) => headers),
    [{ intercepted: 'x', carried: 'x' }],
  )
})

test('a producer asks once for each batch, and no longer when nobody subscribes', async t => {
  const name = topic()
  let asked = 0
  const stopCounting = listen(t, 'ottla:carry', 'start', () => asked++)
  const sender = producer(t)
  await sender.send({ topic: name, value: 'v' })
  const first = asked
  for (let i = 0; i < 99; i++) sender.produce({ topic: name, value: 'v' })
  await sender.flush()
  assert.equal(asked - first, 1)
  stopCounting()
  const stop = adds(t, 'a')
  await sender.send({ topic: name, value: 'v' })
  await sender.send({ topic: name, value: 'v' })
  stop()
  await sender.send({ topic: name, value: 'v' })
  const [, , last] = (await headersIn(t, name, 103)).slice(100)
  assert.equal(last, '')
})
