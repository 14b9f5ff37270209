/** A consumer from whose group there is no way back says so as often as it is asked, in every way of reading. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { EmbeddedCluster } from '@ottla/broker'
import { Consumer, ErrorCode, KafkaError, ShareConsumer, type ConsumerConfig } from 'ottla'
import { fresh } from '../behaviour/world.ts'
import { closing } from '../harness/closing.ts'

const quiet = { logger: (): void => undefined }
const HEARTBEAT = 12
const CONSUMER_HEARTBEAT = 68
const SHARE_HEARTBEAT = 76

type Way = (consumer: Consumer) => Promise<unknown>

const ways: Record<string, Way> = {
  readMessage: consumer => consumer.readMessage(),
  'for await': async consumer => {
    for await (const message of consumer) assert.fail(`there is no message ${message.offset}`)
  },
  batches: async consumer => {
    for await (const batch of consumer.batches()) assert.fail(`there is no batch of ${batch.length}`)
  },
  run: consumer => consumer.run({ handler: () => assert.fail('there is no message') }),
  partitions: async consumer => {
    for await (const { partition } of consumer.partitions()) assert.equal(partition, 0)
  },
}

const protocols: Record<string, { api: number; code: number; config: Partial<ConsumerConfig> }> = {
  classic: {
    api: HEARTBEAT,
    code: ErrorCode.ERR_FENCED_INSTANCE_ID,
    config: { 'heartbeat.interval.ms': 50, 'session.timeout.ms': 6000, 'group.instance.id': 'one' },
  },
  consumer: {
    api: CONSUMER_HEARTBEAT,
    code: ErrorCode.ERR_FENCED_INSTANCE_ID,
    config: { 'group.protocol': 'consumer', 'group.instance.id': 'one' },
  },
}

let cluster: EmbeddedCluster

before(async () => {
  cluster = await EmbeddedCluster.start()
})

after(() => cluster.close())

for (const [protocol, { api, code, config }] of Object.entries(protocols)) {
  for (const [name, read] of Object.entries(ways)) {
    test(`${protocol}: ${name} fails again with the same fatal error`, async () => {
      const topic = fresh('fatal')
      cluster.createTopic(topic, { partitions: 1 })
      const consumer = closing(
        new Consumer({ 'bootstrap.servers': cluster.bootstrapServers, 'group.id': topic, ...config }, quiet),
      )
      consumer.subscribe([topic])
      cluster.failNext(api, Array<number>(20).fill(code))
      const fails = async (): Promise<void> => {
        await assert.rejects(read(consumer), (error: unknown) => {
          assert.ok(error instanceof KafkaError)
          assert.equal(error.code, code)
          assert.equal(error.isFatal, true)
          return true
        })
      }
      await fails()
      await fails()
      cluster.clearFaults()
      await fails()
      const [why, ...more] = consumer.explain()
      assert.match(why ?? '', /^The consumer has failed for good: .*\(ERR_FENCED_INSTANCE_ID\)\. Close it/)
      assert.deepEqual(more, [])
      assert.throws(() => consumer.subscribe([topic]), { code: ErrorCode.ERR__FATAL, isFatal: true })
      await assert.rejects(consumer.assign([{ topic, partition: 0, offset: 0 }]), { code: ErrorCode.ERR__FATAL })
      await consumer.close()
    })
  }

  test(`${protocol}: poll gives the fatal error once, and what is asked for afterwards fails with it`, async () => {
    const topic = fresh('fatal')
    cluster.createTopic(topic, { partitions: 1 })
    const consumer = closing(
      new Consumer({ 'bootstrap.servers': cluster.bootstrapServers, 'group.id': topic, ...config }, quiet),
    )
    consumer.subscribe([topic])
    cluster.failNext(api, Array<number>(20).fill(code))
    for (;;) {
      const event = await consumer.poll()
      if (event?.type !== 'error' || !event.error.isFatal) continue
      assert.equal(event.error.code, code)
      break
    }
    cluster.clearFaults()
    // The loss of the partitions, and then nothing.
    for (let event = await consumer.poll(10); event !== null; event = await consumer.poll(10)) {
      assert.equal(event.type, 'rebalance')
    }
    await assert.rejects(consumer.readMessage(), { code, isFatal: true })
    await consumer.close()
  })
}

test('share groups: reading fails again with the same fatal error', async () => {
  const topic = fresh('fatal')
  cluster.createTopic(topic, { partitions: 1 })
  const consumer = closing(
    new ShareConsumer({ 'bootstrap.servers': cluster.bootstrapServers, 'group.id': topic }, quiet),
  )
  consumer.subscribe([topic])
  cluster.failNext(SHARE_HEARTBEAT, Array<number>(20).fill(ErrorCode.ERR_INVALID_REQUEST))
  const iterate = async (): Promise<void> => {
    for await (const message of consumer) assert.fail(`there is no message ${message.offset}`)
  }
  const run = (): Promise<void> => consumer.run({ handler: () => assert.fail('there is no message') })
  for (const read of [iterate, run, iterate]) {
    await assert.rejects(read(), { code: ErrorCode.ERR_INVALID_REQUEST, isFatal: true })
  }
  assert.throws(() => consumer.subscribe([topic]), { code: ErrorCode.ERR__FATAL })
  await consumer.close()
})
