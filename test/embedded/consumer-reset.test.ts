/** Where a consumer begins that has nothing committed: `auto.offset.reset` by age (KIP-1106). */
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { EmbeddedCluster } from '@ottla/broker'
import { Consumer, Producer } from 'ottla'

const HOUR_MS = 60 * 60 * 1000
const WAIT_MS = 20_000
const quiet = (): void => undefined

test('a duration begins at the first message that is not older, and behind the last if all are', async () => {
  await using cluster = await EmbeddedCluster.start()
  const servers = { 'bootstrap.servers': cluster.bootstrapServers }
  cluster.createTopic('aged', { partitions: 2, replicationFactor: 1 })
  const now = Date.now()
  const producer = new Producer({ ...servers, 'linger.ms': 0 }, { logger: quiet })
  for (const hours of [5, 4, 3, 2, 1]) {
    const timestamp = now - hours * HOUR_MS
    await producer.send({ topic: 'aged', partition: 0, value: `${hours} h`, timestamp })
    await producer.send({ topic: 'aged', partition: 1, value: 'old', timestamp: now - 9 * HOUR_MS })
  }
  const consumer = new Consumer(
    { ...servers, 'group.id': 'aged', 'auto.offset.reset': 'by_duration:PT3H30M' },
    { logger: quiet },
  )
  consumer.subscribe('aged')
  const values: string[] = []
  while (values.length < 3) values.push(String((await consumer.readMessage(WAIT_MS)).value))
  assert.deepEqual(values, ['3 h', '2 h', '1 h'])
  while (consumer.position([{ topic: 'aged', partition: 1 }])[0]?.offset !== 5) await consumer.poll(20)
  await producer.send({ topic: 'aged', partition: 1, value: 'new' })
  assert.equal(String((await consumer.readMessage(WAIT_MS)).value), 'new')
  await Promise.all([consumer.close(), producer.close()])
})
