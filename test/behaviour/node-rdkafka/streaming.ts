/** What node-rdkafka's specs ask of its streams (`test/{producer-stream,kafka-consumer-stream}.spec.js`). */
import assert from 'node:assert/strict'
import { PassThrough, Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { test } from 'node:test'
import {
  createReadStream,
  createWriteStream,
  KafkaConsumer,
  Producer,
  type ConsumerStream,
  type Message,
  type ProducerGlobalConfig,
  type ProducerStream,
  type ReadStreamOptions,
  type WriteStreamOptions,
} from '@ottla/node-rdkafka'
import { closing } from '../../harness/closing.ts'
import { fresh } from '../world.ts'
import { anything, nextEvent, rdkafkaWorldOf, textOf, until, type PlainCluster } from './rdkafka-world.ts'

/** @param start a cluster of one broker */
export function streamingScenarios(start: () => Promise<PlainCluster>): void {
  const world = rdkafkaWorldOf(start)

  function closingStream<T extends Readable | Writable>(stream: T & { close(cb: () => void): void }): T {
    // Its errors are the test's affair.
    stream.on('error', () => undefined)
    closing({ close: () => new Promise<void>(resolve => stream.close(resolve)) })
    return stream
  }

  const writing = (options: Partial<WriteStreamOptions>, conf: ProducerGlobalConfig = {}): ProducerStream =>
    closingStream(createWriteStream({ 'metadata.broker.list': world.brokers, ...conf }, {}, options))

  const reading = (options: ReadStreamOptions, group = fresh('group')): ConsumerStream =>
    closingStream(
      createReadStream(
        { 'metadata.broker.list': world.brokers, 'group.id': group, 'fetch.wait.max.ms': 100 },
        { 'auto.offset.reset': 'earliest' },
        { waitInterval: 0, ...options },
      ),
    )

  const write = (stream: Writable, chunk: unknown): Promise<void> =>
    new Promise((resolve, reject) => {
      stream.write(chunk, error => (error === null || error === undefined ? resolve() : reject(error)))
    })

  async function readAll(topic: string, count: number): Promise<Message[]> {
    const stream = reading({ topics: topic, fetchSize: 10 })
    const read: Message[] = []
    for await (const message of stream) {
      read.push(message as Message)
      if (read.length === count) break
    }
    return read
  }

  test('values are written to the topic in order, and delivered before it closes', async () => {
    const topic = await world.topic()
    const stream = writing({ topic })
    assert.ok(stream.producer instanceof Producer)
    const closed = nextEvent(stream, 'close')
    for (const value of ['1', '2', '3']) assert.equal(stream.write(Buffer.from(value)), true)
    stream.end()
    await closed
    assert.equal(stream.producer.isConnected(), false)
    assert.deepEqual((await readAll(topic, 3)).map(textOf), ['1', '2', '3'])
  })

  test('objects are written with topic, partition, key and headers', async () => {
    const topic = await world.topic(2)
    const stream = writing({ objectMode: true })
    await write(stream, { topic, partition: 1, value: Buffer.from('1'), key: 'key', headers: [{ a: 'b' }] })
    stream.end({ topic, value: null, partition: 1 })
    await nextEvent(stream, 'close')
    const [full, none] = await readAll(topic, 2)
    assert.deepEqual([full?.partition, full?.key, full?.headers], [1, Buffer.from('key'), [{ a: Buffer.from('b') }]])
    assert.equal(none?.value, null)
  })

  test('a full queue makes writes wait', async () => {
    const topic = await world.topic()
    const stream = writing({ topic }, { 'queue.buffering.max.messages': 2, dr_cb: true })
    const values = Array.from({ length: 50 }, (_, i) => String(i))
    await pipeline(Readable.from(values.map(value => Buffer.from(value))), stream)
    await until('it is closed', () => stream.closed)
    assert.deepEqual((await readAll(topic, 50)).map(textOf), values)
  })

  test('a message that cannot be sent ends the stream, unless autoClose is false', async () => {
    for (const autoClose of [true, false]) {
      const stream = writing({ objectMode: true, autoClose })
      const error = nextEvent<[Error]>(stream, 'error')
      stream.write({ topic: 't', value: 'no buffer' })
      assert.match((await error)[0].message, /buffer or null/)
      if (autoClose) await until('closed', () => stream.closed)
      assert.equal(stream.producer.isConnected(), !autoClose)
    }
  })

  test('autoClose: false leaves the producer connected; close ends it', async () => {
    const topic = await world.topic()
    const stream = writing({ topic, autoClose: false })
    stream.end(Buffer.from('1'))
    await nextEvent(stream, 'finish')
    assert.equal(stream.producer.isConnected(), true)
    await new Promise<void>(resolve => stream.close(resolve))
    assert.equal(stream.producer.isConnected(), false)
    // Closed already, it still answers.
    await new Promise<void>(resolve => stream.close(resolve))
  })

  test('what is no stream is refused', () => {
    const conf = { 'metadata.broker.list': world.brokers }
    assert.throws(() => createWriteStream(conf, {}, {}), { name: 'TypeError', message: /must provide a topic/ })
    assert.throws(() => createWriteStream(conf, {}, anything(null)), { name: 'TypeError' })
    assert.throws(() => createReadStream(conf, {}, anything({})), { name: 'TypeError', message: /"topics"/ })
    assert.throws(() => KafkaConsumer.createReadStream(conf, {}, anything(null)), { name: 'TypeError' })
  })

  test('messages, batches of them, or their values are read', async () => {
    const topic = await world.topic()
    await world.fill(topic, ['1', '2', null, '3'])
    assert.deepEqual((await readAll(topic, 4)).map(textOf), ['1', '2', null, '3'])
    const batches = reading({ topics: [topic], streamAsBatch: true, fetchSize: 3 })
    const sizes: number[] = []
    for await (const batch of batches) {
      sizes.push((batch as Message[]).length)
      if (sizes.reduce((sum, size) => sum + size, 0) === 4) break
    }
    assert.ok(Math.max(...sizes) > 1, `batches of ${sizes.join(', ')}`)
    // The absence of a value is not the end.
    const values = reading({ topics: [topic], objectMode: false })
    let text = ''
    for await (const value of values) {
      text += String(value)
      if (text.length === 3) break
    }
    assert.equal(text, '123')
  })

  test('topics by function: it gets the metadata; and by pattern', async () => {
    const topic = await world.topic()
    await world.fill(topic, ['1'])
    const found = reading({
      topics: metadata => metadata.topics.filter(({ name }) => name === topic).map(({ name }) => name),
    })
    assert.equal(textOf((await nextEvent<[Message]>(found, 'data'))[0]), '1')
    const matching = reading({ topics: new RegExp(`^${topic}$`) })
    assert.equal(textOf((await nextEvent<[Message]>(matching, 'data'))[0]), '1')
  })

  test('it can be piped', async () => {
    const topic = await world.topic()
    await world.fill(topic, ['1', '2'])
    const stream = reading({ topics: topic, objectMode: false })
    const out = stream.pipe(new PassThrough())
    let text = ''
    out.on('data', chunk => (text += String(chunk)))
    await until('both', () => text === '12')
  })

  test('unsubscribing ends it', async () => {
    const topic = await world.topic()
    await world.fill(topic, ['1'])
    const stream = reading({ topics: topic })
    stream.once('data', () => stream.consumer.unsubscribe())
    await nextEvent(stream, 'end')
    await until('it is closed', () => stream.closed)
    assert.equal(stream.consumer.isConnected(), false)
  })

  test('close, and destroy, disconnect the consumer', async () => {
    const topic = await world.topic()
    for (const end of ['close', 'destroy', 'at once'] as const) {
      const stream = reading({ topics: topic })
      if (end !== 'at once') await nextEvent(stream.consumer, 'ready')
      const closed = nextEvent(stream, 'close')
      if (end === 'destroy') stream.destroy()
      else stream.close()
      await closed
      assert.equal(stream.consumer.isConnected(), false)
    }
  })

  test('a consumer that cannot connect is an error of the stream', async () => {
    const stream = closingStream(
      createReadStream(
        { 'metadata.broker.list': '127.0.0.1:1', 'group.id': 'g' },
        {},
        {
          topics: 't',
          connectOptions: { timeout: 300 },
        },
      ),
    )
    const [error] = await nextEvent<[Error]>(stream, 'error')
    assert.ok(error instanceof Error)
    await until('it is closed', () => stream.closed)
  })
}
