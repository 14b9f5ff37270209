/** `ShareConsumer` with a `fetch.wait.max.ms` beyond every lock: what it says does not stand behind a fetch that waits. */
import { test, type TestContext } from 'node:test'
import assert from 'node:assert/strict'
import { EmbeddedCluster } from '@ottla/broker'
import { ShareConsumer, type AcknowledgedEvent, type ShareConsumerConfig, type ShareMessage } from 'ottla'
import { gate, until } from '../behaviour/reading-ways.ts'
import { plainClients } from '../behaviour/plain-world.ts'
import { fresh } from '../behaviour/world.ts'

// More than a test may take.
const WAIT_MS = 300_000
const LOCK_MS = 1000
const LONG_LOCK_MS = 60_000
// More than any of the waits that there are, less than half of `fetch.wait.max.ms`.
const CALL_MS = 20_000

let cluster: EmbeddedCluster
const world = plainClients(async () => (cluster = await EmbeddedCluster.start({ brokers: 3 })))

interface Setting {
  readonly topic: string
  readonly group: string
}

async function setting(lockMs: number, partitions = 1): Promise<Setting> {
  const [topic, group] = [fresh('waits'), fresh('waits')]
  cluster.createTopic(topic, { partitions, replicationFactor: 1 })
  for (let i = 0; i < partitions; i++) cluster.setLeader(topic, i, (i % 3) + 1)
  const settings = {
    'share.auto.offset.reset': 'earliest',
    'share.assignment.interval.ms': '0',
    'share.heartbeat.interval.ms': '100',
    'share.record.lock.duration.ms': String(lockMs),
  }
  const entries = Object.entries(settings).map(([name, value]) => ({ name, value, operation: 'set' as const }))
  const [altered] = await world.admin.incrementalAlterConfigs([{ type: 'group', name: group, entries }])
  assert.equal(altered?.error, undefined)
  return { topic, group }
}

interface Member {
  readonly consumer: ShareConsumer
  /** What was told of acknowledgements: `partition/offset`, or `partition/offset! code`. */
  readonly told: string[]
  /** What the warnings in its log are about. */
  readonly logged: string[]
}

function member(t: TestContext, { group, topic }: Setting, config: Partial<ShareConsumerConfig> = {}): Member {
  const logged: string[] = []
  const consumer = new ShareConsumer(
    {
      'bootstrap.servers': cluster.bootstrapServers,
      'group.id': group,
      'fetch.wait.max.ms': WAIT_MS,
      ...config,
    },
    { logger: (_, facility) => logged.push(facility) },
  )
  t.after(() => consumer.close(1000))
  const told: string[] = []
  consumer.on('acknowledged', ({ partition, offsets, error }: AcknowledgedEvent) => {
    for (const offset of offsets) told.push(`${partition}/${offset}${error === undefined ? '' : `! ${error.code}`}`)
  })
  consumer.subscribe(topic)
  return { consumer, told, logged }
}

async function send(topic: string, ...values: readonly string[]): Promise<void> {
  const messages = values.map(value => ({ topic, partition: 0, value }))
  for (const { error } of await world.producer.sendBatch(messages)) assert.equal(error, undefined)
}

async function next(consumer: ShareConsumer): Promise<ShareMessage> {
  const event = await consumer.poll(CALL_MS)
  assert.ok(event?.type === 'message')
  return event.message
}

/** The bodies of the group's fetches that reach brokers from now on, and no longer than the test. */
function fetches(t: TestContext, { group }: Setting): { maxWaitMs: number; brokerId: number }[] {
  const seen: { maxWaitMs: number; brokerId: number }[] = []
  const end = cluster.control(({ apiName, brokerId, body }) => {
    const { groupId, maxWaitMs } = body as { groupId: string; maxWaitMs: number }
    if (apiName === 'ShareFetch' && groupId === group) seen.push({ maxWaitMs, brokerId })
  })
  t.after(end)
  return seen
}

/** The next fetch of the group is carried out when it is let go. */
function holdFetch(t: TestContext, { group }: Setting): { readonly isHeld: () => boolean; readonly letGo: () => void } {
  const go = gate()
  let held = false
  const end = cluster.control(async ({ apiName, body }) => {
    if (held || apiName !== 'ShareFetch' || (body as { groupId: string }).groupId !== group) return
    held = true
    await go.opened
  })
  t.after(() => {
    go.open()
    end()
  })
  return { isHeld: () => held, letGo: go.open }
}

/** Messages sent once the member waits for some: taken once, and accepted. */
async function takenOnce(
  t: TestContext,
  work: (member: Member, seen: (message: ShareMessage) => void) => Promise<void>,
  config: Partial<ShareConsumerConfig> = {},
): Promise<void> {
  const at = await setting(LOCK_MS)
  const asked = fetches(t, at)
  const one = member(t, at, config)
  const seen: string[] = []
  const working = work(one, ({ offset, deliveryCount }) => void seen.push(`${offset} x${deliveryCount}`))
  await until('a fetch waits', () => asked.length > 0)
  await send(at.topic, 'a', 'b')
  await until('both are told', () => one.told.length >= 2)
  await send(at.topic, 'c')
  await until('the third is told', () => one.told.length >= 3)
  assert.deepEqual(seen.sort(), ['0 x1', '1 x1', '2 x1'])
  assert.deepEqual(one.told.sort(), ['0/0', '0/1', '0/2'])
  await one.consumer.close(CALL_MS)
  await working
  assert.deepEqual(one.logged, [])
}

test('poll, explicit: what is accepted at once is told before its lock ends', t =>
  takenOnce(
    t,
    async ({ consumer }, seen) => {
      while (!consumer.closed) {
        const event = await consumer.poll(CALL_MS)
        if (event?.type !== 'message') continue
        seen(event.message)
        consumer.acknowledge(event.message, 'accept')
      }
    },
    { 'share.acknowledgement.mode': 'explicit' },
  ))

test('poll, implicit: asking for the next message accepts before the lock ends', t =>
  takenOnce(t, async ({ consumer }, seen) => {
    while (!consumer.closed) {
      const event = await consumer.poll(CALL_MS)
      if (event?.type === 'message') seen(event.message)
    }
  }))

test('for await: asking for the next message accepts before the lock ends', t =>
  takenOnce(t, async ({ consumer }, seen) => {
    for await (const message of consumer) seen(message)
  }))

test('run: what a handler is done with is told before the lock ends', t =>
  takenOnce(t, ({ consumer }, seen) => consumer.run({ concurrency: 4, handler: seen })))

test('run: handlers that have as many messages as they may are nothing to warn of', t =>
  takenOnce(t, ({ consumer }, seen) => consumer.run({ concurrency: 4, handler: seen }), { 'max.poll.records': 1 }))

test('poll, explicit: that nothing comes before something is acknowledged is told once in a minute', async t => {
  const at = await setting(LONG_LOCK_MS)
  const { consumer, logged } = member(t, at, {
    'share.acknowledgement.mode': 'explicit',
    'max.poll.records': 1,
    'fetch.wait.max.ms': 50,
  })
  await send(at.topic, 'a', 'b')
  for (let i = 0; i < 2; i++) {
    const message = await next(consumer)
    assert.equal(await consumer.poll(10), null)
    consumer.acknowledge(message)
  }
  assert.deepEqual(logged, ['SHARE'])
})

test('run: locks are renewed for as long as handlers take', t =>
  takenOnce(t, ({ consumer }, seen) => {
    const work = async (message: ShareMessage): Promise<void> => {
      seen(message)
      await new Promise(resolve => setTimeout(resolve, LOCK_MS * 2.5))
    }
    return consumer.run({ concurrency: 4, handler: work })
  }))

test('poll, explicit: a program keeps its lock by renewing it', async t => {
  const at = await setting(LOCK_MS)
  const asked = fetches(t, at)
  const { consumer, told } = member(t, at, { 'share.acknowledgement.mode': 'explicit' })
  const first = next(consumer)
  await until('a fetch waits', () => asked.length > 0)
  await send(at.topic, 'a')
  const message = await first
  const stop = new AbortController()
  const waiting = consumer.poll({ signal: stop.signal }).catch(() => null)
  for (let i = 0; i < 8; i++) {
    await new Promise(resolve => setTimeout(resolve, LOCK_MS / 3))
    consumer.acknowledge(message, 'renew')
  }
  consumer.acknowledge(message, 'accept')
  assert.deepEqual(await consumer.commit(CALL_MS), [{ topic: at.topic, partition: 0 }])
  stop.abort()
  assert.equal(await waiting, null)
  assert.deepEqual([...new Set(told)], ['0/0'])
})

test('commit, unsubscribe and close come to their end while a poll waits for messages', async t => {
  const at = await setting(LONG_LOCK_MS)
  const asked = fetches(t, at)
  const { consumer, told, logged } = member(t, at)
  const first = next(consumer)
  await until('a fetch waits', () => asked.length > 0)
  await send(at.topic, 'a')
  await first
  const waiting = next(consumer)
  assert.deepEqual(await consumer.commit(CALL_MS), [{ topic: at.topic, partition: 0 }])
  await until('a fetch waits that has nothing else to do', () => asked.at(-1)?.maxWaitMs === 1000)
  await send(at.topic, 'b')
  await waiting
  const idle = consumer.poll(CALL_MS)
  await consumer.unsubscribe()
  assert.deepEqual(told, ['0/0', '0/1'])
  await consumer.close(CALL_MS)
  assert.equal(await idle, null)
  assert.deepEqual(logged, [])
})

test('close has the last message told, whatever other brokers wait for', async t => {
  const at = await setting(LONG_LOCK_MS, 3)
  const asked = fetches(t, at)
  const { consumer, told, logged } = member(t, at, { 'share.acknowledgement.mode': 'explicit' })
  const first = next(consumer)
  await until('all brokers are asked', () => new Set(asked.map(({ brokerId }) => brokerId)).size === 3)
  await send(at.topic, 'a')
  consumer.acknowledge(await first)
  await consumer.close(CALL_MS)
  assert.deepEqual([told, logged], [['0/0'], []])
  const other = member(t, at)
  await send(at.topic, 'b')
  assert.equal((await next(other.consumer)).offset, 1)
})

test('brokers that have nothing to hear are asked seldom, and the others not too often', async t => {
  const at = await setting(LONG_LOCK_MS, 3)
  const asked = fetches(t, at)
  const { consumer } = member(t, at, { 'share.acknowledgement.mode': 'explicit' })
  const first = next(consumer)
  await until('all brokers are asked', () => new Set(asked.map(({ brokerId }) => brokerId)).size === 3)
  await send(at.topic, 'a')
  const message = await first
  const waiting = consumer.poll(CALL_MS)
  const isShare = /^Share(Fetch|Acknowledge)$/
  /** Requests by broker, until each has had so many more fetches. */
  async function counted(rounds: number): Promise<number[]> {
    cluster.requests('start')
    const from = asked.length
    const ofBroker = (id: number): number => asked.slice(from).filter(({ brokerId }) => brokerId === id).length
    await until('all are asked again', () => [1, 2, 3].every(id => ofBroker(id) >= rounds))
    const sent = cluster.requests('stop').filter(({ apiName }) => isShare.test(apiName))
    return [1, 2, 3].map(id => sent.filter(({ brokerId }) => brokerId === id).length)
  }
  const waits = (isFirst: boolean): number[] => [
    ...new Set(asked.filter(({ brokerId }) => (brokerId === 1) === isFirst).map(({ maxWaitMs }) => maxWaitMs)),
  ]
  const [busy = 0, ...others] = await counted(2)
  assert.ok(busy <= 30 && others.every(count => count <= 3), [busy, ...others].join())
  assert.deepEqual([waits(true), waits(false)], [[1000, 100], [1000]])
  consumer.acknowledge(message)
  await consumer.commit(CALL_MS)
  const idle = await counted(2)
  assert.ok(
    idle.every(count => count <= 4),
    idle.join(),
  )
  await consumer.close(CALL_MS)
  assert.equal(await waiting, null)
})

for (const way of ['unsubscribe', 'close'] as const) {
  test(`what a fetch brings that comes back after ${way} is for the others`, async t => {
    const at = await setting(LONG_LOCK_MS)
    const asked = fetches(t, at)
    const first = member(t, at)
    const idle = first.consumer.poll(CALL_MS)
    await until('it is asked', () => asked.length > 0)
    const fetch = holdFetch(t, at)
    await until('one is on its way', fetch.isHeld)
    const leaving = first.consumer[way]()
    await send(at.topic, 'a')
    fetch.letGo()
    await leaving
    const other = member(t, at)
    const { offset, deliveryCount } = await next(other.consumer)
    assert.deepEqual([offset, deliveryCount], [0, 2])
    await first.consumer.close(CALL_MS)
    assert.equal(await idle, null)
  })
}

test('what a fetch brings of a topic that is not subscribed to any more is for the others, as is what waits', async t => {
  const [at, other] = [await setting(LONG_LOCK_MS), await setting(LONG_LOCK_MS)]
  const one = member(t, at)
  await send(at.topic, 'taken', 'waits')
  assert.equal((await next(one.consumer)).offset, 0)
  const fetch = holdFetch(t, at)
  await until('one is on its way', fetch.isHeld)
  await send(at.topic, 'late')
  one.consumer.subscribe(other.topic)
  fetch.letGo()
  await send(other.topic, 'of the other')
  assert.equal((await next(one.consumer)).topic, other.topic)
  const successor = member(t, at)
  const seen: string[] = []
  while (seen.length < 2) {
    const { value, deliveryCount } = await next(successor.consumer)
    seen.push(`${String(value)} x${deliveryCount}`)
  }
  assert.deepEqual(seen.sort(), ['late x2', 'waits x2'])
})

test('what a fetch brings that comes back after max.poll.interval.ms is for the others', async t => {
  const at = await setting(LONG_LOCK_MS)
  await send(at.topic, 'a')
  const asked = fetches(t, at)
  const silent = member(t, at, { 'max.poll.interval.ms': 1000 })
  await next(silent.consumer)
  const fetch = holdFetch(t, at)
  await until('one is on its way', fetch.isHeld)
  await until('it is put out', () => silent.consumer.assignment().length === 0)
  let isReleased = false
  const end = cluster.control(({ apiName, body }) => {
    if (apiName === 'ShareAcknowledge') isReleased ||= JSON.stringify(body).includes('"acknowledgeTypes":[2]')
  })
  t.after(end)
  await send(at.topic, 'b')
  fetch.letGo()
  await until('the other message has been given out, and is given back', () => isReleased)
  assert.ok(asked.length > 0)
  assert.ok(!silent.told.includes('0/1'))
  const other = member(t, at)
  const { offset, deliveryCount } = await next(other.consumer)
  assert.deepEqual([offset, deliveryCount], [1, 2])
})
