/** A rebalance callback that closes its consumer: one that waits for that is not waited for, one that has only called it is. */
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { EmbeddedCluster } from '@ottla/broker'
import { Consumer, type ConsumerConfig, type RebalanceEvent } from 'ottla'
import { plainClients } from '../behaviour/plain-world.ts'

const WAIT_MS = 20_000
const CLOSE_MS = 20_000
const soon = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 5))

let cluster: EmbeddedCluster
let names = 0
const world = plainClients(async () => (cluster = await EmbeddedCluster.start()))

async function topicOf(count: number): Promise<string> {
  const topic = `callback-${++names}`
  cluster.createTopic(topic, { partitions: 1 })
  const messages = Array.from({ length: count }, () => ({ topic, value: 'm' }))
  for (const { error } of await world.producer.sendBatch(messages)) assert.equal(error, undefined)
  return topic
}

function member(group: string, config: Partial<ConsumerConfig>, warnings: string[]): Consumer {
  return new Consumer(
    {
      'bootstrap.servers': cluster.bootstrapServers,
      'group.id': group,
      'auto.offset.reset': 'earliest',
      'auto.commit.interval.ms': 60_000,
      'fetch.wait.max.ms': 50,
      ...config,
    },
    { logger: (_, facility, message) => void warnings.push(`${facility} ${message}`) },
  )
}

async function left(group: string, topic: string): Promise<{ members: number; committed: number | undefined }> {
  const [described] = await world.admin.describeConsumerGroups([group])
  const [offset] = await world.admin.listConsumerGroupOffsets(group, [{ topic, partition: 0 }])
  return { members: described?.members.length ?? 0, committed: offset?.offset }
}

const protocols: Readonly<Record<string, Partial<ConsumerConfig>>> = {
  EAGER: { 'partition.assignment.strategy': 'range' },
  COOPERATIVE: { 'partition.assignment.strategy': 'cooperative-sticky' },
  CONSUMER: { 'group.protocol': 'consumer' },
}

for (const [protocol, config] of Object.entries(protocols)) {
  for (const type of ['assign', 'revoke'] as const) {
    for (const how of ['at once', 'behind an await', 'by another function, behind an await'] as const) {
      test(`close awaited ${how} in the callback of ${type}: ${protocol}`, async () => {
        const topic = await topicOf(2)
        const warnings: string[] = []
        const consumer = member(topic, config, warnings)
        let isOver = false
        const close = async (): Promise<void> => {
          await soon()
          await consumer.close(CLOSE_MS)
        }
        consumer.subscribe(topic, async event => {
          if (event.type !== type || consumer.closed) return
          if (how === 'behind an await') await soon()
          await (how.startsWith('by another') ? close() : consumer.close(CLOSE_MS))
          isOver = true
        })
        if (type === 'revoke') {
          assert.equal((await consumer.readMessage(WAIT_MS)).offset, 0)
          await consumer.unsubscribe()
        } else {
          await assert.rejects(consumer.readMessage(WAIT_MS), { name: 'ERR__DESTROY' })
        }
        assert.ok(isOver)
        assert.deepEqual(warnings, [])
        assert.deepEqual(await left(topic, topic), { members: 0, committed: type === 'revoke' ? 1 : -1001 })
      })
    }

    test(`close not awaited in the callback of ${type} waits for that: ${protocol}`, async () => {
      const topic = await topicOf(2)
      const warnings: string[] = []
      const consumer = member(topic, config, warnings)
      let closed = Promise.resolve()
      let isOver = false
      consumer.subscribe(topic, async (event: RebalanceEvent) => {
        if (event.type !== type || consumer.closed) return
        closed = consumer.close(CLOSE_MS).then(() => assert.ok(isOver))
        await soon()
        await consumer.commit([{ topic, partition: 0, offset: 2 }])
        await soon()
        isOver = true
      })
      if (type === 'revoke') {
        await consumer.readMessage(WAIT_MS)
        await consumer.unsubscribe()
      } else await assert.rejects(consumer.readMessage(WAIT_MS), { name: 'ERR__DESTROY' })
      await closed
      assert.deepEqual(warnings, [])
      assert.equal((await left(topic, topic)).members, 0)
    })
  }

  test(`a callback that awaits unassign does not wait for the close that it is called by: ${protocol}`, async () => {
    const topic = await topicOf(1)
    const consumer = member(topic, config, [])
    let isOver = false
    consumer.subscribe(topic, async event => {
      if (event.type !== 'revoke') return
      await soon()
      await consumer.unassign()
      for (let i = 0; i < 10; i++) await soon()
      isOver = true
    })
    await consumer.readMessage(WAIT_MS)
    await consumer.close(CLOSE_MS)
    assert.ok(isOver)
    assert.deepEqual(await left(topic, topic), { members: 0, committed: 1 })
  })
}
