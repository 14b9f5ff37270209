/** Programs that compute for longer than a time-out while real brokers answer: what has arrived meanwhile counts. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import {
  AdminClient,
  Consumer,
  OFFSET_BEGINNING,
  Producer,
  ShareConsumer,
  type ClientConfig,
  type ConsumerConfig,
  type ProducerConfig,
} from 'ottla'
import { fresh } from '../behaviour/world.ts'
import { sharedKafka, type SharedKafka } from '../harness/shared.ts'
import { createTopic } from '../harness/topics.ts'

const TIMEOUT_MS = 1000
const timeouts = { 'socket.timeout.ms': TIMEOUT_MS }
const PATIENCE_MS = 60_000

let kafka: SharedKafka
let base: ClientConfig
const lost: string[] = []
const options = { logger: (_: unknown, __: string, line: string): void => void lost.push(line) }

before(async () => {
  kafka = await sharedKafka('single')
  base = { 'bootstrap.servers': kafka.bootstrapServers }
})

after(() => kafka.close())

/** The event loop stands still; not even sockets are read. */
function block(): void {
  const until = performance.now() + TIMEOUT_MS * 1.5
  while (performance.now() < until);
}

async function valuesOf(topic: string): Promise<string[]> {
  await using consumer = new Consumer({ ...base, 'enable.partition.eof': true }, options)
  await consumer.assign([{ topic, partition: 0, offset: OFFSET_BEGINNING }])
  const values: string[] = []
  for (;;) {
    const event = await consumer.poll(PATIENCE_MS)
    if (event?.type === 'message') values.push(String(event.message.value))
    else if (event?.type === 'partition-eof') return values
    else assert.fail(`${JSON.stringify(event)} after ${values.join()}`)
  }
}

const producers: Record<string, Partial<ProducerConfig>> = {
  'that is not idempotent': { 'enable.idempotence': false },
  'that is idempotent': { 'enable.idempotence': true },
}

for (const [what, own] of Object.entries(producers)) {
  test(`A producer ${what} writes nothing twice when the program computes while answers wait`, async () => {
    const topic = fresh('blocked')
    await createTopic(kafka.bootstrapServers, topic)
    lost.length = 0
    const settings = { ...base, ...timeouts, ...own, 'request.timeout.ms': TIMEOUT_MS }
    await using producer = new Producer(settings, options)
    const send = (value: string): Promise<unknown> => producer.send({ topic, partition: 0, value })
    await send('first')
    const atOnce = send('at once')
    block()
    await atOnce
    const afterTurn = send('after a turn')
    await turn()
    await turn()
    block()
    const several = ['x', 'y', 'z'].map(send)
    await afterTurn
    await turn()
    block()
    await Promise.all(several)
    assert.deepEqual(lost, [])
    assert.deepEqual(await valuesOf(topic), ['first', 'at once', 'after a turn', 'x', 'y', 'z'])
  })
}

const members: Record<string, Partial<ConsumerConfig>> = {
  'a classic group': { 'heartbeat.interval.ms': 500 },
  'a consumer group': { 'group.protocol': 'consumer' },
}

for (const [where, own] of Object.entries(members)) {
  test(`A member of ${where} reads and commits on when its program computes between messages`, async () => {
    const topic = fresh('blocked')
    await createTopic(kafka.bootstrapServers, topic)
    lost.length = 0
    await using producer = new Producer(base, options)
    const more: Partial<ConsumerConfig> = {
      'group.id': fresh('g'),
      'auto.offset.reset': 'earliest',
      'enable.auto.commit': false,
    }
    await using consumer = new Consumer({ ...base, ...timeouts, ...own, ...more }, options)
    const rebalances: string[] = []
    consumer.subscribe(topic, ({ type }) => void rebalances.push(type))
    for (const value of ['1', '2']) {
      await producer.send({ topic, partition: 0, value })
      assert.equal(String((await consumer.readMessage(PATIENCE_MS)).value), value)
      const committed = consumer.commit()
      await turn()
      block()
      await committed
    }
    assert.deepEqual(rebalances, ['assign'])
    const [offset] = await consumer.committed([{ topic, partition: 0 }], PATIENCE_MS)
    assert.equal(offset?.offset, 2)
    assert.deepEqual(lost, [])
  })
}

test('A share consumer gets each message once when its program computes between them', async () => {
  const topic = fresh('blocked')
  const group = fresh('s')
  await createTopic(kafka.bootstrapServers, topic)
  lost.length = 0
  await using admin = new AdminClient(base, options)
  const entries = [{ name: 'share.auto.offset.reset', value: 'earliest', operation: 'set' }] as const
  await admin.incrementalAlterConfigs([{ type: 'group', name: group, entries }])
  await using producer = new Producer(base, options)
  await using consumer = new ShareConsumer({ ...base, ...timeouts, 'group.id': group }, options)
  consumer.subscribe(topic)
  for (const value of ['1', '2']) {
    await producer.send({ topic, partition: 0, value })
    const event = await consumer.poll(PATIENCE_MS)
    assert.ok(event?.type === 'message')
    assert.equal(String(event.message.value), value)
    assert.equal(event.message.deliveryCount, 1)
    await turn()
    block()
  }
  assert.deepEqual(lost, [])
})
