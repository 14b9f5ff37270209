/** `ShareConsumer.run`: handlers that never end, take too long, throw non-errors, or close the consumer. */
import { test, type TestContext } from 'node:test'
import assert from 'node:assert/strict'
import { ErrorCode, KafkaError, ShareConsumer, type ShareConsumerConfig } from 'ottla'
import { gate, quiet, until } from './reading-ways.ts'
import { plainClients, type PlainWorld } from './plain-world.ts'
import { fresh } from './world.ts'
import { createTopic } from '../harness/topics.ts'

/** @param start a cluster that serves share groups */
export function shareRunControlScenarios(start: () => Promise<PlainWorld>): void {
  const world = plainClients(start)

  async function groupAndTopic(count: number): Promise<{ group: string; topic: string }> {
    const [group, topic] = [fresh('sharers'), fresh('share')]
    const settings = {
      'share.auto.offset.reset': 'earliest',
      'share.assignment.interval.ms': '0',
      'share.heartbeat.interval.ms': '200',
    }
    const entries = Object.entries(settings).map(([name, value]) => ({ name, value, operation: 'set' as const }))
    const [altered] = await world.admin.incrementalAlterConfigs([{ type: 'group', name: group, entries }])
    assert.equal(altered?.error, undefined)
    await createTopic(world.bootstrapServers, topic, { replicationFactor: 1 })
    const messages = Array.from({ length: count }, (_, i) => ({ topic, partition: 0, value: String(i) }))
    for (const { error } of await world.producer.sendBatch(messages)) assert.equal(error, undefined)
    return { group, topic }
  }

  function member(
    t: TestContext,
    group: string,
    topic: string,
    config: Partial<ShareConsumerConfig> = {},
  ): ShareConsumer {
    const made = new ShareConsumer(
      { 'bootstrap.servers': world.bootstrapServers, 'group.id': group, 'fetch.wait.max.ms': 100, ...config },
      { logger: quiet },
    )
    t.after(() => made.close(2000))
    made.subscribe(topic)
    return made
  }

  test('a handler that never ends costs its member the membership, and its message goes to another', async t => {
    const { group, topic } = await groupAndTopic(1)
    const hanging = member(t, group, topic, { 'max.poll.interval.ms': 1500 })
    const errors: KafkaError[] = []
    hanging.on('error', ({ error }) => errors.push(error))
    const go = gate()
    let hung = 0
    let isAborted = false
    const running = hanging.run({
      concurrency: 2,
      handler: async (_, { signal }) => {
        hung++
        signal.addEventListener('abort', () => (isAborted = true))
        await go.opened
      },
    })
    await until('it hangs', () => hung === 1)
    const working = member(t, group, topic)
    const done: string[] = []
    const other = working.run({
      handler: ({ value, deliveryCount }) => void done.push(`${String(value)} ${deliveryCount}`),
    })
    await until('the other has it', () => done.length === 1)
    assert.deepEqual(done, ['0 2'])
    assert.deepEqual([hung, isAborted, hanging.assignment().length], [1, true, 0])
    assert.deepEqual(
      errors.map(({ code }) => code),
      [ErrorCode.ERR__MAX_POLL_EXCEEDED],
    )
    assert.match(errors[0]?.message ?? '', /\[0\]: its handler has been processing offset 0/)
    go.open()
    await until('it is back', () => hanging.assignment().length === 1)
    await working.close()
    await other
    await world.producer.send({ topic, partition: 0, value: 'next' })
    await until('it works again', () => hung === 2)
    await hanging.close()
    await running
  })

  test('a handler that exceeds handlerTimeoutMs counts as failed, once', async t => {
    const { group, topic } = await groupAndTopic(2)
    const consumer = member(t, group, topic)
    const go = gate()
    const [failed, done]: [unknown[], string[]] = [[], []]
    const running = consumer.run({
      handlerTimeoutMs: 100,
      handler: async ({ value, deliveryCount }) => {
        if (String(value) === '0' && deliveryCount === 1) {
          await go.opened
          throw new Error('nobody is interested in this')
        }
        done.push(String(value))
      },
      onError: error => {
        failed.push(error)
        return 'release'
      },
    })
    await until('both are done', () => done.length === 2)
    go.open()
    await consumer.close()
    await running
    assert.equal(failed.length, 1)
    assert.ok(failed[0] instanceof KafkaError)
    assert.match(failed[0].message, /offset 0 took longer than handlerTimeoutMs=100/)
  })

  test('a value that onError throws and that is not an Error is the cause of the run’s error', async t => {
    const { group, topic } = await groupAndTopic(1)
    const thrown = { code: 42 }
    const failing = member(t, group, topic).run({
      handler: () => {
        throw new Error('the reason')
      },
      onError: () => {
        throw thrown as unknown as Error
      },
    })
    await assert.rejects(failing, (error: Error) => error instanceof KafkaError && error.cause === thrown)
  })

  test('close that nobody awaits waits for running handlers, and their messages are accepted', async t => {
    const { group, topic } = await groupAndTopic(2)
    const consumer = member(t, group, topic)
    const done: string[] = []
    await consumer.run({
      handler: async ({ value }) => {
        await new Promise(resolve => setTimeout(resolve, 5))
        void consumer.close()
        await new Promise(resolve => setTimeout(resolve, 50))
        done.push(String(value))
      },
    })
    assert.deepEqual(done, ['0'])
    const next = member(t, group, topic)
    for await (const { value } of next) {
      assert.equal(String(value), '1')
      break
    }
    await next.close()
  })

  for (const way of ['run', 'for await'] as const) {
    test(`close awaited in a handler does not wait for that handler: ${way}`, async t => {
      const { group, topic } = await groupAndTopic(5)
      const consumer = member(t, group, topic)
      const done: string[] = []
      let took = Infinity
      const work = async (value: string): Promise<void> => {
        await new Promise(resolve => setTimeout(resolve, 1))
        if (value === '3') {
          const began = Date.now()
          await consumer.close()
          took = Date.now() - began
        }
        done.push(value)
      }
      if (way === 'run') await consumer.run({ handler: ({ value }) => work(String(value)) })
      else for await (const { value } of consumer) await work(String(value))
      assert.ok(took < 10_000, `it has taken ${took} ms`)
      assert.deepEqual(done, ['0', '1', '2', '3'])
      const next = member(t, group, topic)
      const rest: string[] = []
      for await (const { value } of next) {
        rest.push(String(value))
        if (rest.length === 2) break
      }
      assert.deepEqual(rest.sort(), ['3', '4'])
      await next.close()
    })
  }
}
