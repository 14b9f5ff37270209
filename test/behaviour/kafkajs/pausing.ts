/** What kafkajs's specs ask of pause and resume, and of handlers that fail. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  KafkaJSError,
  KafkaJSNonRetriableError,
  KafkaJSNumberOfRetriesExceeded,
  type Consumer,
  type ConsumerCrashEvent,
  type EachMessagePayload,
} from '@ottla/kafkajs'
import { fresh } from '../world.ts'
import { anything, facadeOf, messages, nextEvent, pause, type PlainCluster, until } from './facade-world.ts'

const retry = { retries: 5, initialRetryTime: 20, maxRetryTime: 50 }

/** @param start a cluster of one broker */
export function pausingScenarios(start: () => Promise<PlainCluster>): void {
  const facade = facadeOf(start)

  async function sent(topic: string, count: number, partition = 0): Promise<void> {
    const producer = facade.producer()
    await producer.connect()
    await producer.send({ topic, messages: messages(count).map(message => ({ ...message, partition })) })
  }

  async function subscribed(topics: readonly string[], config: object = {}): Promise<Consumer> {
    const consumer = facade.consumer({ retry, ...config })
    await consumer.connect()
    await consumer.subscribe({ topics: [...topics], fromBeginning: true })
    return consumer
  }

  test('what cannot be paused or resumed is refused', () => {
    const consumer = facade.consumer()
    for (const call of ['pause', 'resume'] as const) {
      const of = (given: unknown) => (): void => consumer[call](anything(given))
      assert.throws(of([{ topic: null, partitions: [0] }]), {
        name: 'KafkaJSNonRetriableError',
        message: 'Invalid topic null',
      })
      assert.throws(of([{ topic: 't', partitions: 'a' }]), /Array of valid partitions required/)
      assert.throws(of([{ topic: 't', partitions: ['a'] }]), /Array of valid partitions required/)
      assert.throws(of([{ topic: 't', partitions: [0] }]), /consumer#run must be called first/)
    }
    assert.deepEqual(consumer.paused(), [])
  })

  test('a paused topic is not read, and continues where it was', async () => {
    const [quiet, busy] = [await facade.topic(2), await facade.topic(2)]
    const consumer = await subscribed([quiet, busy])
    const seen: string[] = []
    await consumer.run({
      eachMessage: ({ topic, partition, message }) => {
        seen.push(`${topic === quiet ? 'quiet' : 'busy'} ${partition} ${message.offset}`)
        return Promise.resolve()
      },
    })
    consumer.pause([{ topic: quiet }])
    assert.deepEqual(consumer.paused(), [{ topic: quiet, partitions: [0, 1] }])
    for (const topic of [quiet, busy]) await sent(topic, 1)
    await sent(quiet, 1, 1)
    await until('the other has come', () => seen.length === 1)
    await pause(300)
    assert.deepEqual(seen, ['busy 0 0'])
    consumer.resume([{ topic: quiet, partitions: [1] }])
    assert.deepEqual(consumer.paused(), [{ topic: quiet, partitions: [0] }])
    await until('one partition has come', () => seen.length === 2)
    assert.equal(seen[1], 'quiet 1 0')
    consumer.resume([{ topic: quiet }])
    assert.deepEqual(consumer.paused(), [])
    await until('all has come', () => seen.length === 3)
  })

  test('a topic that is paused before it is assigned is not read either', async () => {
    const topic = await facade.topic()
    await sent(topic, 1)
    const consumer = await subscribed([topic])
    let count = 0
    const running = consumer.run({ eachMessage: () => Promise.resolve(void count++) })
    consumer.pause([{ topic }])
    await running
    await pause(300)
    assert.equal(count, 0)
    assert.deepEqual(consumer.paused(), [{ topic, partitions: [0] }])
    consumer.resume(consumer.paused())
    await until('it has come', () => count === 1)
  })

  test('pause within eachMessage takes effect behind this message', async () => {
    const topic = await facade.topic(2)
    await sent(topic, 5)
    await sent(topic, 3, 1)
    const consumer = await subscribed([topic])
    const seen: string[] = []
    await consumer.run({
      eachMessage: ({ partition, message, pause: pauseIt }) => {
        seen.push(`${partition} ${message.offset}`)
        if (partition === 0 && message.offset === '1') {
          const resume = pauseIt()
          assert.deepEqual(consumer.paused(), [{ topic, partitions: [0] }])
          setTimeout(resume, 300)
        }
        return Promise.resolve()
      },
    })
    await until('all have come', () => seen.length === 8)
    const first = seen.filter(each => each.startsWith('0'))
    assert.deepEqual(first, ['0 0', '0 1', '0 2', '0 3', '0 4'])
  })

  test('pausing and then throwing keeps the message for later, and other partitions go on', async () => {
    const topic = await facade.topic(2)
    await sent(topic, 3)
    await sent(topic, 3, 1)
    const consumer = await subscribed([topic])
    const seen: string[] = []
    let resume: (() => void) | null = null
    await consumer.run({
      eachMessage: ({ partition, message, pause: pauseIt }) => {
        if (resume === null && partition === 0 && message.offset === '1') {
          resume = pauseIt()
          throw new Error('the dependency is busy')
        }
        seen.push(`${partition} ${message.offset}`)
        return Promise.resolve()
      },
    })
    await until('the others have come', () => seen.length === 4)
    await pause(300)
    assert.deepEqual(seen.sort(), ['0 0', '1 0', '1 1', '1 2'])
    ;(resume as unknown as () => void)()
    await until('the rest has come', () => seen.length === 6)
    assert.deepEqual(seen.slice(4), ['0 1', '0 2'])
  })

  test('eachBatch may pause in the middle of a batch, and get the rest later', async () => {
    const topic = await facade.topic()
    await sent(topic, 6)
    const consumer = await subscribed([topic])
    const seen: string[] = []
    let resume: (() => void) | null = null
    await consumer.run({
      eachBatchAutoResolve: false,
      eachBatch: ({ batch, resolveOffset, pause: pauseIt }) => {
        for (const { offset } of batch.messages) {
          if (resume === null && offset === '2') {
            resume = pauseIt()
            break
          }
          seen.push(offset)
          resolveOffset(offset)
        }
        return Promise.resolve()
      },
    })
    await until('it has paused', () => resume !== null)
    await pause(300)
    assert.deepEqual(seen, ['0', '1'])
    ;(resume as unknown as () => void)()
    await until('the rest has come', () => seen.length === 6)
    assert.deepEqual(seen, ['0', '1', '2', '3', '4', '5'])
  })

  test('a message whose handler fails comes again; what was processed before does not', async () => {
    const topic = await facade.topic()
    await sent(topic, 4)
    const consumer = await subscribed([topic])
    const seen: string[] = []
    await consumer.run({
      eachMessage: ({ message }) => {
        seen.push(message.offset)
        if (seen.filter(each => each === '2').length < 3 && message.offset === '2') throw new Error('fail')
        return Promise.resolve()
      },
    })
    await until('all are processed', () => seen.at(-1) === '3')
    assert.deepEqual(seen, ['0', '1', '2', '2', '2', '3'])
  })

  test('a batch whose handler fails comes again from what it has not resolved', async () => {
    const topic = await facade.topic()
    await sent(topic, 3)
    const consumer = await subscribed([topic])
    const seen: string[][] = []
    await consumer.run({
      eachBatch: ({ batch, resolveOffset }) => {
        seen.push(batch.messages.map(({ offset }) => offset))
        if (seen.length === 1) throw new Error('fail once')
        if (seen.length === 2) {
          resolveOffset('0')
          throw new Error('fail twice')
        }
        return Promise.resolve()
      },
    })
    await until('all are processed', () => seen.length === 3)
    assert.deepEqual(seen, [
      ['0', '1', '2'],
      ['0', '1', '2'],
      ['1', '2'],
    ])
  })

  test('when all retries have failed the consumer crashes, starts again, and the message comes again', async () => {
    const topic = await facade.topic()
    await sent(topic, 2)
    const groupId = fresh('group')
    const consumer = await subscribed([topic], { groupId, retry: { retries: 1, initialRetryTime: 10 } })
    const seen: string[] = []
    const crash = nextEvent<ConsumerCrashEvent>(consumer, consumer.events.CRASH)
    await consumer.run({
      eachMessage: ({ message }) => {
        seen.push(message.offset)
        if (seen.length <= 3 && message.offset === '1') throw new Error('💣')
        return Promise.resolve()
      },
    })
    const { payload } = await crash
    assert.deepEqual([payload.groupId, payload.restart], [groupId, true])
    const { error } = payload
    assert.ok(error instanceof KafkaJSNumberOfRetriesExceeded)
    assert.deepEqual([error.message, error.retryCount, error.cause?.message], ['💣', 1, '💣'])
    await until('it is processed', () => seen.length === 4)
    assert.deepEqual(seen, ['0', '1', '1', '1'])
  })

  test('restartOnFailure decides whether it starts again', async () => {
    const topic = await facade.topic()
    await sent(topic, 1)
    const asked: Error[] = []
    const restartOnFailure = (error: Error): Promise<boolean> => {
      asked.push(error)
      return Promise.resolve(asked.length === 1)
    }
    const config = { retry: { retries: 0, initialRetryTime: 10, restartOnFailure } }
    const consumer = await subscribed([topic], config)
    const crashes: boolean[] = []
    consumer.on(consumer.events.CRASH, event => crashes.push(event.payload.restart))
    let calls = 0
    await consumer.run({
      eachMessage: () => {
        calls++
        throw new Error('💣')
      },
    })
    await until('it has crashed twice', () => crashes.length === 2)
    await pause(200)
    assert.deepEqual([crashes, calls], [[true, false], 2])
    assert.ok(asked.every(error => error instanceof KafkaJSNumberOfRetriesExceeded))
  })

  test('a mistake in the program is not retried, and the consumer stays down', async () => {
    const topic = await facade.topic()
    await sent(topic, 1)
    const consumer = await subscribed([topic])
    const crash = nextEvent<ConsumerCrashEvent>(consumer, consumer.events.CRASH)
    let calls = 0
    await consumer.run({
      eachMessage: (payload: EachMessagePayload) => {
        calls++
        return Promise.resolve(void (payload as unknown as { no: { such: string } }).no.such)
      },
    })
    const { payload } = await crash
    assert.equal(payload.restart, false)
    assert.ok(payload.error instanceof KafkaJSNonRetriableError)
    assert.ok((payload.error.cause as unknown) instanceof TypeError)
    await pause(200)
    assert.equal(calls, 1)
  })

  for (const retriable of [true, false]) {
    test(`an error says itself whether a retry may help: ${retriable}`, async () => {
      const topic = await facade.topic()
      await sent(topic, 1)
      const consumer = await subscribed([topic], { retry: { retries: 2, initialRetryTime: 10 } })
      const crash = nextEvent<ConsumerCrashEvent>(consumer, consumer.events.CRASH)
      let calls = 0
      await consumer.run({
        eachMessage: () => {
          calls++
          throw new KafkaJSError('💣', { retriable })
        },
      })
      const { payload } = await crash
      await consumer.disconnect()
      assert.deepEqual([payload.restart, calls], [retriable, retriable ? 3 : 1])
    })
  }
}
