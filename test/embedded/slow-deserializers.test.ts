/** Deserializers that take long, or never end: what their message, its offset and its reader wait for. */
import { test, type TestContext } from 'node:test'
import assert from 'node:assert/strict'
import { EmbeddedCluster } from '@ottla/broker'
import {
  Consumer,
  ErrorCode,
  ShareConsumer,
  type ConsumerConfig,
  type Deserializer,
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

/** @param values of each partition */
async function newTopic(...values: readonly (readonly string[])[]): Promise<string> {
  const topic = `slow-${++names}`
  cluster.createTopic(topic, { partitions: values.length })
  const messages = values.flatMap((each, partition) => each.map(value => ({ topic, partition, value })))
  for (const { error } of await world.producer.sendBatch(messages)) assert.equal(error, undefined)
  return topic
}

type Text = Consumer<Buffer, string>

function consumer(t: TestContext, value: Deserializer<string>, config: Partial<ConsumerConfig> = {}): Text {
  const made = new Consumer<Buffer, string>(
    {
      'bootstrap.servers': cluster.bootstrapServers,
      'group.id': `slow-${names}`,
      'auto.offset.reset': 'earliest',
      'auto.commit.interval.ms': 20,
      'fetch.wait.max.ms': 50,
      ...config,
    },
    { logger: quiet, value },
  )
  t.after(() => made.close(1000))
  return made
}

/** The values; for `slow` once the gate is open. */
function slow(which: (value: string) => boolean): { value: Deserializer<string>; open: () => void; asked: string[] } {
  const { opened, open } = gate()
  const asked: string[] = []
  const value = (bytes: Buffer): string | Promise<string> => {
    const text = String(bytes)
    asked.push(text)
    return which(text) ? opened.then(() => text) : text
  }
  return { value, open, asked }
}

async function committed(topic: string): Promise<number> {
  const [found] = await world.admin.listConsumerGroupOffsets(`slow-${names}`, [{ topic, partition: 0 }])
  return found?.offset ?? -1
}

async function pollValue(reader: Text, wait: number): Promise<string | null> {
  for (;;) {
    const event = await reader.poll(wait)
    if (event === null) return null
    if (event.type === 'message') return event.message.value
  }
}

const calls = {
  poll: (reader: Text, wait: number) => pollValue(reader, wait),
  readMessage: async (reader: Text, wait: number) => {
    try {
      return (await reader.readMessage(wait)).value
    } catch (error) {
      assert.match(String(error), /no message within/)
      return null
    }
  },
}

for (const [name, call] of Object.entries(calls)) {
  test(`${name}: a message that is deserialized for longer than the call waits is the next call's, and not committed before`, async t => {
    const topic = await newTopic(['a', 'b', 'c'])
    const { value, open, asked } = slow(text => text === 'b')
    const reader = consumer(t, value)
    reader.subscribe(topic)
    assert.equal(await call(reader, WAIT_MS), 'a')
    assert.equal(await call(reader, 10), null)
    assert.equal(await call(reader, 0), null)
    assert.deepEqual(
      reader.position().map(({ offset }) => offset),
      [1],
    )
    await until('what was handed out is committed', async () => (await committed(topic)) === 1)
    assert.equal(await call(reader, 50), null)
    assert.equal(await committed(topic), 1)
    assert.deepEqual(asked, ['a', 'b'])
    open()
    assert.equal(await call(reader, WAIT_MS), 'b')
    assert.equal(await call(reader, WAIT_MS), 'c')
    assert.deepEqual(asked, ['a', 'b', 'c'])
    await reader.close()
    assert.equal(await committed(topic), 3)
  })
}

test('a signal ends a poll whose message is being deserialized, and close ends every reader', async t => {
  const topic = await newTopic(['a'])
  const { value, open } = slow(() => true)
  t.after(open)
  const made = (): Text => consumer(t, value, { 'group.id': `slow-${names}-${Math.random()}` })
  const polling = made()
  await polling.assign([{ topic, partition: 0, offset: 0 }])
  await until('it has fetched', () => polling.getWatermarkOffsets(topic, 0).high === 1)
  const abort = new AbortController()
  const polled = polling.poll({ signal: abort.signal })
  setImmediate(() => abort.abort(new Error('given up')))
  await assert.rejects(polled, /given up/)
  const readers = {
    poll: async (of: Text) => of.poll(),
    readMessage: async (of: Text) => of.readMessage().catch((error: unknown) => error),
    iterator: async (of: Text) => of[Symbol.asyncIterator]().next(),
    batches: async (of: Text) => of.batches().next(),
    partitions: async (of: Text) => (await of.partitions().next()).value?.next(),
  }
  for (const [name, read] of Object.entries(readers)) {
    const one = made()
    await one.assign([{ topic, partition: 0, offset: 0 }])
    const found = read(one)
    await until('it has fetched', () => one.getWatermarkOffsets(topic, 0).high === 1)
    await one.close()
    const end = await found
    if (name === 'readMessage') assert.match(String(end), /was closed while/)
    else assert.deepEqual(end, name === 'poll' ? null : DONE, name)
  }
})

test('what a paused, sought or revoked partition has in its deserializer holds up no other', async t => {
  const topic = await newTopic(['slow', 'after'], ['other'])
  const { value, open, asked } = slow(text => text === 'slow')
  const reader = consumer(t, value)
  const place = { topic, partition: 0 }
  await reader.assign([
    { ...place, offset: 0 },
    { topic, partition: 1, offset: 1 },
  ])
  const first = pollValue(reader, WAIT_MS)
  await until('it is being deserialized', () => asked.length === 1)
  reader.pause([place])
  await world.producer.send({ topic, partition: 1, value: 'while paused' })
  assert.equal(await first, 'while paused')
  reader.resume([place])
  const second = pollValue(reader, WAIT_MS)
  await until('it is being deserialized again', () => asked.filter(text => text === 'slow').length === 2)
  await reader.seek([{ ...place, offset: 1 }])
  assert.equal(await second, 'after')
  await reader.seek([{ ...place, offset: 0 }])
  const third = pollValue(reader, WAIT_MS)
  await until('it is being deserialized once more', () => asked.filter(text => text === 'slow').length === 3)
  await world.producer.send({ topic, partition: 1, value: 'while unassigned' })
  await reader.incrementalUnassign([place])
  assert.equal(await third, 'while unassigned')
  open()
  assert.equal(await pollValue(reader, 50), null)
})

test('another way of reading begins with what a poll has left in the deserializer', async t => {
  const topic = await newTopic(['a', 'b', 'c'])
  const rest = {
    'for await': async (of: Text) => {
      const found: string[] = []
      for await (const { value } of of) if (found.push(String(value)) === 3) break
      return found
    },
    batches: async (of: Text) => {
      for await (const batch of of.batches()) return batch.messages.map(({ value }) => String(value))
      return []
    },
    run: async (of: Text) => {
      const over = new AbortController()
      const found: string[] = []
      await of.run({
        signal: over.signal,
        handler: ({ value }) => {
          if (found.push(String(value)) === 3) over.abort()
        },
      })
      return found
    },
  }
  for (const [name, read] of Object.entries(rest)) {
    const { value, open } = slow(text => text === 'a')
    const reader = consumer(t, value, { 'group.id': `slow-${names}-${name}` })
    await reader.assign([{ topic, partition: 0, offset: 0 }])
    await until('it has fetched', () => reader.getWatermarkOffsets(topic, 0).high === 3)
    assert.equal(await pollValue(reader, 10), null)
    open()
    assert.deepEqual(await read(reader), ['a', 'b', 'c'], name)
  }
})

test('partitions() that end while a message is deserialized hand it to the next reader', async t => {
  const topic = await newTopic(['a', 'b'])
  const { value, open, asked } = slow(text => text === 'b')
  const reader = consumer(t, value)
  await reader.assign([{ topic, partition: 0, offset: 0 }])
  const streams = reader.partitions()
  const { value: stream } = await streams.next()
  assert.ok(stream)
  assert.equal((await stream.next()).value?.value, 'a')
  const next = stream.next()
  await until('it is being deserialized', () => asked.length === 2)
  await streams.return?.()
  assert.deepEqual(await next, DONE)
  open()
  assert.equal(await pollValue(reader, WAIT_MS), 'b')
})

test('batches() hand out what came before a message that is deserialized for long, and the rest in order', async t => {
  const topic = await newTopic(['a', 'b', 'c', 'd'])
  const { value, open, asked } = slow(text => text === 'c')
  const reader = consumer(t, value)
  reader.subscribe(topic)
  const batches = reader.batches()
  const found: [string[], number][] = []
  const next = async (): Promise<void> => {
    const { value: batch } = await batches.next()
    assert.ok(batch)
    found.push([batch.messages.map(message => String(message.value)), batch.lastOffset])
  }
  await next()
  assert.deepEqual(
    reader.position().map(({ offset }) => offset),
    [2],
  )
  const second = next()
  await until('what was handed out is committed', async () => (await committed(topic)) === 2)
  open()
  await second
  assert.deepEqual(found, [
    [['a', 'b'], 1],
    [['c', 'd'], 3],
  ])
  assert.deepEqual(asked, ['a', 'b', 'c', 'd'])
  const third = batches.next()
  await until('the rest is committed', async () => (await committed(topic)) === 4)
  await batches.return?.()
  assert.deepEqual(await third, DONE)
})

const ways = {
  poll: async (reader: Text, got: (value: string) => void) => {
    while (!reader.closed) {
      const found = await pollValue(reader, 100)
      if (found !== null) got(found)
    }
  },
  readMessage: async (reader: Text, got: (value: string) => void) => {
    while (!reader.closed) got(String((await reader.readMessage()).value))
  },
  'for await': async (reader: Text, got: (value: string) => void) => {
    for await (const { value } of reader) got(String(value))
  },
  batches: async (reader: Text, got: (value: string) => void) => {
    for await (const batch of reader.batches()) for (const { value } of batch) got(String(value))
  },
  partitions: async (reader: Text, got: (value: string) => void) => {
    for await (const stream of reader.partitions()) for await (const { value } of stream) got(String(value))
  },
}

for (const protocol of ['classic', 'consumer'] as const) {
  for (const [name, read] of Object.entries(ways)) {
    test(`${name}: a deserializer that never ends is the program's time (max.poll.interval.ms, ${protocol})`, async t => {
      const topic = await newTopic(['a', 'b'])
      const group: Partial<ConsumerConfig> = {
        'group.protocol': protocol,
        ...(protocol === 'classic' ? { 'heartbeat.interval.ms': 100, 'session.timeout.ms': 1500 } : {}),
      }
      const { value, open } = slow(text => text === 'b')
      const stuck = consumer(t, value, { ...group, 'max.poll.interval.ms': 1500 })
      const told: string[] = []
      const stalled: string[] = []
      stuck.on('error', ({ error }) => {
        if (error.code === ErrorCode.ERR__MAX_POLL_EXCEEDED) told.push(error.message)
      })
      stuck.on('partition-stalled', ({ reason }) => stalled.push(reason))
      stuck.subscribe(topic)
      const got: string[] = []
      const reading = read(stuck, text => got.push(text)).catch(quiet)
      await until('it is told', () => told.length > 0)
      assert.match(told[0] ?? '', /its deserializer has been processing offset 1 for .*max\.poll\.interval\.ms/)
      await until('it has stalled', () => stalled.length > 0)
      assert.match(stalled[0] ?? '', /its deserializer has been processing offset 1/)
      await until('it has lost the partition', () => stuck.assignment().length === 0)
      const explained = stuck.explain().join('\n')
      assert.match(explained, /has left the group \(max\.poll\.interval\.ms\)/)
      assert.match(explained, /no longer assigned: its deserializer has been processing offset 1/)
      const other = consumer(t, bytes => String(bytes), group)
      other.subscribe(topic)
      // What was handed out before may not have been done.
      let last = (await other.readMessage(WAIT_MS)).value
      if (last === 'a') last = (await other.readMessage(WAIT_MS)).value
      assert.equal(last, 'b')
      assert.ok(!got.includes('b'))
      await other.close()
      open()
      await stuck.close()
      await reading
    })
  }
}

type SharedText = ShareConsumer<Buffer, string>

async function sharer(
  t: TestContext,
  topic: string,
  value: Deserializer<string>,
  config: Partial<ShareConsumerConfig> = {},
) {
  const entries = Object.entries({
    'share.auto.offset.reset': 'earliest',
    'share.assignment.interval.ms': '0',
    'share.heartbeat.interval.ms': '100',
  }).map(([name, given]) => ({ name, value: given, operation: 'set' as const }))
  const group = `slow-${names}`
  const [altered] = await world.admin.incrementalAlterConfigs([{ type: 'group', name: group, entries }])
  assert.equal(altered?.error, undefined)
  const made = new ShareConsumer<Buffer, string>(
    { 'bootstrap.servers': cluster.bootstrapServers, 'group.id': group, 'fetch.wait.max.ms': 50, ...config },
    { logger: quiet, value },
  )
  t.after(() => made.close(1000))
  made.subscribe([topic])
  return made
}

async function pollShared(of: SharedText, wait: number): Promise<[string | null, number] | null> {
  for (;;) {
    const event = await of.poll(wait)
    if (event === null) return null
    if (event.type === 'message') return [event.message.value, event.message.deliveryCount]
  }
}

test('a share consumer waits for a deserializer no longer than its call, and the next one gets the message', async t => {
  const topic = await newTopic(['a', 'b', 'c'])
  const { value, open, asked } = slow(text => text === 'b')
  const reader = await sharer(t, topic, value)
  assert.deepEqual(await pollShared(reader, WAIT_MS), ['a', 1])
  assert.equal(await pollShared(reader, 10), null)
  await assert.rejects(reader.poll({ signal: AbortSignal.timeout(10) }), /timeout/)
  // What is being deserialized has not been handed out: only the one before is acknowledged.
  const told: number[] = []
  reader.on('acknowledged', ({ offsets }) => told.push(...offsets))
  await reader.commit()
  assert.ok(!told.includes(1))
  const left = reader[Symbol.asyncIterator]()
  const next = left.next()
  await left.return?.()
  assert.deepEqual(await next, DONE)
  open()
  assert.deepEqual(await pollShared(reader, WAIT_MS), ['b', 1])
  assert.deepEqual(await pollShared(reader, WAIT_MS), ['c', 1])
  assert.deepEqual(asked, ['a', 'b', 'c'])
})

test('close ends what waits for a deserializer of a share consumer, and others get the message', async t => {
  const topic = await newTopic(['a'])
  const { value, open, asked } = slow(() => true)
  t.after(open)
  const first = await sharer(t, topic, value)
  const next = first[Symbol.asyncIterator]().next()
  await until('it is being deserialized', () => asked.length === 1)
  await first.close()
  assert.deepEqual(await next, DONE)
  const second = await sharer(t, topic, bytes => String(bytes))
  assert.equal((await pollShared(second, WAIT_MS))?.[0], 'a')
})

test("a deserializer of a share consumer that never ends is the program's time (max.poll.interval.ms)", async t => {
  const topic = await newTopic(['a', 'b'])
  const { value, open } = slow(text => text === 'b')
  const stuck = await sharer(t, topic, value, { 'max.poll.interval.ms': 1000 })
  const told: string[] = []
  stuck.on('error', ({ error }) => {
    if (error.code === ErrorCode.ERR__MAX_POLL_EXCEEDED) told.push(error.message)
  })
  const got: string[] = []
  const reading = (async () => {
    while (!stuck.closed) got.push((await pollShared(stuck, 50))?.[0] ?? '')
  })().catch(quiet)
  await until('it is told', () => told.length > 0)
  assert.match(told[0] ?? '', /its deserializer has been processing offset 1 for .*max\.poll\.interval\.ms/)
  const other = await sharer(t, topic, bytes => String(bytes))
  assert.equal((await pollShared(other, WAIT_MS))?.[0], 'b')
  await other.close()
  assert.deepEqual(
    got.filter(text => text !== ''),
    ['a'],
  )
  // It joins again when the deserializer has ended.
  open()
  await world.producer.send({ topic, partition: 0, value: 'c' })
  await until('it reads again', () => got.includes('c'))
  await stuck.close()
  await reading
})
