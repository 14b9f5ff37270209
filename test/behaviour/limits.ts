/** Limits of the queues, and bad input: nothing grows without bound, nothing accepted is lost. */
import { createServer, type AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import assert from 'node:assert/strict'
import {
  AdminClient,
  Consumer,
  ErrorCode,
  KafkaError,
  Producer,
  type DeliveryReport,
  type ConsumerConfig,
  type ProducerConfig,
} from 'ottla'
import { as, fresh, type World } from './world.ts'
import { createTopic } from '../harness/topics.ts'

const quiet = (): void => undefined

function code(expected: number, text?: RegExp): (error: unknown) => boolean {
  return error => {
    assert.ok(error instanceof KafkaError, String(error))
    assert.equal(error.code, expected, error.message)
    if (text !== undefined) assert.match(error.message, text)
    return true
  }
}

/** Registers the tests; `start` starts their cluster. */
export function limitScenarios(start: () => Promise<World>): void {
  let world: World
  let admin: AdminClient

  before(async () => {
    world = await start()
    admin = new AdminClient(as(world, 'admin'))
  })

  after(async () => {
    await admin.close()
    await world.close()
  })

  async function newTopic(partitions = 4): Promise<string> {
    const topic = fresh('limits')
    await createTopic(as(world, 'admin'), topic, { numPartitions: partitions })
    return topic
  }

  test('100,000 messages go through a queue of one megabyte, which refuses more with ERR__QUEUE_FULL', async () => {
    const topic = await newTopic()
    const producer = new Producer({ ...as(world, 'admin'), 'queue.buffering.max.kbytes': 1024 }, { logger: quiet })
    const value = Buffer.alloc(100, 'x')
    let delivered = 0
    let full = 0
    let most = 0
    for (let i = 0; i < 100_000;) {
      try {
        producer.produce({ topic, value }, report => {
          if (report.error === undefined) delivered++
        })
        i++
        most = Math.max(most, producer.outstanding)
      } catch (error) {
        code(ErrorCode.ERR__QUEUE_FULL)(error)
        full++
        await new Promise(resolve => setTimeout(resolve, 1))
      }
    }
    assert.equal(await producer.flush(60_000), 0)
    assert.equal(delivered, 100_000)
    assert.ok(full > 0, 'the limit was met')
    assert.ok(most <= (1024 * 1024) / 100 + 1, `${most} messages of 100 bytes were outstanding at once`)
    await producer.close()
  })

  test('queue.buffering.max.messages refuses one more, and send waits for room instead', async () => {
    const topic = await newTopic(1)
    const producer = new Producer(
      { ...as(world, 'admin'), 'queue.buffering.max.messages': 10, 'linger.ms': 50 },
      { logger: quiet },
    )
    for (let i = 0; i < 10; i++) producer.produce({ topic, value: String(i) }, quiet)
    assert.throws(() => producer.produce({ topic, value: 'one too many' }, quiet), code(ErrorCode.ERR__QUEUE_FULL))
    const report = await producer.send({ topic, value: 'patient' })
    assert.equal(report.offset, 10)
    await producer.close()
  })

  test('a consumer that never polls holds no more than queued.max.messages.kbytes and one fetch', async () => {
    const topic = await newTopic(2)
    const producer = new Producer(as(world, 'admin'), { logger: quiet })
    const value = Buffer.alloc(10_000, 'y')
    const reports: Promise<DeliveryReport>[] = []
    for (let i = 0; i < 2000; i++) reports.push(producer.send({ topic, value, partition: i % 2 }))
    await Promise.all(reports)
    await producer.close()
    const oneFetch = 256 * 1024
    const consumer = new Consumer(
      {
        ...as(world, 'admin'),
        'queued.max.messages.kbytes': 1024,
        'fetch.max.bytes': 1_000_000,
        'fetch.message.max.bytes': oneFetch,
      },
      { logger: quiet },
    )
    const heapBefore = memoryOutside()
    await consumer.assign([0, 1].map(partition => ({ topic, partition, offset: 0 })))
    await new Promise(resolve => setTimeout(resolve, 1500))
    // The broker has 20 MB.
    const grown = memoryOutside() - heapBefore
    assert.ok(grown < 8 * 1024 * 1024, `${Math.round(grown / 1024)} KB were fetched`)
    let count = 0
    while (count < 2000) {
      const event = await consumer.poll(10_000)
      if (event?.type === 'message') count++
    }
    await consumer.close()
  })

  test('bad input is refused with a reason, and accepted messages are delivered all the same', async () => {
    const topic = await newTopic(2)
    const producer = new Producer(
      { ...as(world, 'admin'), 'message.max.bytes': 10_000, 'linger.ms': 20 },
      { logger: quiet },
    )
    await producer.getMetadata({ topic })
    const good: Promise<DeliveryReport>[] = [producer.send({ topic, value: 'before' })]
    const produce = (message: object) => () =>
      producer.produce(message as Parameters<typeof producer.produce>[0], quiet)
    assert.throws(
      produce({ topic, value: Buffer.alloc(20_000) }),
      code(ErrorCode.ERR_MSG_SIZE_TOO_LARGE, /message.max.bytes/),
    )
    assert.throws(produce({ topic: 'no good name', value: 'x' }), code(ErrorCode.ERR__INVALID_ARG, /no good name/))
    assert.throws(produce({ topic: '', value: 'x' }), code(ErrorCode.ERR__INVALID_ARG))
    assert.throws(produce({ topic: 'x'.repeat(250), value: 'x' }), code(ErrorCode.ERR__INVALID_ARG))
    assert.throws(produce({ topic, value: { an: 'object' } }), code(ErrorCode.ERR__INVALID_ARG, /value/))
    assert.throws(produce({ topic, value: 'x', key: 5 }), code(ErrorCode.ERR__INVALID_ARG, /key/))
    assert.throws(produce({ topic, value: 'x', timestamp: 0.5 }), code(ErrorCode.ERR__INVALID_ARG, /timestamp/))
    assert.throws(produce({ topic, value: 'x', partition: 7 }), code(ErrorCode.ERR__UNKNOWN_PARTITION, /7/))
    good.push(producer.send({ topic, value: 'after' }))
    for (const report of await Promise.all(good)) assert.equal(report.status, 'persisted')
    await producer.close()
    assert.throws(produce({ topic, value: 'x' }), code(ErrorCode.ERR__STATE, /closed/))
    await assert.rejects(producer.send({ topic, value: 'x' }), code(ErrorCode.ERR__STATE))
    assert.throws(
      () => new Producer(JSON.parse('{ "bootstrap.server": "x" }') as ProducerConfig),
      code(ErrorCode.ERR__INVALID_ARG, /bootstrap.servers/),
    )
    assert.throws(
      () => new Consumer(JSON.parse('{ "session.timeout.ms": "soon" }') as ConsumerConfig),
      code(ErrorCode.ERR__INVALID_ARG, /session.timeout.ms/),
    )
    const consumer = new Consumer({ ...as(world, 'admin'), 'group.id': fresh('limits') }, { logger: quiet })
    await consumer.close()
    await consumer.close()
    await assert.rejects(consumer.poll(0), code(ErrorCode.ERR__STATE, /closed/))
  })

  test('corrupt bytes from the socket are an error that names the broker, and the client continues', async () => {
    const garbage = createServer(socket => {
      socket.on('error', () => undefined)
      socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')
    })
    await new Promise<void>(resolve => garbage.listen(0, '127.0.0.1', resolve))
    const { port } = garbage.address() as AddressInfo
    const topic = await newTopic(1)
    const producer = new Producer(
      { ...as(world, 'admin'), 'bootstrap.servers': `127.0.0.1:${port},${world.bootstrapServers}` },
      { logger: quiet },
    )
    const lonely = new Producer({ ...as(world, 'admin'), 'bootstrap.servers': `127.0.0.1:${port}` }, { logger: quiet })
    const alone = new Promise<KafkaError>(resolve => lonely.on('error', event => resolve(event.error)))
    assert.match((await alone).message, new RegExp(String(port)))
    await lonely.close(0)
    assert.equal((await producer.send({ topic, value: 'through' })).status, 'persisted')
    await producer.close()
    garbage.close()
  })
}

function memoryOutside(): number {
  return process.memoryUsage().arrayBuffers
}
