/** What kafkajs's specs ask of a consumer's events where nothing is read: empty batches, standby members, heartbeats. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Consumer, ConsumerGroupJoinEvent, IBatchProcessEvent } from '@ottla/kafkajs'
import { fresh } from '../world.ts'
import { facadeOf, nextEvent, pause, type PlainCluster, until } from './facade-world.ts'

const nothing = (): Promise<void> => Promise.resolve()

/** @param start a cluster of one broker */
export function eventScenarios(start: () => Promise<PlainCluster>): void {
  const facade = facadeOf(start)

  async function subscribed(topic: string, config: object = {}): Promise<Consumer> {
    const consumer = facade.consumer(config)
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    return consumer
  }

  async function sent(topic: string, value: string): Promise<void> {
    const producer = facade.producer()
    await producer.connect()
    await producer.send({ topic, messages: [{ value }] })
  }

  test('batches without messages have events, and no handler gets them', async () => {
    const topic = await facade.topic()
    const consumer = await subscribed(topic)
    const events: [string, IBatchProcessEvent][] = []
    consumer.on(consumer.events.START_BATCH_PROCESS, ({ payload }) => events.push(['start', payload]))
    consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
      const { duration, ...facts } = payload
      assert.equal(typeof duration, 'number')
      events.push(['end', facts])
    })
    const seen: string[] = []
    await consumer.run({ eachBatch: ({ batch }) => Promise.resolve(void seen.push(batch.lastOffset())) })
    const producer = facade.producer({ transactionalId: fresh('id'), idempotent: true, maxInFlightRequests: 1 })
    await producer.connect()
    const transaction = await producer.transaction()
    await transaction.send({ topic, messages: [{ value: 'aborted' }] })
    await transaction.abort()
    const counted = { topic, partition: 0, highWatermark: '2', offsetLag: '0', offsetLagLow: '1' }
    const facts = { ...counted, batchSize: 0, firstOffset: '0', lastOffset: '1' }
    await until('what was aborted is passed', () => events.length === 2)
    assert.deepEqual(events, [
      ['start', facts],
      ['end', facts],
    ])
    await sent(topic, 'plain')
    await until('the next batch has come', () => events.length === 4)
    assert.deepEqual(seen, ['2'])
    assert.deepEqual(
      events.slice(2).map(([name, { batchSize, firstOffset }]) => [name, batchSize, firstOffset]),
      [
        ['start', 1, '2'],
        ['end', 1, '2'],
      ],
    )
  })

  test('events of an empty batch come after those of the batch that is being processed', async () => {
    const topic = await facade.topic()
    const consumer = await subscribed(topic)
    const events: string[] = []
    consumer.on(consumer.events.START_BATCH_PROCESS, ({ payload }) => events.push(`start ${payload.lastOffset}`))
    consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => events.push(`end ${payload.lastOffset}`))
    const producer = facade.producer({ transactionalId: fresh('id'), idempotent: true, maxInFlightRequests: 1 })
    await producer.connect()
    const transaction = await producer.transaction()
    await transaction.send({ topic, messages: [{ value: 'committed' }] })
    await transaction.commit()
    let goOn = (): void => undefined
    const handling = new Promise<void>(resolve => (goOn = resolve))
    await consumer.run({ autoCommitInterval: 10, eachBatch: () => handling })
    await until('the batch has come', () => events.length === 1)
    // Offsets are committed meanwhile: that is when reading gets past the marker.
    await pause(100)
    goOn()
    await until('the marker is passed', () => events.length === 4)
    assert.deepEqual(events, ['start 0', 'end 0', 'start 1', 'end 1'])
  })

  test('a member without partitions, and one whose partitions are paused, have FETCH and HEARTBEAT events', async () => {
    const topic = await facade.topic(1)
    const config = { groupId: fresh('group'), heartbeatInterval: 100, maxWaitTimeInMs: 1 }
    const members = [await subscribed(topic, config), await subscribed(topic, config)]
    const latest = new Map<Consumer, number>()
    for (const each of members) {
      each.on(each.events.GROUP_JOIN, ({ payload }) => {
        latest.set(each, Object.keys(payload.memberAssignment).length)
      })
    }
    await Promise.all(members.map(each => each.run({ eachMessage: nothing })))
    await until('one has the partition, the other nothing', () => [...latest.values()].sort().join() === '0,1')
    await Promise.all(members.map(each => nextEvent(each, each.events.FETCH)))
    await Promise.all(members.map(each => nextEvent(each, each.events.HEARTBEAT)))
    for (const each of members) each.pause([{ topic }])
    await pause(200)
    await Promise.all(members.map(each => nextEvent(each, each.events.FETCH_START)))
    await Promise.all(members.map(each => nextEvent(each, each.events.FETCH)))
    await Promise.all(members.map(each => nextEvent(each, each.events.HEARTBEAT)))
  })

  test('HEARTBEAT events stop while a handler does not go on, and never come closer than heartbeatInterval', async () => {
    const topic = await facade.topic(1)
    const heartbeatInterval = 50
    const consumer = await subscribed(topic, { heartbeatInterval, maxWaitTimeInMs: 20 })
    const beats: number[] = []
    const groups: number[] = []
    consumer.on(consumer.events.HEARTBEAT, () => beats.push(Date.now()))
    consumer.on(consumer.events.REQUEST, ({ payload }) => {
      if (payload.apiName === 'Heartbeat') groups.push(Date.now())
    })
    let heartbeat: (() => Promise<void>) | undefined
    let goOn = (): void => undefined
    const joined = nextEvent<ConsumerGroupJoinEvent>(consumer, consumer.events.GROUP_JOIN)
    await consumer.run({
      eachMessage: payload => {
        heartbeat = payload.heartbeat
        return new Promise(resolve => (goOn = resolve))
      },
    })
    await joined
    await until('it beats', () => beats.length > 2)
    await sent(topic, 'v')
    await until('the handler runs', () => heartbeat !== undefined)
    const [before, sentBefore] = [beats.length, groups.length]
    await until('the group gets heartbeats', () => groups.length > sentBefore + 2)
    assert.equal(beats.length, before)
    await heartbeat?.()
    assert.equal(beats.length, before + 1)
    await Promise.all([heartbeat?.(), heartbeat?.()])
    assert.equal(beats.length, before + 1)
    goOn()
    await until('it beats again', () => beats.length > before + 2)
    for (const [i, at] of beats.entries()) {
      if (i > 0) assert.ok(at - (beats[i - 1] ?? 0) >= heartbeatInterval, beats.join())
    }
  })
}
