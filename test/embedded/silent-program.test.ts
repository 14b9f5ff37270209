/** A program that does not poll is told so when it does again, whoever has noticed it first. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EmbeddedCluster } from '@ottla/broker'
import { Consumer, ErrorCode, Producer, type ConsumerConfig } from 'ottla'

const quiet = (): void => undefined
const HEARTBEAT = 12
const CONSUMER_GROUP_HEARTBEAT = 68
const FENCED_MEMBER_EPOCH = 110

const ways = {
  classic: { apiKey: HEARTBEAT, code: ErrorCode.ERR_UNKNOWN_MEMBER_ID },
  consumer: { apiKey: CONSUMER_GROUP_HEARTBEAT, code: FENCED_MEMBER_EPOCH },
} as const

for (const protocol of ['classic', 'consumer'] as const) {
  const { apiKey, code } = ways[protocol]
  test(`max.poll.interval.ms is told though the coordinator ended the membership before, and once (${protocol})`, async () => {
    await using cluster = await EmbeddedCluster.start()
    cluster.createTopic('t', { partitions: 1, replicationFactor: 1 })
    const servers = { 'bootstrap.servers': cluster.bootstrapServers }
    await using producer = new Producer(servers, { logger: quiet })
    const settings: ConsumerConfig = {
      ...servers,
      'group.id': 'g',
      'group.protocol': protocol,
      'auto.offset.reset': 'earliest',
      'max.poll.interval.ms': 6000,
      ...(protocol === 'classic' ? { 'heartbeat.interval.ms': 100, 'session.timeout.ms': 6000 } : {}),
    }
    await using consumer = new Consumer(settings, { logger: quiet })
    const told: string[] = []
    consumer.on('error', ({ error }) => told.push(error.name))
    consumer.subscribe('t')
    await producer.send({ topic: 't', value: 'a' })
    assert.equal(String((await consumer.readMessage(20_000)).value), 'a')
    cluster.failNext(apiKey, [code])
    await new Promise(resolve => setTimeout(resolve, 7500))
    await producer.send({ topic: 't', value: 'b' })
    // What was not committed may come again before it.
    let last = ''
    while (last !== 'b') {
      const event = await consumer.poll(1000)
      if (event?.type === 'message') last = String(event.message.value)
    }
    assert.deepEqual(
      told.filter(name => name === 'ERR__MAX_POLL_EXCEEDED'),
      ['ERR__MAX_POLL_EXCEEDED'],
    )
  })
}
