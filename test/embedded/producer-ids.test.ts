/** Producer ids of every size: all 64 bits count, since another id is another producer. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { AdminClient, Consumer, ErrorCode, KafkaError, Producer, ShareConsumer } from 'ottla'
import { EmbeddedCluster } from '@ottla/broker'
import { finished } from './cli-terminal.ts'

const quiet = (): void => undefined
// A group without members, in which any producer may commit.
const nobody = { groupId: 'g', generationId: -1, memberId: '' }
const random = BigInt.asUintN(63, randomBytes(8).readBigUInt64BE())
// The last two differ by what a number loses.
const sizes: readonly bigint[] = [
  0n,
  2n ** 31n,
  2n ** 32n,
  2n ** 32n + 2n ** 31n,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 53n + 1n,
  2n ** 62n,
  random,
  2n ** 63n - 64n,
]

// Each id and the ones after it; what follows the last int64 is not needed here.
function idsFrom(first: bigint): () => bigint {
  let next = first
  return () => next++
}

// Everything there is.
async function committed(cluster: EmbeddedCluster, topic: string): Promise<string[]> {
  const consumer = new Consumer(
    {
      'bootstrap.servers': cluster.bootstrapServers,
      'isolation.level': 'read_committed',
      'enable.partition.eof': true,
    },
    { logger: quiet },
  )
  try {
    await consumer.assign([{ topic, partition: 0, offset: 0 }])
    const values: string[] = []
    for (;;) {
      const event = await consumer.poll(10_000)
      assert.ok(event, `the end of ${topic} came, behind ${values.join(' ')}`)
      if (event.type === 'partition-eof') return values
      if (event.type === 'message') values.push(String(event.message.value))
    }
  } finally {
    await consumer.close()
  }
}

for (const first of sizes) {
  describe(`producers with ids from ${first} on`, () => {
    test('are idempotent, and each is known by its own id', async () => {
      await using cluster = await EmbeddedCluster.start({ brokers: 1, producerIds: idsFrom(first) })
      const config = { 'bootstrap.servers': cluster.bootstrapServers, 'enable.idempotence': true }
      const admin = new AdminClient(config, { logger: quiet })
      const producers = Array.from({ length: 3 }, () => new Producer(config, { logger: quiet }))
      try {
        await admin.createTopics([{ topic: 't', numPartitions: 1 }])
        for (const [i, producer] of producers.entries()) {
          for (let k = 0; k < 3; k++) {
            const report = await producer.send({ topic: 't', partition: 0, value: `${i}.${k}` })
            assert.equal(report.offset, i * 3 + k)
          }
        }
        const [found] = await admin.describeProducers([{ topic: 't', partition: 0 }])
        assert.deepEqual(
          found?.producers.map(p => [p.producerId, p.lastSequence]),
          [first, first + 1n, first + 2n].map(id => [id, 2]),
        )
        const listed = await finished(['admin', 'transactions', 'producers', 't:0', '-b', cluster.bootstrapServers])
        for (const id of [first, first + 1n, first + 2n]) assert.ok(listed.out.includes(` ${id} `), listed.out)
      } finally {
        await Promise.all(producers.map(producer => producer.close()))
        await admin.close()
      }
    })

    test('commit and abort, each its own transactions', async () => {
      await using cluster = await EmbeddedCluster.start({ brokers: 1, producerIds: idsFrom(first) })
      const config = { 'bootstrap.servers': cluster.bootstrapServers }
      const admin = new AdminClient(config, { logger: quiet })
      const producers = ['a', 'b', 'c'].map(
        id => new Producer({ ...config, 'transactional.id': id }, { logger: quiet }),
      )
      try {
        await admin.createTopics([{ topic: 't', numPartitions: 1 }])
        // One after the other, so that each gets the id that is due.
        for (const producer of producers) await producer.initTransactions()
        for (let round = 0; round < 2; round++) {
          for (const producer of producers) producer.beginTransaction()
          for (const [i, producer] of producers.entries()) {
            await producer.send({ topic: 't', partition: 0, value: `${i}.${round}` })
          }
          const open = await admin.listTransactions({ producerIds: [first + 1n] })
          assert.deepEqual(
            open.transactions.map(t => [t.transactionalId, t.producerId]),
            [['b', first + 1n]],
          )
          const described = await admin.describeTransactions(['a', 'b', 'c'])
          assert.deepEqual(
            described.map(d => d.producerId),
            [first, first + 1n, first + 2n],
          )
          // Neighbours, which one number may stand for, end differently.
          const [a, b, c] = producers
          if (round === 0) await a?.commitTransaction()
          else await a?.abortTransaction()
          await b?.abortTransaction()
          await c?.commitTransaction()
        }
        assert.deepEqual(await committed(cluster, 't'), ['0.0', '2.0', '2.1'])
        const json = await finished([
          'admin',
          'transactions',
          'describe',
          'a',
          '--json',
          '-b',
          cluster.bootstrapServers,
        ])
        assert.equal((JSON.parse(json.out) as { producerId: string }[])[0]?.producerId, String(first))
      } finally {
        await Promise.all(producers.map(producer => producer.close()))
        await admin.close()
      }
    })

    test('send offsets in transactions, and are fenced by a newer instance', async () => {
      await using cluster = await EmbeddedCluster.start({ brokers: 1, producerIds: idsFrom(first) })
      const config = { 'bootstrap.servers': cluster.bootstrapServers }
      const admin = new AdminClient(config, { logger: quiet })
      const older = new Producer({ ...config, 'transactional.id': 'x' }, { logger: quiet })
      const newer = new Producer({ ...config, 'transactional.id': 'x' }, { logger: quiet })
      try {
        await admin.createTopics([{ topic: 't', numPartitions: 1 }])
        await older.initTransactions()
        older.beginTransaction()
        await older.send({ topic: 't', partition: 0, value: 'older' })
        await newer.initTransactions()
        newer.beginTransaction()
        await newer.send({ topic: 't', partition: 0, value: 'newer' })
        const offsets = [{ topic: 't', partition: 0, offset: 4 }]
        await newer.sendOffsetsToTransaction(offsets, nobody)
        await assert.rejects(older.commitTransaction(), error => {
          assert.ok(error instanceof KafkaError)
          return error.isFatal && error.code === ErrorCode.ERR__FENCED
        })
        await newer.commitTransaction()
        assert.deepEqual(await committed(cluster, 't'), ['newer'])
        const [stored] = await admin.listConsumerGroupOffsets('g')
        assert.equal(stored?.offset, 4)
      } finally {
        await Promise.all([older.close(), newer.close()])
        await admin.close()
      }
    })

    test('are told apart by share groups that read committed messages', async () => {
      await using cluster = await EmbeddedCluster.start({ brokers: 1, producerIds: idsFrom(first) })
      const config = { 'bootstrap.servers': cluster.bootstrapServers }
      const admin = new AdminClient(config, { logger: quiet })
      const producers = ['a', 'b'].map(id => new Producer({ ...config, 'transactional.id': id }, { logger: quiet }))
      const consumer = new ShareConsumer({ ...config, 'group.id': 's' }, { logger: quiet })
      try {
        await admin.createTopics([{ topic: 't', numPartitions: 1 }])
        const settings = { 'share.auto.offset.reset': 'earliest', 'share.isolation.level': 'read_committed' }
        await admin.incrementalAlterConfigs([
          {
            type: 'group',
            name: 's',
            entries: Object.entries(settings).map(([name, value]) => ({ name, value, operation: 'set' as const })),
          },
        ])
        for (const producer of producers) {
          await producer.initTransactions()
          producer.beginTransaction()
        }
        for (const [i, producer] of producers.entries())
          await producer.send({ topic: 't', partition: 0, value: `${i}` })
        await producers[0]?.abortTransaction()
        await producers[1]?.commitTransaction()
        consumer.subscribe('t')
        let event = await consumer.poll(10_000)
        while (event !== null && event.type !== 'message') event = await consumer.poll(10_000)
        assert.equal(String(event?.message.value), '1')
      } finally {
        await consumer.close()
        await Promise.all(producers.map(producer => producer.close()))
        await admin.close()
      }
    })

    test('go on after a restart of the cluster, from what was kept in files', async () => {
      const dataDir = mkdtempSync(join(tmpdir(), 'ottla-ids-'))
      const producerIds = idsFrom(first)
      try {
        {
          await using cluster = await EmbeddedCluster.start({ brokers: 1, producerIds, dataDir })
          const config = { 'bootstrap.servers': cluster.bootstrapServers, 'transactional.id': 'x' }
          const producer = new Producer(config, { logger: quiet })
          try {
            await producer.initTransactions()
            producer.beginTransaction()
            await producer.send({ topic: 't', partition: 0, value: 'open' })
            await producer.sendOffsetsToTransaction([{ topic: 't', partition: 0, offset: 7 }], nobody)
            await cluster.close()
          } finally {
            producer.purge()
            await producer.close({ timeoutMs: 0 }).catch(quiet)
          }
        }
        await using cluster = await EmbeddedCluster.start({ brokers: 1, producerIds, dataDir })
        const config = { 'bootstrap.servers': cluster.bootstrapServers }
        const admin = new AdminClient(config, { logger: quiet })
        const producer = new Producer({ ...config, 'transactional.id': 'x' }, { logger: quiet })
        try {
          const [before] = await admin.describeTransactions(['x'])
          assert.deepEqual([before?.producerId, before?.state], [first, 'Ongoing'])
          await producer.initTransactions()
          producer.beginTransaction()
          await producer.send({ topic: 't', partition: 0, value: 'after' })
          await producer.commitTransaction()
          assert.deepEqual(await committed(cluster, 't'), ['after'])
          assert.equal((await admin.describeTransactions(['x']))[0]?.producerId, first)
        } finally {
          await producer.close()
          await admin.close()
        }
      } finally {
        rmSync(dataDir, { recursive: true })
      }
    })
  })
}

test('random ids are positive, differ, and need more than a number holds', async () => {
  await using cluster = await EmbeddedCluster.start({ brokers: 1, producerIds: 'random', seed: 7 })
  const config = { 'bootstrap.servers': cluster.bootstrapServers }
  const admin = new AdminClient(config, { logger: quiet })
  const producers = Array.from(
    { length: 8 },
    (_, i) => new Producer({ ...config, 'transactional.id': `${i}` }, { logger: quiet }),
  )
  try {
    await Promise.all(producers.map(producer => producer.initTransactions()))
    const ids = (await admin.describeTransactions(producers.map((_, i) => `${i}`))).map(d => d.producerId)
    assert.equal(new Set(ids).size, ids.length)
    assert.ok(ids.every(id => id > 0n && id < 2n ** 63n))
    assert.ok(ids.some(id => id > 2n ** 53n))
  } finally {
    await Promise.all(producers.map(producer => producer.close()))
    await admin.close()
  }
})

test('an id that a number cannot hold is refused as one, and taken as a bigint', async () => {
  const admin = new AdminClient({ 'bootstrap.servers': '127.0.0.1:1' }, { logger: quiet })
  try {
    for (const id of [2 ** 53, -1, 1.5, -1n, 2n ** 63n]) {
      await assert.rejects(
        admin.listTransactions({ producerIds: [id] }),
        /producerIds\[0\] must be a bigint or an integer/,
      )
    }
  } finally {
    await admin.close()
  }
})
