/** A registry that is down: what waits for it, and what does not. */
import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { test, type TestContext } from 'node:test'
import { AdminClient, Consumer, ErrorCode, Producer, type KafkaError, type Message } from 'ottla'
import { quiet, until } from '../behaviour/reading-ways.ts'
import { outage, type Thing } from './registry-outage.ts'

async function started(t: TestContext) {
  const made = await outage(t)
  const dead = new Producer(made.bootstrap)
  t.after(() => dead.close())
  return { ...made, consumer: made.consumerOf(), dead }
}

function running(consumer: Consumer<Buffer, Thing>, dead: Producer, more: { readonly concurrency?: number } = {}) {
  const ids: number[] = []
  consumer.subscribe('things')
  const run = consumer.run({
    handler: ({ value }) => void ids.push(value?.id ?? -1),
    deadLetter: { topic: 'dead', producer: dead },
    ...more,
  })
  return { ids, run }
}

for (const concurrency of [1, 4]) {
  test(`a run with ${concurrency} at once waits for the registry in the partitions that need it, and sends no dead letter`, async t => {
    const { cluster, registry, consumer, dead, write } = await started(t)
    const { ids, run } = running(consumer, dead, { concurrency })
    await until('the other partition goes on', () => ids.length === 2)
    assert.deepEqual(ids, [1, 3])
    await until('its health says so', () => consumer.health().status === 'degraded')
    const [reason] = consumer.health().reasons
    assert.equal(reason?.code, 'partition')
    assert.match(
      reason.message,
      /^things \[1\]: waits, and tries again: .*schema 2: the schema registry at .* cannot be reached/,
    )
    assert.equal(cluster.messages('dead').length, 0)
    await registry.start()
    await until('what has waited is processed', () => ids.length === 4)
    assert.deepEqual(ids, [1, 3, 2, 4])
    await write(1, 'B', 5)
    await until('what comes later is processed', () => ids.length === 5)
    assert.deepEqual(consumer.health(), { status: 'ok', reasons: [] })
    assert.equal(cluster.messages('dead').length, 0)
    await consumer.close()
    await run
  })
}

test('close returns while the registry is down, and what has waited comes again', async t => {
  const { bootstrap, registry, consumer, dead, reading } = await started(t)
  const { ids, run } = running(consumer, dead)
  await until('the other partition goes on', () => ids.length === 2)
  await until('one waits', () => consumer.health().status === 'degraded')
  await consumer.close()
  await run
  await using admin = new AdminClient(bootstrap)
  const offsets = await admin.listConsumerGroupOffsets('g', [
    { topic: 'things', partition: 0 },
    { topic: 'things', partition: 1 },
  ])
  assert.deepEqual(
    offsets.map(({ partition, offset }) => [partition, Math.max(0, offset)]),
    [
      [0, 2],
      [1, 0],
    ],
  )
  await registry.start()
  const next = new Consumer<Buffer, Thing>(
    { ...bootstrap, 'group.id': 'g', 'auto.offset.reset': 'earliest' },
    { value: reading.avro<Thing>(), logger: quiet },
  )
  t.after(() => next.close(1000))
  const again = running(next, dead)
  await until('it comes again', () => again.ids.length === 2)
  assert.deepEqual(again.ids, [2, 4])
  await next.close()
  await again.run
})

test('a message that cannot be read is a dead letter that names its schema, with its bytes', async t => {
  const { cluster, bootstrap, registry, consumer, dead } = await started(t)
  await registry.start()
  const wrong = Buffer.from([0, 0, 0, 0, 1, 0xff])
  await using raw = new Producer(bootstrap)
  await raw.send({ topic: 'things', partition: 0, value: wrong })
  await raw.send({ topic: 'things', partition: 0, value: Buffer.from([0, 0, 0, 0, 99, 2]) })
  const { ids, run } = running(consumer, dead)
  await until('both are dead letters', () => cluster.messages('dead').length === 2)
  await until('the others are processed', () => ids.length === 4)
  const [first, second] = cluster.messages('dead').map(({ value, headers }) => ({
    value,
    told: headers.map(header => String(header.value)).join(' '),
  }))
  assert.deepEqual(first?.value, wrong)
  assert.match(first.told, /schema 1: /)
  assert.match(second?.told ?? '', /schema 99: .*status 404/)
  await consumer.close()
  await run
})

test('its error has the raw message, which is not printed', async t => {
  const { bootstrap, registry, reading } = await started(t)
  await registry.start()
  await using raw = new Producer(bootstrap)
  const secret = Buffer.concat([Buffer.from([0, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0xff]), Buffer.from('secret')])
  await raw.send({ topic: 'others', partition: 0, value: secret })
  const consumer = new Consumer<Buffer, Thing>(
    { ...bootstrap, 'group.id': 'other', 'auto.offset.reset': 'earliest' },
    { value: reading.avro<Thing>(), logger: quiet },
  )
  t.after(() => consumer.close(1000))
  consumer.subscribe('others')
  await assert.rejects(consumer.readMessage(20_000), (error: KafkaError & { rawMessage?: Message }) => {
    assert.equal(error.code, ErrorCode.ERR__VALUE_DESERIALIZATION)
    assert.match(error.message, /the value of others \[0\] at offset 0 cannot be deserialized: schema 1: /)
    assert.deepEqual(error.rawMessage?.value, secret)
    assert.ok(!Object.keys(error).includes('rawMessage'))
    assert.doesNotMatch(inspect(error), /secret/)
    return true
  })
})
