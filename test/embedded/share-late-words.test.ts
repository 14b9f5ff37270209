/** What is said of a message of a share group after its lock: told, and never taken for the next who has it. */
import { test, type TestContext } from 'node:test'
import assert from 'node:assert/strict'
import { EmbeddedCluster } from '@ottla/broker'
import { ApiKey } from '@ottla/protocol'
import { ErrorCode, ShareConsumer, type AcknowledgedEvent, type ShareConsumerConfig } from 'ottla'
import { gate, quiet, until } from '../behaviour/reading-ways.ts'
import { plainClients } from '../behaviour/plain-world.ts'
import { fresh } from '../behaviour/world.ts'

const LOCK_MS = 1000

let cluster: EmbeddedCluster
const world = plainClients(async () => (cluster = await EmbeddedCluster.start()))

async function setting(count: number): Promise<{ topic: string; group: string }> {
  const [topic, group] = [fresh('late'), fresh('late')]
  cluster.createTopic(topic, { partitions: 1 })
  const settings = {
    'share.auto.offset.reset': 'earliest',
    'share.assignment.interval.ms': '0',
    'share.heartbeat.interval.ms': '100',
    'share.record.lock.duration.ms': String(LOCK_MS),
  }
  const entries = Object.entries(settings).map(([name, value]) => ({ name, value, operation: 'set' as const }))
  await world.admin.incrementalAlterConfigs([{ type: 'group', name: group, entries }])
  for (let i = 0; i < count; i++) await world.producer.send({ topic, partition: 0, value: String(i) })
  return { topic, group }
}

interface Member {
  readonly consumer: ShareConsumer
  /** What was told of acknowledgements: `offset`, or `offset! code`. */
  readonly told: string[]
}

function member(t: TestContext, group: string, topic: string, config: Partial<ShareConsumerConfig> = {}): Member {
  const consumer = new ShareConsumer(
    { 'bootstrap.servers': cluster.bootstrapServers, 'group.id': group, 'fetch.wait.max.ms': 50, ...config },
    { logger: quiet },
  )
  t.after(() => consumer.close(2000))
  const told: string[] = []
  consumer.on('acknowledged', ({ offsets, error }: AcknowledgedEvent) => {
    for (const offset of offsets) told.push(error === undefined ? `${offset}` : `${offset}! ${error.code}`)
  })
  consumer.subscribe(topic)
  return { consumer, told }
}

const LOST = `0! ${ErrorCode.ERR_INVALID_RECORD_STATE}`

test('for await: whoever asks for the next after the lock is told that its message was not accepted', async t => {
  const { topic, group } = await setting(1)
  const { consumer, told } = member(t, group, topic)
  const seen: number[] = []
  for await (const { deliveryCount } of consumer) {
    seen.push(deliveryCount)
    if (deliveryCount === 2) break
    const ends = Date.now() + LOCK_MS * 1.5
    await until('its lock has ended', () => Date.now() > ends)
  }
  await consumer.commit()
  await until('both are told', () => told.length === 2)
  assert.deepEqual(
    [seen, told],
    [
      [1, 2],
      [LOST, '0'],
    ],
  )
})

test('run: a message whose session was lost under its handler is told of, and done by the one that gets it', async t => {
  const { topic, group } = await setting(1)
  const { consumer, told } = member(t, group, topic)
  const go = gate()
  const seen: number[] = []
  let isAborted = false
  const running = consumer.run({
    concurrency: 2,
    handler: async ({ deliveryCount }, { signal }) => {
      seen.push(deliveryCount)
      signal.addEventListener('abort', () => (isAborted = true))
      if (deliveryCount === 1) await go.opened
    },
  })
  await until('it is at work', () => seen.length === 1)
  for (const api of [ApiKey.ShareFetch, ApiKey.ShareAcknowledge]) {
    cluster.failNext(api, [ErrorCode.ERR_SHARE_SESSION_NOT_FOUND])
  }
  await until('the handler hears of it', () => isAborted)
  await until('it comes again', () => seen.length === 2)
  go.open()
  await until('both are told', () => told.length === 2)
  assert.deepEqual(
    [seen, told.sort()],
    [
      [1, 2],
      ['0', LOST],
    ],
  )
  await consumer.close()
  await running
})

test('what was said under a lock that has ended is not said of the next, of the same member either', async t => {
  const { topic, group } = await setting(1)
  const { consumer, told } = member(t, group, topic, { 'share.acknowledgement.mode': 'explicit' })
  const first = await consumer.poll(20_000)
  assert.ok(first?.type === 'message')
  // A fetch that is late keeps what is said from being told. What it brings may have lost its lock: that comes again.
  const go = gate()
  let isLate = false
  const end = cluster.control(async ({ apiName }) => {
    if (apiName !== 'ShareFetch' || isLate) return
    isLate = true
    await go.opened
  })
  t.after(end)
  const waits = consumer.poll(20_000)
  await until('a fetch is late', () => isLate)
  consumer.acknowledge(first.message, 'release')
  const ends = Date.now() + LOCK_MS * 1.5
  await until('its lock has ended', () => Date.now() > ends)
  go.open()
  const second = await waits
  assert.ok(second?.type === 'message')
  assert.deepEqual([second.message.offset, second.message.deliveryCount], [0, 3])
  await until('the first is told', () => told.length === 1)
  assert.deepEqual(told, [LOST])
  consumer.acknowledge(second.message, 'accept')
  assert.deepEqual(await consumer.commit(), [{ topic, partition: 0 }])
  assert.deepEqual(told, [LOST, '0'])
})

test('locks that the consumer renews by itself are nothing to be told of: neither of what waits, nor of what is at work', async t => {
  const { topic, group } = await setting(2)
  const { consumer, told } = member(t, group, topic)
  let renewals = 0
  const end = cluster.control(({ body }) => {
    if ((body as { isRenewAck?: boolean }).isRenewAck === true) renewals++
  })
  t.after(end)
  const first = await consumer.poll(20_000)
  assert.ok(first?.type === 'message')
  await until('the lock of the one that waits is renewed', () => renewals > 0)
  assert.equal(told.length, 0, told.join())
  assert.ok((await consumer.poll(20_000))?.type === 'message')
  await consumer.commit()
  assert.deepEqual(told.splice(0).sort(), ['0', '1'])
  renewals = 0
  const go = gate()
  const running = consumer.run({ concurrency: 2, handler: () => go.opened })
  await world.producer.send({ topic, partition: 0, value: '2' })
  await until('the lock of what is at work is renewed, and again', () => renewals > 2)
  assert.equal(told.length, 0, told.join())
  go.open()
  await until('it is told of', () => told.includes('2'))
  await consumer.close()
  await running
  assert.deepEqual(told, ['2'])
})

for (const way of ['unsubscribe', 'close'] as const) {
  test(`${way}: what was fetched ahead goes to the others without a word; of what the program has had, it is told`, async t => {
    const { topic, group } = await setting(5)
    const { consumer, told } = member(t, group, topic)
    const first = await consumer.poll(20_000)
    assert.ok(first?.type === 'message')
    await consumer.commit()
    await consumer[way]()
    const others = member(t, group, topic)
    const seen: number[] = []
    while (seen.length < 4) {
      const event = await others.consumer.poll(20_000)
      if (event?.type === 'message') seen.push(event.message.offset)
    }
    assert.deepEqual(seen, [1, 2, 3, 4])
    assert.deepEqual(told, ['0'])
  })
}
