/**
 * A broker that was stopped and started knows of each producer only the last batch: an older one that comes again is
 * answered as out of order, though it is in the log. It must not be written a second time.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Consumer, Producer } from 'ottla'
import { startKafka } from '../harness/kafka.ts'
import { createTopic } from '../harness/topics.ts'

const quiet = (): void => undefined

test('batches that a restarted broker no longer recognises are not written twice', async () => {
  const kafka = await startKafka({ brokers: 1, proxied: true })
  try {
    const [broker] = kafka.brokers
    assert.ok(broker !== undefined)
    await createTopic(kafka.plainBootstrapServers, 't', { numPartitions: 1, replicationFactor: 1 })
    await using producer = new Producer(
      {
        'bootstrap.servers': kafka.bootstrapServers,
        'enable.idempotence': true,
        'batch.num.messages': 1,
        'linger.ms': 0,
        'message.timeout.ms': 120_000,
        'reconnect.backoff.max.ms': 500,
      },
      { logger: quiet },
    )
    await producer.send({ topic: 't', value: '0' })
    broker.proxy.delay('answers', 600_000)
    const sent = [1, 2, 3, 4, 5].map(n => producer.send({ topic: 't', value: String(n) }))
    await using reader = new Consumer(
      { 'bootstrap.servers': kafka.plainBootstrapServers, 'group.id': 'g' },
      { logger: quiet },
    )
    for (let end = 0; end < 6;) end = (await reader.queryWatermarkOffsets('t', 0, 30_000)).high
    await broker.stop()
    broker.proxy.delay('answers', 0)
    broker.proxy.cutAll()
    await broker.restart()
    const reports = await Promise.all(sent)
    assert.deepEqual(
      reports.map(({ status }) => status),
      Array(5).fill('persisted'),
    )
    assert.equal((await reader.queryWatermarkOffsets('t', 0, 30_000)).high, 6)
  } finally {
    await kafka.close()
  }
})
