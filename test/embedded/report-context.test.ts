/** In which AsyncLocalStorage context a program's functions run. */
import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { test } from 'node:test'
import { EmbeddedCluster } from '@ottla/broker'
import { Producer, type DeliveryReport } from 'ottla'

const quiet = (): void => undefined

async function withProducer(work: (producer: Producer, cluster: EmbeddedCluster) => Promise<void>): Promise<void> {
  await using cluster = await EmbeddedCluster.start()
  cluster.createTopic('t', { partitions: 1, replicationFactor: 1 })
  await using producer = new Producer({ 'bootstrap.servers': cluster.bootstrapServers }, { logger: quiet })
  await work(producer, cluster)
}

test('a report is called in the context of its produce, the first storage of the process included', () =>
  withProducer(async producer => {
    const seen: unknown[] = []
    const storage = new AsyncLocalStorage<number>()
    const report = ({ opaque }: DeliveryReport): void => void seen.push([opaque, storage.getStore()])
    // One callback and one turn for all of them, before and after there is a context.
    producer.produce({ topic: 't', value: 'x', opaque: 0 }, report)
    for (const n of [1, 2]) {
      storage.run(n, () => {
        producer.produce({ topic: 't', value: 'x', opaque: n }, report)
      })
    }
    producer.produce({ topic: 't', value: 'x', opaque: 3 }, report)
    await storage.run(4, async () => {
      await new Promise(resolve => setImmediate(resolve))
      producer.produce({ topic: 't', value: 'x', opaque: 4 }, report)
    })
    await producer.flush()
    assert.deepEqual(seen, [
      [0, undefined],
      [1, 1],
      [2, 2],
      [3, undefined],
      [4, 4],
    ])
  }))

test('failed and purged messages are reported in their context, too, and so is what is awaited', () =>
  withProducer(async (producer, cluster) => {
    const storage = new AsyncLocalStorage<string>()
    const seen: unknown[] = []
    cluster.failPartition('t', 0, 0, [29])
    storage.run('failed', () => {
      producer.produce({ topic: 't', value: 'x' }, ({ error }) => seen.push([error?.name, storage.getStore()]))
    })
    await producer.flush()
    storage.run('purged', () => {
      producer.produce({ topic: 't', value: 'x' }, ({ error }) => seen.push([error?.name, storage.getStore()]))
    })
    producer.purge()
    await storage.run('sent', async () => {
      await producer.send({ topic: 't', value: 'x' })
      seen.push(storage.getStore())
    })
    await storage.run('batch', async () => {
      await producer.sendBatch([{ topic: 't', value: 'x' }])
      seen.push(storage.getStore())
    })
    assert.deepEqual(seen, [
      ['ERR_TOPIC_AUTHORIZATION_FAILED', 'failed'],
      ['ERR__PURGE_QUEUE', 'purged'],
      'sent',
      'batch',
    ])
  }))
