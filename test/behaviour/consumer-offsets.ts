/** Where a consumer begins, and what it stores and commits, on one plain broker: real or embedded. */
import { test } from 'node:test'
import assert from 'node:assert/strict'
import {
  ErrorCode,
  OFFSET_BEGINNING,
  OFFSET_END,
  OFFSET_INVALID,
  OFFSET_STORED,
  type Message,
  type TopicPartitionOffset,
} from 'ottla'
import { is, until, plainConsumers } from './plain-consumers.ts'
import type { PlainWorld } from './plain-world.ts'
import { fresh } from './world.ts'

/** Registers the tests; `start` starts the broker. */
export function consumerOffsetScenarios(start: () => Promise<PlainWorld>): void {
  const clients = plainConsumers(start)
  const { consumer, topicWith, fill, committedOffset } = clients

  test('an iterator stores a message when the next one is asked for, not when the loop is left', async () => {
    const topic = await topicWith([10])
    const group = fresh('group')
    const reader = consumer({ 'group.id': group })
    reader.subscribe(topic)
    for await (const message of reader) {
      if (message.offset === 4) break
    }
    await reader.close()
    assert.equal(await committedOffset(group, topic), 4, 'the message of the break comes again')
  })

  test('batches store what was processed', async () => {
    const topic = await topicWith([10])
    const group = fresh('group')
    const reader = consumer({ 'group.id': group })
    reader.subscribe(topic)
    const offsets: number[] = []
    for await (const batch of reader.batches({ maxMessages: 4 })) {
      assert.equal(batch.topic, topic)
      assert.equal(batch.messages.length, batch.length)
      assert.equal(batch.firstOffset, batch.messages[0]?.offset)
      assert.equal(batch.lastOffset, batch.messages.at(-1)?.offset)
      assert.equal(batch.highWatermark, 10)
      for (const message of batch) offsets.push(message.offset)
      if (offsets.length >= 8) break
    }
    assert.deepEqual(offsets, [0, 1, 2, 3, 4, 5, 6, 7])
    await reader.close()
    assert.equal(await committedOffset(group, topic), 4, 'the batch of the break comes again')
    const again = consumer({ 'group.id': group })
    again.subscribe(topic)
    const batches = again.batches({ maxMessages: 100, maxWaitMs: 50 })
    const first = await batches.next()
    assert.ok(first.value)
    assert.equal(first.value.firstOffset, 4)
    first.value.markProcessed(first.value.messages[2] as Message) // there are six
    const pending = batches.next()
    await again.close()
    assert.equal((await pending).done, true)
    assert.equal(await committedOffset(group, topic), 7)
  })

  test('commit takes stored offsets, given ones and messages; with nothing stored it says so', async () => {
    const topic = await topicWith([10])
    const group = fresh('group')
    await using reader = consumer({ 'group.id': group, 'enable.auto.commit': false })
    await reader.assign([{ topic, partition: 0, offset: OFFSET_BEGINNING }])
    await assert.rejects(reader.commit(), is(ErrorCode.ERR__NO_OFFSET))
    const message = await reader.readMessage(20_000)
    await reader.readMessage(20_000)
    const events: TopicPartitionOffset[] = []
    reader.on('offsets-committed', event => events.push(...event.offsets))
    const [stored] = await reader.commit()
    assert.equal(stored?.offset, 2)
    assert.equal(stored.error, undefined)
    await assert.rejects(reader.commit(), is(ErrorCode.ERR__NO_OFFSET))
    assert.equal((await reader.commitMessage(message))[0]?.offset, 1, 'asked for, also below what is committed')
    await reader.commit([{ topic, partition: 0, offset: 5, metadata: 'why' }])
    const [committed] = await reader.committed()
    assert.equal(committed?.offset, 5)
    assert.equal(committed.metadata, 'why')
    assert.deepEqual(
      events.map(e => e.offset),
      [2, 1, 5],
    )
    assert.equal((await reader.committed([{ topic, partition: 0 }], 10_000))[0]?.offset, 5)
  })

  test('offsets that the application stores itself are the ones that are committed', async () => {
    const topic = await topicWith([10])
    const group = fresh('group')
    const reader = consumer({ 'group.id': group, 'enable.auto.offset.store': false })
    reader.subscribe(topic)
    const messages = [await reader.readMessage(20_000), await reader.readMessage(20_000)]
    assert.equal(reader.storeMessage(messages[0] as Message)[0]?.error, undefined) // two were read
    const [foreign] = reader.storeOffsets([{ topic, partition: 7, offset: 1 }])
    assert.equal(foreign?.error?.code, ErrorCode.ERR__STATE)
    await reader.unsubscribe()
    assert.equal(await committedOffset(group, topic), 1)
    assert.equal(reader.storeMessage(messages[1] as Message)[0]?.error?.code, ErrorCode.ERR__STATE) // as above
    await reader.close()
    await using automatic = consumer({ 'group.id': group })
    assert.throws(() => automatic.storeOffsets([]), is(ErrorCode.ERR__INVALID_ARG))
  })

  test('delivered messages are committed at intervals', async () => {
    const topic = await topicWith([5])
    const group = fresh('group')
    await using reader = consumer({ 'group.id': group, 'auto.commit.interval.ms': 50 })
    reader.subscribe(topic)
    const committed = new Promise<TopicPartitionOffset[]>(resolve => {
      reader.on('offsets-committed', event => {
        if (event.offsets[0]?.offset === 5) resolve(event.offsets)
      })
    })
    for (let i = 0; i < 5; i++) await reader.readMessage(20_000)
    assert.equal((await committed)[0]?.error, undefined)
  })

  test('an offset that does not exist is reset as auto.offset.reset says', async () => {
    const topic = await topicWith([5])
    const readFrom = async (policy: 'earliest' | 'latest' | 'error', offset: number): Promise<Message> => {
      await using reader = consumer({ 'auto.offset.reset': policy })
      await reader.assign([{ topic, partition: 0, offset }])
      if (policy === 'latest') {
        await until(() => reader.position()[0]?.offset === 5)
        await fill(topic, 0, 5, 1)
      }
      return await reader.readMessage(20_000)
    }
    assert.equal((await readFrom('earliest', 1000)).offset, 0)
    await assert.rejects(readFrom('error', 1000), is(ErrorCode.ERR__AUTO_OFFSET_RESET))
    await assert.rejects(readFrom('error', OFFSET_STORED), is(ErrorCode.ERR__AUTO_OFFSET_RESET))
    assert.equal((await readFrom('latest', 1000)).offset, 5)
  })

  test('after auto.offset.reset=error, a seek lets reading continue', async () => {
    const topic = await topicWith([5])
    await using reader = consumer({ 'group.id': fresh('group'), 'auto.offset.reset': 'error' })
    await reader.assign([{ topic, partition: 0, offset: OFFSET_STORED }])
    await assert.rejects(reader.readMessage(20_000), is(ErrorCode.ERR__AUTO_OFFSET_RESET))
    await reader.seek([{ topic, partition: 0, offset: 3 }])
    assert.equal((await reader.readMessage(20_000)).offset, 3)
  })

  test('offsets can be queried: watermarks, times, positions', async () => {
    const topic = await topicWith([0])
    for (let i = 0; i < 3; i++) {
      const report = await clients.producer.send({ topic, partition: 0, value: `${i}`, timestamp: 1000 * (i + 1) })
      assert.equal(report.error, undefined)
    }
    await using reader = consumer()
    assert.deepEqual(reader.getWatermarkOffsets(topic, 0), { low: OFFSET_INVALID, high: OFFSET_INVALID })
    assert.deepEqual(await reader.queryWatermarkOffsets(topic, 0, 10_000), { low: 0, high: 3 })
    const times = await reader.offsetsForTimes([{ topic, partition: 0, offset: 1500 }], 10_000)
    assert.equal(times[0]?.offset, 1)
    const [late] = await reader.offsetsForTimes([{ topic, partition: 0, offset: 9999 }], 10_000)
    assert.equal(late?.offset, OFFSET_END)
    await reader.assign([{ topic, partition: 0, offset: 1 }])
    assert.equal(reader.position()[0]?.offset, 1)
    await reader.readMessage(20_000)
    assert.equal(reader.position([{ topic, partition: 0 }])[0]?.offset, 2)
    assert.equal(reader.position([{ topic, partition: 3 }])[0]?.error?.code, ErrorCode.ERR__STATE)
    assert.deepEqual(reader.getWatermarkOffsets(topic, 0), { low: 0, high: 3 })
    const metadata = await reader.getMetadata({ topic, timeoutMs: 10_000 })
    assert.equal(metadata.topics[0]?.partitions.length, 1)
  })
}
