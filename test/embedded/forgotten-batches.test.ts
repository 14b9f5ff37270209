/** A broker that was stopped and started knows of each producer the last batch only; nothing is written twice for that. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EmbeddedCluster } from '@ottla/broker'
import { ErrorCode, Producer } from 'ottla'

const NUMBERS = Array.from({ length: 5 }, (_, i) => String(i + 1))
const quiet = (): void => undefined

for (const isTransactional of [false, true]) {
  test(`several batches in doubt over a restart are there once${isTransactional ? ', within a transaction' : ''}`, async () => {
    await using cluster = await EmbeddedCluster.start({ brokers: 1 })
    cluster.createTopic('t', { partitions: 1, replicationFactor: 1 })
    const config = isTransactional ? { 'transactional.id': 'x' } : { 'enable.idempotence': true }
    await using producer = new Producer(
      {
        'bootstrap.servers': cluster.bootstrapServers,
        'batch.num.messages': 1,
        'linger.ms': 0,
        'reconnect.backoff.max.ms': 100,
        // Longer than the restart takes.
        'retry.backoff.ms': 500,
        ...config,
      },
      { logger: quiet },
    )
    if (isTransactional) {
      await producer.initTransactions()
      producer.beginTransaction()
    }
    await producer.send({ topic: 't', value: '0' })
    // What is written from now on is in doubt.
    const PRODUCE = 0
    cluster.failNextOn(
      1,
      PRODUCE,
      NUMBERS.map(() => ({ code: ErrorCode.ERR_REQUEST_TIMED_OUT, carriedOut: true })),
    )
    const sent = NUMBERS.map(value => producer.send({ topic: 't', value }))
    const isWritten = async (): Promise<boolean> => (await producer.queryWatermarkOffsets('t', 0)).high === 6
    while (!(await isWritten()));
    await cluster.brokerDown(1)
    cluster.clearFaults()
    await cluster.brokerUp(1)
    for (const { status } of await Promise.all(sent)) assert.equal(status, 'persisted')
    if (isTransactional) await producer.commitTransaction()
    assert.deepEqual(
      cluster.messages('t').map(({ value }) => String(value)),
      ['0', ...NUMBERS],
    )
  })
}
