/** A deserializer that cannot do its work now, in every way to read: its partition waits, others go on, nothing is lost. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AdminClient, Consumer, ErrorCode, Producer, ShareConsumer, type Deserializer } from 'ottla'
import { EmbeddedCluster } from '@ottla/broker'
import { quiet, until, ways } from '../behaviour/reading-ways.ts'
import { outage, type Thing } from './registry-outage.ts'

const partitions = [0, 1].map(partition => ({ topic: 'things', partition }))
const waiting = /^things \[1\]: waits, and tries again: .*schema 2: the schema registry at .* cannot be reached/

for (const protocol of ['classic', 'consumer'] as const) {
  for (const [way, read] of Object.entries(ways)) {
    test(`${way} (${protocol}): what needs a schema waits for a registry that is down, and the rest goes on`, async t => {
      const { bootstrap, registry, consumerOf, write } = await outage(t)
      const consumer = consumerOf({ 'group.protocol': protocol, 'auto.commit.interval.ms': 50 })
      const ids: number[] = []
      consumer.subscribe('things')
      const reading = read(consumer as unknown as Consumer, ({ value }) => {
        ids.push((value as unknown as Thing).id)
      })
      await until('the other partition goes on', () => ids.length === 2)
      await until('its health says so', () => consumer.health().status === 'degraded')
      assert.match(consumer.health().reasons[0]?.message ?? '', waiting)
      await write(0, 'A', 5).catch(() => undefined)
      await registry.start()
      await until('what has waited comes', () => ids.length >= 4)
      await write(1, 'B', 6)
      await until('what comes later, too', () => ids.includes(6))
      assert.deepEqual(
        ids.filter(id => id % 2 === 0),
        [2, 4, 6],
      )
      assert.deepEqual(consumer.health(), { status: 'ok', reasons: [] })
      await consumer.close()
      await reading
      assert.equal(new Set(ids).size, ids.length)
      await using admin = new AdminClient(bootstrap)
      const offsets = await admin.listConsumerGroupOffsets('g', partitions)
      assert.equal(offsets.find(({ partition }) => partition === 1)?.offset, 3)
    })
  }
}

for (const [way, read] of Object.entries(ways)) {
  test(`${way}: close returns while the registry is down, and what has waited is not committed`, async t => {
    const { bootstrap, consumerOf } = await outage(t)
    const consumer = consumerOf({ 'auto.commit.interval.ms': 50 })
    const ids: number[] = []
    consumer.subscribe('things')
    const reading = read(consumer as unknown as Consumer, ({ value }) => {
      ids.push((value as unknown as Thing).id)
    })
    await until('one waits', () => ids.length === 2 && consumer.health().status === 'degraded')
    await consumer.close()
    await reading
    assert.deepEqual(ids, [1, 3])
    await using admin = new AdminClient(bootstrap)
    const offsets = await admin.listConsumerGroupOffsets('g', partitions)
    assert.ok((offsets.find(({ partition }) => partition === 1)?.offset ?? 0) <= 0)
  })

  for (const kind of ['throws', 'rejects'] as const) {
    test(`${way}: each message comes once and in order if its deserializer ${kind} for now`, async t => {
      await using cluster = await EmbeddedCluster.start()
      const topic = 'numbers'
      cluster.createTopic(topic, { partitions: 2 })
      const bootstrap = { 'bootstrap.servers': cluster.bootstrapServers } as const
      await using producer = new Producer(bootstrap)
      const messages = Array.from({ length: 40 }, (_, i) => ({ topic, partition: i % 2, value: String(i) }))
      await producer.sendBatch(messages)
      const failed = new Set<string>()
      const value: Deserializer<number> = data => {
        const text = data.toString()
        if (/^(0|17|18|39)$/.test(text) && !failed.has(text)) {
          failed.add(text)
          const error = Object.assign(new Error('not now'), { isRetriable: true })
          if (kind === 'throws') throw error
          return Promise.reject(error)
        }
        return kind === 'throws' ? Number(text) : Promise.resolve(Number(text))
      }
      const config = { ...bootstrap, 'group.id': 'g', 'auto.offset.reset': 'earliest' } as const
      const consumer = new Consumer<Buffer, number>(config, { value, logger: quiet })
      t.after(() => consumer.close(1000))
      consumer.subscribe(topic)
      const read1: number[] = []
      const reading = read(consumer as unknown as Consumer, message => {
        read1.push(message.value as unknown as number)
      })
      await until('all have come', () => read1.length >= 40)
      await consumer.close()
      await reading
      for (const odd of [0, 1]) {
        const expected = Array.from({ length: 20 }, (_, i) => 2 * i + odd)
        assert.deepEqual(
          read1.filter(each => each % 2 === odd),
          expected,
        )
      }
      assert.equal(failed.size, 4)
    })
  }
}

test('readMessage says at its limit what it has waited for', async t => {
  const { consumerOf } = await outage(t)
  const consumer = consumerOf()
  await consumer.assign([{ topic: 'things', partition: 1, offset: 0 }])
  await assert.rejects(consumer.readMessage(1500), {
    code: ErrorCode.ERR__TIMED_OUT,
    message: /no message within 1500 ms; last error: .*schema 2: the schema registry at .* cannot be reached/,
  })
})

test('a seek ends the wait', async t => {
  const { registry, consumerOf, write } = await outage(t)
  await registry.start()
  await write(1, 'A', 7)
  await registry.stop()
  const consumer = consumerOf()
  await consumer.assign([{ topic: 'things', partition: 1, offset: 0 }])
  assert.equal(await consumer.poll(1000), null)
  await consumer.seek([{ topic: 'things', partition: 1, offset: 2 }])
  assert.equal((await consumer.readMessage(20_000)).value?.id, 7)
  assert.deepEqual(consumer.health(), { status: 'ok', reasons: [] })
})

type Read = (consumer: ShareConsumer<Buffer, Thing>, take: (id: number, deliveries: number) => void) => Promise<void>

const shareWays: Readonly<Record<string, Read>> = {
  poll: async (consumer, take) => {
    while (!consumer.closed) {
      const event = await consumer.poll(500).catch(() => null)
      if (event?.type === 'message') take(event.message.value?.id ?? -1, event.message.deliveryCount)
    }
  },
  'for await': async (consumer, take) => {
    for await (const { value, deliveryCount } of consumer) take(value?.id ?? -1, deliveryCount)
  },
  run: (consumer, take) =>
    consumer.run({ concurrency: 1, handler: ({ value, deliveryCount }) => take(value?.id ?? -1, deliveryCount) }),
}

// The third one's handler returns what `push` does: no outcome.
for (const [way, read] of Object.entries(shareWays)) {
  test(`a share consumer's ${way}: what needs a schema keeps its lock while the registry is down`, async t => {
    const { bootstrap, registry, reading: schemas } = await outage(t)
    await using admin = new AdminClient(bootstrap)
    const entries = [{ name: 'share.auto.offset.reset', value: 'earliest', operation: 'set' }] as const
    await admin.incrementalAlterConfigs([{ type: 'group', name: 's', entries }])
    const things = schemas.avro<Thing>()
    let failures = 0
    const value: Deserializer<Thing> = async (data, context) => {
      try {
        return await things.deserialize(data, context)
      } catch (error) {
        failures++
        throw error
      }
    }
    const consumer = new ShareConsumer<Buffer, Thing>({ ...bootstrap, 'group.id': 's' }, { value, logger: quiet })
    t.after(() => consumer.close(1000))
    const taken: [id: number, deliveries: number][] = []
    consumer.subscribe('things')
    const reading = read(consumer, (id, deliveries) => taken.push([id, deliveries]))
    await until('those that can be read come', () => taken.length === 2)
    await until('the others are tried several times', () => failures >= 6)
    assert.deepEqual(
      taken.map(([id]) => id),
      [1, 3],
    )
    await registry.start()
    await until('the others come', () => taken.length === 4)
    await consumer.close()
    await reading
    assert.deepEqual(
      taken.toSorted(([a], [b]) => a - b),
      [1, 2, 3, 4].map(id => [id, 1]),
    )
  })
}
