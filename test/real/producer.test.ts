import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { ErrorCode, Producer, type KafkaError, type DeliveryReport, type ProducerConfig } from 'ottla'
import { fresh } from '../behaviour/world.ts'
import { startKafka, type KafkaCluster } from '../harness/kafka.ts'
import { sharedKafka } from '../harness/shared.ts'
import { createTopic } from '../harness/topics.ts'

const quiet = (): void => undefined

for (const which of ['single', 'old'] as const) {
  test(`produces to a real broker with every codec and each acks (${which})`, async () => {
    await using kafka = await sharedKafka(which)
    const topic = fresh('produce')
    let offset = 0
    for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
      for (const acks of ['all', 1, 0] as const) {
        await using producer = new Producer(
          { 'bootstrap.servers': kafka.bootstrapServers, 'compression.type': codec, acks },
          { logger: quiet },
        )
        const messages = Array.from({ length: 50 }, (_, i) => ({
          topic,
          partition: 0,
          value: `${codec} ${i} `.repeat(50),
        }))
        const reports = await producer.sendBatch(messages)
        for (const report of reports) {
          assert.equal(report.error, undefined)
          assert.equal(report.status, acks === 0 ? 'possibly-persisted' : 'persisted')
          assert.equal(report.offset, acks === 0 ? -1 : offset)
          offset++
        }
        // With acks=0 the broker may still be at it.
        while ((await producer.queryWatermarkOffsets(topic, 0)).high < offset) await pause(5)
      }
    }
  })
}

test('a topic with LogAppendTime has its own times reported, and a message over its limit refused', async () => {
  await using kafka = await sharedKafka('single')
  const topic = fresh('limits')
  const config = { 'message.timestamp.type': 'LogAppendTime', 'max.message.bytes': '1000' }
  await createTopic(kafka.bootstrapServers, topic, { config })
  await using producer = new Producer({ 'bootstrap.servers': kafka.bootstrapServers }, { logger: quiet })
  const before = Date.now()
  const report = await producer.send({ topic, value: 'a', timestamp: 5 })
  assert.ok(report.timestamp >= before)
  // Too large together, small enough for themselves: divided until they fit.
  const reports = await producer.sendBatch(
    Array.from({ length: 40 }, (_, i) => ({ topic, value: String(i).repeat(100) })),
  )
  assert.deepEqual(
    reports.map(r => r.error?.name ?? r.offset),
    Array.from({ length: 40 }, (_, i) => i + 1),
  )
  await assert.rejects(producer.send({ topic, value: 'x'.repeat(2000) }), (error: KafkaError) => {
    assert.equal(error.code, ErrorCode.ERR_MSG_SIZE_TOO_LARGE)
    return true
  })
})

test('of a batch with a record that a compacted topic refuses, the others are told so (KIP-467)', async () => {
  await using kafka = await sharedKafka('single')
  const topic = fresh('compacted')
  await createTopic(kafka.bootstrapServers, topic, { config: { 'cleanup.policy': 'compact' } })
  await using producer = new Producer({ 'bootstrap.servers': kafka.bootstrapServers }, { logger: quiet })
  const reports = await producer.sendBatch([
    { topic, key: 'a', value: '1' },
    { topic, value: 'no key' },
    { topic, key: 'b', value: '2' },
  ])
  assert.deepEqual(
    reports.map(r => r.error?.name),
    ['ERR__INVALID_DIFFERENT_RECORD', 'ERR_INVALID_RECORD', 'ERR__INVALID_DIFFERENT_RECORD'],
  )
  assert.match(reports[1]?.error?.message ?? '', /key/i)
})

test('an idempotent producer goes on under its next epoch after a message has been refused', async () => {
  await using kafka = await sharedKafka('single')
  const topic = fresh('epochs')
  await createTopic(kafka.bootstrapServers, topic, { config: { 'cleanup.policy': 'compact' } })
  await using producer = new Producer(
    { 'bootstrap.servers': kafka.bootstrapServers, 'enable.idempotence': true, 'batch.num.messages': 1 },
    { logger: quiet },
  )
  const messages = Array.from({ length: 60 }, (_, i) => ({
    topic,
    value: String(i),
    ...(i % 10 === 3 ? {} : { key: 'k' }),
  }))
  const reports = await producer.sendBatch(messages)
  const delivered = reports.filter(r => r.error === undefined)
  assert.deepEqual(
    reports.filter(r => r.error !== undefined).map(r => [r.value, r.error?.name]),
    [3, 13, 23, 33, 43, 53].map(i => [String(i), 'ERR_INVALID_RECORD']),
  )
  assert.deepEqual(
    delivered.map(r => r.offset),
    delivered.map((_, i) => i),
  )
  assert.equal((await producer.queryWatermarkOffsets(topic, 0)).high, 54)
})

/** Produces for as long as `trouble` goes on, and a little longer. */
async function produceThrough(
  kafka: KafkaCluster,
  config: Partial<ProducerConfig>,
  trouble: () => Promise<void>,
): Promise<{ reports: DeliveryReport[]; topic: string; producer: Producer }> {
  const topic = fresh('chaos')
  const options = { numPartitions: 6, replicationFactor: 3, config: { 'min.insync.replicas': '2' } }
  await createTopic(kafka.plainBootstrapServers, topic, options)
  const settings = { 'bootstrap.servers': kafka.plainBootstrapServers, 'socket.timeout.ms': 6000, ...config }
  const producer = new Producer(settings, { logger: quiet })
  const reports: DeliveryReport[] = []
  const over = new AbortController()
  let produced = 0
  const producing = (async () => {
    while (!over.signal.aborted) {
      for (let i = 0; i < 30; i++) {
        const partition = produced % 6
        const value = String(Math.floor(produced++ / 6))
        producer.produce({ topic, partition, value }, report => reports.push(report))
      }
      await pause(5)
    }
  })()
  await trouble()
  over.abort()
  await producing
  assert.equal(await producer.flush(60_000), 0)
  assert.equal(reports.length, produced, 'one report for each message')
  return { reports, topic, producer }
}

test('brokers killed, paused and restarted: one report for each message, nothing persisted is lost, idempotent ones are there once and in order', async () => {
  const kafka = await startKafka({ brokers: 3 })
  try {
    const [first, second, third] = kafka.brokers
    assert.ok(first && second && third)
    const trouble = async (): Promise<void> => {
      await pause(500)
      await first.kill9()
      await pause(1500)
      await first.restart()
      second.pause()
      await pause(5000)
      second.resume()
      await pause(1000)
      await third.stop()
      await pause(500)
      await third.restart()
      await pause(500)
    }
    const [plain, exact] = await Promise.all([
      produceThrough(kafka, { 'client.id': 'plain' }, trouble),
      produceThrough(kafka, { 'client.id': 'exact', 'enable.idempotence': true }, () => pause(12_000)),
    ])
    for (const { reports, topic, producer } of [plain, exact]) {
      for (const { error } of reports) assert.equal(error?.message, undefined)
      for (let partition = 0; partition < 6; partition++) {
        const mine = reports.filter(r => r.partition === partition)
        const { high } = await producer.queryWatermarkOffsets(topic, partition)
        assert.ok(high >= mine.length, `${topic} [${partition}]: ${high} records for ${mine.length} reports`)
        if (producer !== exact.producer) continue
        assert.equal(high, mine.length, 'no duplicates')
        for (const report of mine) if (report.offset >= 0) assert.equal(report.offset, Number(report.value), 'in order')
      }
      await producer.close()
    }
  } finally {
    await kafka.close()
  }
})
