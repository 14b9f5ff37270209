/** A consumer, alone and as a member of a group, on one plain broker: real or embedded. */
import { test } from 'node:test'
import assert from 'node:assert/strict'
import {
  Consumer,
  ErrorCode,
  type KafkaError,
  OFFSET_BEGINNING,
  OFFSET_END,
  OFFSET_STORED,
  Producer,
  json,
  offsetTail,
  type Message,
  type RebalanceEvent,
} from 'ottla'
import { is, take, positionKnown, until, plainConsumers } from './plain-consumers.ts'
import type { PlainWorld } from './plain-world.ts'
import { fresh } from './world.ts'

const quiet = (): void => undefined

/** Registers the tests; `start` starts the broker. */
export function consumerScenarios(start: () => Promise<PlainWorld>): void {
  const clients = plainConsumers(start)
  const { consumer, base, topicWith, fill, committedOffset } = clients

  test('assign begins at the given position: the beginning, the end, an offset, before the end', async () => {
    const topic = await topicWith([10])
    const first = async (offset: number): Promise<number> => {
      await using reader = consumer()
      await reader.assign([{ topic, partition: 0, offset }])
      if (offset === OFFSET_END) {
        await positionKnown(reader)
        await fill(topic, 0, 10, 1)
      }
      return (await reader.readMessage(20_000)).offset
    }
    assert.equal(await first(OFFSET_BEGINNING), 0)
    assert.equal(await first(7), 7)
    assert.equal(await first(offsetTail(3)), 7)
    assert.equal(await first(offsetTail(1000)), 0, 'no further than the beginning')
    assert.equal(await first(OFFSET_STORED), 0, 'nothing can be stored without a group: auto.offset.reset')
    assert.equal(await first(OFFSET_END), 10)
  })

  test('without group.id, commit and subscribe are refused', async () => {
    const topic = await topicWith([1])
    await using reader = consumer()
    await reader.assign([{ topic, partition: 0, offset: OFFSET_BEGINNING }])
    await reader.readMessage(20_000)
    await assert.rejects(reader.commit(), is(ErrorCode.ERR__UNKNOWN_GROUP))
    await assert.rejects(reader.committed(), is(ErrorCode.ERR__UNKNOWN_GROUP))
    assert.throws(() => reader.subscribe(topic), is(ErrorCode.ERR__UNKNOWN_GROUP))
    assert.throws(() => reader.groupMetadata(), is(ErrorCode.ERR__UNKNOWN_GROUP))
  })

  test('poll returns events, and null when none arrives in time', async () => {
    const topic = await topicWith([2])
    await using reader = consumer({ 'enable.partition.eof': true })
    await reader.assign([{ topic, partition: 0, offset: OFFSET_BEGINNING }])
    const seen: string[] = []
    for (let i = 0; i < 3; i++) {
      const event = await reader.poll(20_000)
      if (event?.type === 'message') seen.push(`message ${event.message.offset}`)
      if (event?.type === 'partition-eof') seen.push(`end ${event.offset}`)
    }
    assert.deepEqual(seen, ['message 0', 'message 1', 'end 2'])
    assert.equal(await reader.poll(10), null)
    assert.equal(await reader.poll(0), null)
    await fill(topic, 0, 2, 1)
    const next = await reader.poll(20_000)
    assert.equal(next?.type, 'message')
    assert.equal((await reader.poll(20_000))?.type, 'partition-eof')
  })

  test('a signal ends a poll with its reason, and the next one works', async () => {
    const topic = await topicWith([0])
    await using reader = consumer()
    await reader.assign([{ topic, partition: 0, offset: OFFSET_BEGINNING }])
    const abort = new AbortController()
    const polled = reader.poll({ signal: abort.signal })
    abort.abort(new Error('enough'))
    await assert.rejects(polled, /enough/)
    await assert.rejects(reader.poll({ signal: abort.signal }), /enough/)
    await fill(topic, 0, 0, 1)
    assert.equal((await reader.readMessage(20_000)).offset, 0)
  })

  test('a second call while one is pending is refused', async () => {
    const topic = await topicWith([0])
    await using reader = consumer()
    await reader.assign([{ topic, partition: 0, offset: OFFSET_BEGINNING }])
    const first = reader.poll(200)
    await assert.rejects(reader.poll(10), is(ErrorCode.ERR__STATE))
    await assert.rejects(reader.readMessage(10), is(ErrorCode.ERR__STATE))
    await assert.rejects(reader[Symbol.asyncIterator]().next(), is(ErrorCode.ERR__STATE))
    assert.equal(await first, null)
  })

  test('seek moves back and forth at once, and drops messages fetched before', async () => {
    const topic = await topicWith([100])
    await using reader = consumer()
    await reader.assign([{ topic, partition: 0, offset: OFFSET_BEGINNING }])
    assert.equal((await reader.readMessage(20_000)).offset, 0)
    for (const offset of [50, 10, 99, 0]) {
      const [sought] = await reader.seek([{ topic, partition: 0, offset }])
      assert.equal(sought?.error, undefined)
      assert.equal(reader.position()[0]?.offset, offset)
      assert.equal((await reader.readMessage(20_000)).offset, offset)
    }
    await reader.seek([{ topic, partition: 0, offset: offsetTail(2) }])
    assert.equal((await reader.readMessage(20_000)).offset, 98)
    const [foreign] = await reader.seek([{ topic, partition: 5, offset: 0 }])
    assert.equal(foreign?.error?.code, ErrorCode.ERR__STATE)
  })

  test('pausing and resuming, whatever the moment, loses and repeats nothing', async () => {
    const topic = await topicWith([200, 200])
    await using reader = consumer()
    await reader.assign([
      { topic, partition: 0, offset: OFFSET_BEGINNING },
      { topic, partition: 1, offset: OFFSET_BEGINNING },
    ])
    const next = [0, 0]
    for (let i = 0; i < 400; i++) {
      const message = await reader.readMessage(20_000)
      assert.equal(message.offset, next[message.partition])
      next[message.partition] = message.offset + 1
      const other = (next[1 - message.partition] ?? 0) < 200 ? [{ topic, partition: message.partition }] : []
      if (i % 7 === 3) reader.pause(other)
      if (i % 7 === 5) reader.resume(reader.assignment())
    }
    assert.deepEqual(next, [200, 200])
  })

  test('a paused partition is not delivered, and does not hold up the others', async () => {
    const topic = await topicWith([20, 20])
    await using reader = consumer()
    await reader.assign([
      { topic, partition: 0, offset: OFFSET_BEGINNING },
      { topic, partition: 1, offset: OFFSET_BEGINNING },
    ])
    reader.pause([{ topic, partition: 0 }])
    for (let i = 0; i < 20; i++) assert.equal((await reader.readMessage(20_000)).partition, 1)
    assert.equal(await reader.poll(300), null)
    reader.resume([{ topic, partition: 0 }])
    for (let i = 0; i < 20; i++) assert.equal((await reader.readMessage(20_000)).offset, i)
    assert.throws(() => reader.pause([{ topic, partition: 9 }]), is(ErrorCode.ERR__STATE))
  })

  test('seeking a paused partition takes effect when it is resumed', async () => {
    const topic = await topicWith([20])
    await using reader = consumer()
    await reader.assign([{ topic, partition: 0, offset: OFFSET_BEGINNING }])
    await reader.readMessage(20_000)
    reader.pause([{ topic, partition: 0 }])
    await reader.seek([{ topic, partition: 0, offset: 15 }])
    assert.equal(await reader.poll(200), null)
    reader.resume([{ topic, partition: 0 }])
    assert.equal((await reader.readMessage(20_000)).offset, 15)
  })

  test('two members share a topic by roundrobin, and a revoked partition is committed before the other continues', async () => {
    const topic = await topicWith([100, 100, 100, 100])
    const group = fresh('group')
    const config = { 'group.id': group, 'partition.assignment.strategy': 'roundrobin' } as const
    const first = consumer(config)
    const second = consumer(config)
    const seen: string[] = []
    const events: RebalanceEvent['type'][] = []
    first.subscribe(topic, event => void events.push(event.type))
    seen.push(...(await take(first, 50)))
    second.subscribe(topic)
    const stop = new AbortController()
    const readers = [first, second].map(async reader => {
      while (!stop.signal.aborted) {
        const event = await reader.poll(50)
        if (event?.type === 'message') seen.push(`${event.message.partition}/${event.message.offset}`)
      }
    })
    await until(() => first.assignment().length === 2 && second.assignment().length === 2)
    await until(() => seen.length >= 400)
    stop.abort()
    await Promise.all(readers)
    assert.deepEqual(events, ['assign', 'revoke', 'assign'])
    assert.equal(new Set(seen).size, 400)
    assert.equal(seen.length, 400, 'nothing twice: the offsets were committed before the partitions went over')
    assert.deepEqual(new Set([...first.assignment(), ...second.assignment()].map(p => p.partition)).size, 4)
    await Promise.all([first.close(), second.close()])
  })

  test('a callback that throws is logged, and the client assigns all the same', async () => {
    const topic = await topicWith([3])
    const logs: string[] = []
    const logger = (_level: number, facility: string, message: string): void => void logs.push(`${facility} ${message}`)
    const reader = new Consumer({ ...base(), 'group.id': fresh('group') }, { logger })
    reader.subscribe(topic, () => {
      throw new Error('the callback is broken')
    })
    assert.deepEqual(await take(reader, 3), ['0/0', '0/1', '0/2'])
    await reader.close()
    assert.equal(logs.filter(line => /REBALANCE .*the callback is broken/s.test(line)).length, 2)
  })

  test('the callback is awaited, may commit, and runs for close', async () => {
    const topic = await topicWith([3])
    const group = fresh('group')
    const reader = consumer({ 'group.id': group, 'enable.auto.commit': false })
    const calls: string[] = []
    reader.subscribe(topic, async (event, self) => {
      calls.push(`${event.type} begins`)
      await new Promise(resolve => setTimeout(resolve, 50))
      if (event.type === 'revoke') await self.commit()
      calls.push(`${event.type} ends with ${self.assignment().length}`)
    })
    await take(reader, 2)
    await reader.close()
    assert.deepEqual(calls, ['assign begins', 'assign ends with 0', 'revoke begins', 'revoke ends with 1'])
    assert.equal(await committedOffset(group, topic), 2)
  })

  test('the callback can leave the group', async () => {
    const topic = await topicWith([3])
    await using reader = consumer({ 'group.id': fresh('group') })
    const events: string[] = []
    reader.subscribe(topic, async (event, self) => {
      events.push(event.type)
      if (event.type === 'assign') await self.unsubscribe()
    })
    assert.equal(await reader.poll(1000).then(e => e?.type), 'rebalance')
    await until(() => reader.subscription().length === 0)
    await reader.poll(200)
    assert.deepEqual(events, ['assign', 'revoke'])
    assert.deepEqual(reader.assignment(), [])
    assert.equal(reader.memberId, '')
  })

  test('a consumer can subscribe to something else, and unsubscribe and subscribe again', async () => {
    const [one, two] = [await topicWith([2]), await topicWith([3])]
    await using reader = consumer({ 'group.id': fresh('group') })
    reader.subscribe(one)
    assert.equal(reader.rebalanceProtocol(), 'EAGER')
    await take(reader, 2)
    reader.subscribe([two])
    await take(reader, 3)
    assert.deepEqual(reader.assignment(), [{ topic: two, partition: 0 }])
    await reader.unsubscribe()
    assert.deepEqual(reader.assignment(), [])
    assert.deepEqual(reader.subscription(), [])
    assert.equal(reader.rebalanceProtocol(), 'NONE')
    await fill(one, 0, 2, 1)
    reader.subscribe(one)
    assert.deepEqual(await take(reader, 1), ['0/2'])
    const { memberId, generationId } = reader.groupMetadata()
    assert.equal(memberId, reader.memberId)
    assert.ok(generationId >= 1)
  })

  test('a topic that does not exist is reported once, and consumed when it appears', async () => {
    const topic = fresh('late')
    await using reader = consumer({ 'group.id': fresh('group') })
    reader.subscribe(topic)
    await assert.rejects(reader.readMessage(20_000), is(ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART))
    await assert.rejects(reader.readMessage(2500), is(ErrorCode.ERR__TIMED_OUT))
    await topicWith([2], topic)
    assert.deepEqual(await take(reader, 2), ['0/0', '0/1'])
  })

  test('a pattern includes topics that are created later', async () => {
    const prefix = fresh('pattern')
    await topicWith([1], `${prefix}-a`)
    await using reader = consumer({ 'group.id': fresh('group'), 'topic.metadata.refresh.interval.ms': 300 })
    reader.subscribe(`^${prefix}-.*`)
    await take(reader, 1)
    await topicWith([1], `${prefix}-b`)
    const message = await reader.readMessage(20_000)
    assert.equal(message.topic, `${prefix}-b`)
    assert.equal(reader.assignment().length, 2)
  })

  test('partitions that are added are consumed', async () => {
    const topic = await topicWith([1])
    await using reader = consumer({ 'group.id': fresh('group'), 'topic.metadata.refresh.interval.ms': 300 })
    reader.subscribe(topic)
    await take(reader, 1)
    const [result] = await clients.admin.createPartitions([{ topic, increaseTo: 2 }])
    assert.equal(result?.error, undefined)
    const added = new Producer({ 'bootstrap.servers': clients.bootstrapServers, 'linger.ms': 0 }, { logger: quiet })
    await added.send({ topic, partition: 1, value: '1/0' })
    await added.close()
    assert.deepEqual(await take(reader, 1), ['1/0'])
  })

  test('a message that cannot be deserialized is an error with its bytes in it, and the next one comes', async () => {
    const topic = fresh('json')
    await topicWith([0], topic)
    const values = ['{"n":1}', 'not json', '{"n":3}']
    await clients.producer.sendBatch(values.map(value => ({ topic, partition: 0, value })))
    const options = { value: json<{ n: number }>(), logger: quiet }
    await using reader = new Consumer({ ...base(), 'group.id': fresh('group') }, options)
    reader.subscribe(topic)
    assert.deepEqual((await reader.readMessage(20_000)).value, { n: 1 })
    await assert.rejects(reader.readMessage(20_000), (error: KafkaError & { rawMessage?: Message }) => {
      assert.equal(error.code, ErrorCode.ERR__VALUE_DESERIALIZATION)
      assert.equal(String(error.rawMessage?.value), 'not json')
      assert.doesNotMatch(JSON.stringify(error), /not json/)
      return true
    })
    const event = await reader.poll(20_000)
    assert.equal(event?.type, 'message')
    assert.deepEqual(event.message.value, { n: 3 })
    await reader.seek([{ topic, partition: 0, offset: 0 }])
    const batches = reader.batches()
    const first = await batches.next()
    assert.deepEqual(
      first.value?.messages.map(m => m.value),
      [{ n: 1 }],
    )
    await assert.rejects(batches.next(), is(ErrorCode.ERR__VALUE_DESERIALIZATION))
    const rest: unknown[] = []
    for await (const message of reader) {
      rest.push(message.value)
      break
    }
    assert.deepEqual(rest, [{ n: 3 }])
  })

  test('close ends pending calls: poll with null, readMessage with an error, loops quietly', async () => {
    const topic = await topicWith([0])
    const opened = async (): Promise<Consumer> => {
      const reader = consumer()
      await reader.assign([{ topic, partition: 0, offset: OFFSET_BEGINNING }])
      return reader
    }
    const polling = await opened()
    const polled = polling.poll()
    const closing = polling.close()
    assert.equal(polling.closed, true)
    assert.equal(await polled, null)
    await Promise.all([closing, polling.close()])
    await assert.rejects(polling.poll(10), is(ErrorCode.ERR__STATE))
    await assert.rejects(polling.commit(), is(ErrorCode.ERR__STATE))
    assert.throws(() => polling.subscribe('x'), is(ErrorCode.ERR__STATE))

    const reading = await opened()
    const read = assert.rejects(reading.readMessage(), is(ErrorCode.ERR__DESTROY))
    await reading.close()
    await read

    const looping = await opened()
    const loop = (async (): Promise<number> => {
      let count = 0
      for await (const _message of looping) count++
      return count
    })()
    await looping.close()
    assert.equal(await loop, 0)
  })

  test('an application that does not poll loses its partitions, and rejoins when it polls', async () => {
    const topic = await topicWith([2])
    await using reader = consumer({
      'group.id': fresh('group'),
      'max.poll.interval.ms': 6000,
      'session.timeout.ms': 6000,
    })
    const events: string[] = []
    reader.subscribe(topic, event => void events.push(event.type))
    await take(reader, 2)
    const left = new Promise<KafkaError>(resolve => {
      reader.on('error', event => {
        if (event.error.code === ErrorCode.ERR__MAX_POLL_EXCEEDED) resolve(event.error)
      })
    })
    await left
    assert.equal(reader.assignmentLost(), true)
    assert.deepEqual(events, ['assign'])
    await assert.rejects(reader.readMessage(20_000), is(ErrorCode.ERR__MAX_POLL_EXCEEDED))
    await fill(topic, 0, 2, 1)
    const value = String((await reader.readMessage(20_000)).value)
    // Messages delivered before can no longer be committed, unless the interval came first.
    assert.match(value, /^0\/[02]$/)
    assert.deepEqual(events, ['assign', 'lost', 'assign'])
  })

  test('a static member that comes back in time gets its partitions without a rebalance of the others', async () => {
    const topic = await topicWith([1, 1])
    const group = fresh('group')
    const member = (name: string): Consumer => consumer({ 'group.id': group, 'group.instance.id': name })
    const stays = member('stays')
    let rebalances = 0
    stays.subscribe(topic, event => {
      if (event.type === 'assign') rebalances++
    })
    const leaves = member('leaves')
    leaves.subscribe(topic)
    const polling = [stays, leaves].map(async reader => {
      while (!reader.closed) await reader.poll(50)
    })
    await until(() => stays.assignment().length === 1 && leaves.assignment().length === 1)
    const before = rebalances
    const [owned] = leaves.assignment()
    await leaves.close()
    const back = member('leaves')
    back.subscribe(topic)
    polling.push(
      (async (): Promise<void> => {
        while (!back.closed) await back.poll(50)
      })(),
    )
    await until(() => back.assignment().length === 1)
    assert.deepEqual(back.assignment(), [owned])
    assert.equal(rebalances, before)
    await Promise.all([stays.close(), back.close()])
    await Promise.all(polling)
  })

  test('partitions can be added to and removed from a manual assignment', async () => {
    const topic = await topicWith([2, 2])
    await using reader = consumer()
    await reader.assign([{ topic, partition: 0, offset: OFFSET_BEGINNING }])
    assert.deepEqual(await take(reader, 2), ['0/0', '0/1'])
    await reader.incrementalAssign([{ topic, partition: 1, offset: 1 }])
    assert.deepEqual(await take(reader, 1), ['1/1'])
    await assert.rejects(reader.incrementalAssign([{ topic, partition: 1, offset: 1 }]), is(ErrorCode.ERR__INVALID_ARG))
    await reader.incrementalUnassign([{ topic, partition: 0 }])
    assert.deepEqual(reader.assignment(), [{ topic, partition: 1 }])
    await reader.unassign()
    assert.deepEqual(reader.assignment(), [])
  })

  test('messages of every codec arrive intact, with headers, nulls and timestamps', async () => {
    const topic = await topicWith([0])
    const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
    for (const codec of codecs) {
      const writer = new Producer(
        { 'bootstrap.servers': clients.bootstrapServers, 'compression.type': codec },
        { logger: quiet },
      )
      const big = codec.repeat(500)
      const headers = [
        { key: 'h', value: codec },
        { key: 'h', value: null },
      ]
      await writer.sendBatch([
        { topic, partition: 0, key: codec, value: big, headers, timestamp: 1234 },
        { topic, partition: 0, key: null, value: null },
        { topic, partition: 0, key: '', value: '' },
      ])
      await writer.close()
    }
    await using reader = consumer({ 'check.crcs': true })
    await reader.assign([{ topic, partition: 0, offset: OFFSET_BEGINNING }])
    for (const codec of codecs) {
      const first = await reader.readMessage(20_000)
      assert.equal(String(first.key), codec)
      assert.equal(String(first.value), codec.repeat(500))
      assert.equal(first.timestamp, 1234)
      assert.equal(first.timestampType, 'create-time')
      assert.deepEqual(
        first.headers.map(h => [h.key, h.value === null ? null : String(h.value)]),
        [
          ['h', codec],
          ['h', null],
        ],
      )
      const second = await reader.readMessage(20_000)
      assert.equal(second.key, null)
      assert.equal(second.value, null)
      const third = await reader.readMessage(20_000)
      assert.equal(third.key?.length, 0)
      assert.equal(third.value?.length, 0)
    }
  })
}
