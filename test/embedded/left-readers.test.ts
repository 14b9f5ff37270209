/** Iterators that are left (`return`) while their `next` is under way: nobody has what comes then, so the next reader gets it. */
import { test, type TestContext } from 'node:test'
import assert from 'node:assert/strict'
import { EmbeddedCluster } from '@ottla/broker'
import {
  Consumer,
  ErrorCode,
  ShareConsumer,
  type ConsumerConfig,
  type ConsumerIterator,
  type ConsumerOptions,
  type ShareConsumerConfig,
} from 'ottla'
import { plainClients } from '../behaviour/plain-world.ts'
import { gate, until } from '../behaviour/reading-ways.ts'

const WAIT_MS = 20_000
const DONE = { value: undefined, done: true }
const quiet = (): void => undefined

let cluster: EmbeddedCluster
let names = 0
const world = plainClients(async () => (cluster = await EmbeddedCluster.start()))

function newTopic(): string {
  const topic = `left-${++names}`
  cluster.createTopic(topic, { partitions: 1 })
  return topic
}

async function send(topic: string, ...values: string[]): Promise<void> {
  for (const { error } of await world.producer.sendBatch(values.map(value => ({ topic, value })))) {
    assert.equal(error, undefined)
  }
}

const settings = (): ConsumerConfig => ({
  'bootstrap.servers': cluster.bootstrapServers,
  'group.id': `left-${names}`,
  'fetch.wait.max.ms': 50,
})

type Text = ConsumerOptions<Buffer, string>

/** A text, once the gate is open. */
function slow(opened: Promise<void>, onBegun: () => void): Text {
  return {
    value: async bytes => {
      onBegun()
      await opened
      return String(bytes)
    },
  }
}
const plain: Text = { value: bytes => String(bytes) }

async function consumer(t: TestContext, topic: string, options: Text, config: Partial<ConsumerConfig> = {}) {
  const made = new Consumer<Buffer, string>(
    { ...settings(), 'auto.offset.reset': 'earliest', ...config },
    { logger: quiet, ...options },
  )
  t.after(() => made.close())
  await made.assign([{ topic, partition: 0, offset: 0 }])
  return made
}

type Reader = ConsumerIterator<unknown>

const readers: Readonly<Record<string, (of: Consumer<Buffer, string>) => Reader>> = {
  'an iterator': of => of[Symbol.asyncIterator](),
  'batches()': of => of.batches(),
  'batches({ maxWaitMs })': of => of.batches({ maxWaitMs: WAIT_MS, maxMessages: 100 }),
}

async function values(of: Consumer<Buffer, string>, count: number): Promise<string[]> {
  const found: string[] = []
  while (found.length < count) found.push(String((await of.readMessage(WAIT_MS)).value))
  return found
}

for (const [name, make] of Object.entries(readers)) {
  test(`${name} that is left while it waits takes nothing more`, async t => {
    const topic = newTopic()
    const reader = await consumer(t, topic, plain)
    await until('it fetches', () => reader.getWatermarkOffsets(topic, 0).high === 0)
    const left = make(reader)
    const next = left.next()
    await left.return?.()
    // Another one waits at once.
    const message = reader.readMessage(WAIT_MS)
    await send(topic, 'first')
    assert.equal((await message).value, 'first')
    assert.deepEqual(await next, DONE)
    assert.deepEqual(await left.next(), DONE)

    // Nobody waits when it comes.
    const another = make(reader)
    const abandoned = another.next()
    await another.return?.()
    await send(topic, 'second', 'third')
    assert.deepEqual(await abandoned, DONE)
    assert.deepEqual(await values(reader, 2), ['second', 'third'])
  })

  test(`${name} that is left while a message is deserialized gives it back`, async t => {
    const topic = newTopic()
    const { opened, open } = gate()
    t.after(open)
    let onBegun = quiet
    const begun = new Promise<void>(resolve => (onBegun = resolve))
    const reader = await consumer(
      t,
      topic,
      slow(opened, () => onBegun()),
      { 'queued.min.messages': 1 },
    )
    await send(topic, 'first', 'second', 'third')
    const left = name.includes('maxWaitMs') ? reader.batches({ maxWaitMs: 1 }) : make(reader)
    const next = left.next()
    await begun
    await left.return?.()
    const rest = values(reader, 3)
    open()
    assert.deepEqual(await next, DONE)
    assert.deepEqual(await rest, ['first', 'second', 'third'])
    assert.equal((await reader.commit())[0]?.offset, 3)
  })

  test(`${name} that is left does not count as a program that polls`, async t => {
    const topic = newTopic()
    const reader = await consumer(t, topic, plain, { 'max.poll.interval.ms': 1000, 'session.timeout.ms': 1000 })
    const told: number[] = []
    reader.on('error', ({ error }) => told.push(error.code))
    reader.subscribe([topic])
    await until('it is a member', async () => {
      await reader.poll(10)
      return reader.assignment().length > 0
    })
    const left = make(reader)
    const next = left.next()
    await left.return?.()
    // What waits next takes the place of what waited before.
    await reader.poll(10)
    assert.deepEqual(await next, DONE)
    await until('it is told', () => told.includes(ErrorCode.ERR__MAX_POLL_EXCEEDED))
  })
}

test('batches() that are left while they wait for more of one give nothing away', async t => {
  const topic = newTopic()
  const reader = await consumer(t, topic, plain)
  await send(topic, 'first', 'second')
  await until('it has fetched', () => reader.getWatermarkOffsets(topic, 0).high === 2)
  const left = reader.batches({ maxWaitMs: WAIT_MS, maxMessages: 100 })
  const next = left.next()
  await new Promise(resolve => setImmediate(resolve))
  await left.return?.()
  assert.deepEqual(await next, DONE)
  assert.deepEqual(await values(reader, 2), ['first', 'second'])
})

test('an iterator can be left by the rebalance callback that its next has called', async t => {
  const topic = newTopic()
  await send(topic, 'first', 'second')
  const reader = await consumer(t, topic, plain)
  await reader.unassign()
  const left = reader[Symbol.asyncIterator]()
  reader.subscribe([topic], async () => {
    await Promise.resolve()
    await left.return?.()
  })
  assert.deepEqual(await left.next(), DONE)
  assert.deepEqual(await values(reader, 2), ['first', 'second'])
})

async function sharers(t: TestContext, topic: string, options: Text, config: Partial<ShareConsumerConfig> = {}) {
  const entries = Object.entries({ 'share.auto.offset.reset': 'earliest', 'share.assignment.interval.ms': '0' }).map(
    ([name, value]) => ({ name, value, operation: 'set' as const }),
  )
  const [altered] = await world.admin.incrementalAlterConfigs([{ type: 'group', name: `left-${names}`, entries }])
  assert.equal(altered?.error, undefined)
  const group = `left-${names}`
  const made = new ShareConsumer<Buffer, string>(
    { ...settings(), 'group.id': group, ...config },
    { logger: quiet, ...options },
  )
  t.after(() => made.close())
  made.subscribe([topic])
  await until('it has partitions', () => made.assignment().length > 0)
  return made
}

/** Values, and how often each was given out. */
async function shared(of: ShareConsumer<Buffer, string>, count: number): Promise<[string | null, number][]> {
  const found: [string | null, number][] = []
  while (found.length < count) {
    const event = await of.poll(WAIT_MS)
    assert.ok(event)
    if (event.type === 'message') found.push([event.message.value, event.message.deliveryCount])
  }
  return found
}

test('an iterator of a share consumer that is left while it waits takes nothing more', async t => {
  const topic = newTopic()
  const sharer = await sharers(t, topic, plain)
  const left = sharer[Symbol.asyncIterator]()
  const next = left.next()
  await left.return?.()
  // Another one waits at once.
  const rest = shared(sharer, 1)
  await send(topic, 'first')
  assert.deepEqual(await rest, [['first', 1]])
  assert.deepEqual(await next, DONE)

  const another = sharer[Symbol.asyncIterator]()
  const abandoned = another.next()
  await another.return?.()
  await send(topic, 'second')
  assert.deepEqual(await abandoned, DONE)
  assert.deepEqual(await shared(sharer, 1), [['second', 1]])
})

test('an iterator of a share consumer that is left while a message is deserialized gives it back, in its lock', async t => {
  const topic = newTopic()
  const { opened, open } = gate()
  t.after(open)
  let onBegun = quiet
  const begun = new Promise<void>(resolve => (onBegun = resolve))
  const sharer = await sharers(
    t,
    topic,
    slow(opened, () => onBegun()),
  )
  const told: unknown[] = []
  sharer.on('acknowledged', ({ offsets, error }) => told.push([offsets, error?.code]))
  await send(topic, 'first', 'second')
  const left = sharer[Symbol.asyncIterator]()
  const next = left.next()
  await begun
  await left.return?.()
  assert.deepEqual(await sharer.commit(), [])
  open()
  assert.deepEqual(await next, DONE)
  assert.deepEqual(await shared(sharer, 2), [
    ['first', 1],
    ['second', 1],
  ])
  assert.deepEqual(told, [])
})

test('an iterator of a share consumer that is left does not count as a program that polls', async t => {
  const topic = newTopic()
  const sharer = await sharers(t, topic, plain, { 'max.poll.interval.ms': 1000 })
  const told: number[] = []
  sharer.on('error', ({ error }) => told.push(error.code))
  const left = sharer[Symbol.asyncIterator]()
  const next = left.next()
  await left.return?.()
  await sharer.poll(10)
  assert.deepEqual(await next, DONE)
  await until('it is told', () => told.includes(ErrorCode.ERR__MAX_POLL_EXCEEDED))
})
