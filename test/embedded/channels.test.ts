/** What the client publishes on the tracing channels of node:diagnostics_channel. */
import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { tracingChannel } from 'node:diagnostics_channel'
import { after, before, test, type TestContext } from 'node:test'
import { EmbeddedCluster } from '@ottla/broker'
import {
  AdminClient,
  Consumer,
  ErrorCode,
  KafkaError,
  Producer,
  ShareConsumer,
  type ConsumerConfig,
  type ProducerConfig,
} from 'ottla'
import { ended, listen, record } from '../harness/channel-recorder.ts'

const quiet = (): void => undefined
const PRODUCE = 0

let cluster: EmbeddedCluster
let names = 0
const fresh = (prefix: string): string => `${prefix}-${++names}`

before(async () => {
  cluster = await EmbeddedCluster.start({ autoCreateTopics: false })
})
after(() => cluster.close())

function topic(partitions = 1): string {
  const name = fresh('topic')
  cluster.createTopic(name, { partitions })
  return name
}

function producer(t: TestContext, config: Partial<ProducerConfig> = {}): Producer {
  const made = new Producer({ 'bootstrap.servers': cluster.bootstrapServers, ...config }, { logger: quiet })
  t.after(() => made.close())
  return made
}

function consumer(t: TestContext, config: Partial<ConsumerConfig> = {}): Consumer {
  const servers = { 'bootstrap.servers': cluster.bootstrapServers, 'group.id': fresh('group') }
  const made = new Consumer({ ...servers, 'auto.offset.reset': 'earliest', ...config }, { logger: quiet })
  t.after(() => made.close())
  return made
}

test('a sent message: the connection, the message, its batch, its request, its report', async t => {
  const name = topic()
  const connect = record(t, 'ottla:connect')
  const send = record(t, 'ottla:send')
  const produce = record(t, 'ottla:produce')
  const delivery = record(t, 'ottla:delivery')
  const request = record(t, 'ottla:request')
  const sender = producer(t, { 'client.id': 'shop' })
  const report = await sender.send({ topic: name, key: 'k', value: 'v' })
  assert.deepEqual(
    send.map(({ step }) => step),
    ['start', 'end', 'asyncStart', 'asyncEnd'],
  )
  const [message] = ended(send)
  assert.deepEqual(message?.client, {
    name: message?.client.name,
    kind: 'producer',
    clientId: 'shop',
    groupId: null,
    transactionalId: null,
  })
  assert.deepEqual(message.result, report)
  const [batch] = ended(produce)
  assert.ok(batch !== undefined && batch.sizeBytes > 0 && batch.queuedMs >= 0)
  assert.deepEqual(
    [batch.topic, batch.partition, batch.brokerId, batch.messageCount, batch.attempt, batch.result],
    [name, 0, 1, 1, 1, { status: 'persisted', baseOffset: 0 }],
  )
  assert.equal(batch.messages[0]?.value, 'v')
  assert.deepEqual(
    delivery.map(({ step, payload: { topic: of, messageCount, status } }) => [step, of, messageCount, status]),
    ['start', 'end'].map(step => [step, name, 1, 'persisted']),
  )
  const asked = ended(request).find(({ apiKey }) => apiKey === PRODUCE)
  assert.equal(asked?.apiName, 'Produce')
  assert.ok(asked.requestBytes > 20 && asked.result !== undefined && asked.result.responseBytes > 10)
  assert.match(asked.broker.name, /^127\.0\.0\.1:\d+\/1$/)
  assert.ok(ended(connect).length > 0)
  assert.equal(ended(connect)[0]?.broker.host, '127.0.0.1')
})

test('a message may be an instance of a class with getters', async t => {
  const name = topic()
  record(t, 'ottla:send')
  class Order {
    readonly #value = 'v'
    get topic(): string {
      return name
    }
    get value(): string {
      return this.#value
    }
  }
  const report = await producer(t).send(new Order())
  assert.equal(report.value, 'v')
  const reader = consumer(t)
  reader.subscribe(name)
  const { value } = await reader.readMessage(10_000)
  assert.equal(value?.toString(), 'v')
})

test('a subscriber may send another message instead: the application keeps its own', async t => {
  const name = topic()
  listen(t, 'ottla:send', 'start', payload => {
    payload.message = { ...payload.message, headers: { trace: 'abc' } }
  })
  const sender = producer(t)
  const own = { topic: name, value: 'v', opaque: 7 }
  const reports = [await sender.send(own), ...(await sender.sendBatch([own]))]
  reports.push(await new Promise(resolve => sender.produce(own, resolve)))
  await sender.writable().getWriter().write(own)
  await sender.flush()
  assert.deepEqual(own, { topic: name, value: 'v', opaque: 7 })
  assert.deepEqual(
    reports.map(({ opaque }) => opaque),
    [7, 7, 7],
  )
  const reader = consumer(t)
  reader.subscribe(name)
  for (let i = 0; i < 4; i++) {
    const { headers } = await reader.readMessage(10_000)
    assert.deepEqual(
      headers.map(({ key, value }) => [key, String(value)]),
      [['trace', 'abc']],
    )
  }
})

test('one object sent many times at once is as many messages', async t => {
  const name = topic()
  const send = record(t, 'ottla:send')
  const own = { topic: name, value: 'v' }
  const sender = producer(t)
  await Promise.all([1, 2, 3].map(() => sender.send(own)))
  assert.deepEqual(
    ended(send)
      .map(({ result }) => result?.offset)
      .sort(),
    [0, 1, 2],
  )
})

test('a message that is not accepted, and one that is not delivered, end with their errors', async t => {
  const name = topic()
  const send = record(t, 'ottla:send')
  const produce = record(t, 'ottla:produce')
  const delivery = record(t, 'ottla:delivery')
  const sender = producer(t)
  assert.throws(() => sender.produce({ topic: name, partition: -7, value: 'v' }))
  await sender.send({ topic: name, value: 'v' })
  // From here on the batch says whether somebody subscribes.
  assert.throws(() => sender.produce({ topic: name, value: Buffer.alloc(2_000_000) }))
  cluster.failPartition(name, 0, PRODUCE, [ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED])
  await assert.rejects(sender.send({ topic: name, value: 'v' }))
  const errors = ended(send).map(({ error }) => (error instanceof KafkaError ? error.name : error))
  const refused = 'ERR_TOPIC_AUTHORIZATION_FAILED'
  assert.deepEqual(errors, ['ERR__INVALID_ARG', undefined, 'ERR_MSG_SIZE_TOO_LARGE', refused])
  assert.deepEqual(
    ended(produce).map(({ result }) => result?.status),
    ['persisted', 'not-persisted'],
  )
  assert.equal(delivery.filter(({ step }) => step === 'error').length, 1)
})

test('a batch that is sent again is published each time', async t => {
  const name = topic()
  const produce = record(t, 'ottla:produce')
  const send = record(t, 'ottla:send')
  const sender = producer(t, { 'retry.backoff.ms': 10 })
  cluster.failPartition(name, 0, PRODUCE, [ErrorCode.ERR_NOT_ENOUGH_REPLICAS])
  await sender.send({ topic: name, value: 'v' })
  assert.deepEqual(
    ended(produce).map(({ attempt, result, error }) => [attempt, result?.status, error instanceof KafkaError]),
    [
      [1, 'retried', true],
      [2, 'persisted', false],
    ],
  )
  assert.equal(ended(send).length, 1)
})

test('a subscriber that comes later sees sends at once, and produced messages from the next batch on', async t => {
  const name = topic()
  const sender = producer(t)
  sender.produce({ topic: name, value: 'before' })
  await sender.flush()
  const send = record(t, 'ottla:send')
  await sender.send({ topic: name, value: 'sent' })
  for (const value of ['first', 'second']) {
    sender.produce({ topic: name, value })
    await sender.flush()
  }
  assert.deepEqual(
    ended(send).map(({ message }) => message.value),
    ['sent', 'first', 'second'],
  )
})

test('messages that are in flight when the last subscriber leaves are delivered all the same', async t => {
  const name = topic()
  const sender = producer(t)
  const ends = [
    listen(t, 'ottla:send', 'start', quiet),
    listen(t, 'ottla:produce', 'start', quiet),
    listen(t, 'ottla:request', 'start', quiet),
  ]
  const sent = sender.send({ topic: name, value: 'v' })
  for (const end of ends) end()
  assert.equal((await sent).offset, 0)
  assert.equal((await sender.send({ topic: name, value: 'v' })).offset, 1)
})

test('a consumer: rebalances, fetches with what they brought, commits with their results', async t => {
  const name = topic(2)
  const sender = producer(t)
  for (const partition of [0, 1]) await sender.send({ topic: name, partition, value: 'x' })
  const rebalance = record(t, 'ottla:rebalance')
  const fetch = record(t, 'ottla:fetch')
  const commit = record(t, 'ottla:commit')
  const reader = consumer(t, { 'enable.auto.commit': false, 'group.id': 'seen' })
  reader.subscribe(name)
  for (let i = 0; i < 2; i++) await reader.readMessage(10_000)
  await reader.commit()
  await reader.close()
  assert.deepEqual(
    ended(rebalance).map(({ type, client, partitions }) => [type, client.groupId, partitions.length]),
    [
      ['assign', 'seen', 2],
      ['revoke', 'seen', 2],
    ],
  )
  const fetched = ended(fetch).flatMap(payload => payload.fetched)
  assert.deepEqual(
    fetched.map(({ topic: of, messageCount }) => [of, messageCount]),
    [
      [name, 1],
      [name, 1],
    ],
  )
  assert.ok(fetched.every(({ sizeBytes }) => sizeBytes > 60))
  assert.deepEqual(
    ended(commit).map(({ result }) => result?.map(({ offset }) => offset)),
    [[1, 1]],
  )
})

test('the work of handlers is published: of messages, with every attempt, and of batches', async t => {
  const name = topic()
  const sender = producer(t)
  await sender.sendBatch([1, 2].map(n => ({ topic: name, value: String(n) })))
  const work = record(t, 'ottla:process')
  const reader = consumer(t)
  reader.subscribe(name)
  const stop = new AbortController()
  await reader.run({
    signal: stop.signal,
    retry: { retries: 1, backoffMs: 1 },
    handler: ({ value }, { attempt }) => {
      if (attempt === 1) throw new Error('not now')
      if (String(value) === '2') stop.abort()
    },
  })
  assert.deepEqual(
    ended(work).map(({ offset, attempt, message, batch, messageCount, error }) => [
      offset,
      attempt,
      message === null ? null : String(message.value),
      batch,
      messageCount,
      error === undefined,
    ]),
    [
      [0, 1, '1', null, 1, false],
      [0, 2, '1', null, 1, true],
      [1, 1, '2', null, 1, false],
      [1, 2, '2', null, 1, true],
    ],
  )
  await reader.close()
  work.length = 0
  const batches = consumer(t)
  batches.subscribe(name)
  const end = new AbortController()
  await batches.run({ signal: end.signal, handlerTimeoutMs: 10_000, batchHandler: () => end.abort() })
  assert.deepEqual(
    ended(work).map(({ offset, messageCount, message, batch }) => [offset, messageCount, message, batch !== null]),
    [[0, 2, null, true]],
  )
})

test('the work of share handlers is published with its delivery count', async t => {
  const name = topic()
  const groupId = fresh('share')
  const settings = [{ name: 'share.auto.offset.reset', value: 'earliest', operation: 'set' }] as const
  await using admin = new AdminClient({ 'bootstrap.servers': cluster.bootstrapServers }, { logger: quiet })
  await admin.incrementalAlterConfigs([{ type: 'group', name: groupId, entries: settings }])
  await producer(t).send({ topic: name, value: 'v' })
  const work = record(t, 'ottla:process')
  const config = { 'bootstrap.servers': cluster.bootstrapServers, 'group.id': groupId }
  await using reader = new ShareConsumer(config, { logger: quiet })
  reader.subscribe(name)
  const stop = new AbortController()
  await reader.run({
    signal: stop.signal,
    handler: ({ deliveryCount }) => {
      if (deliveryCount === 1) throw new Error('not now')
      stop.abort()
    },
  })
  assert.deepEqual(
    ended(work).map(({ attempt, error, client }) => [attempt, error === undefined, client.groupId === groupId]),
    [
      [1, false, true],
      [2, true, true],
    ],
  )
})

test('a handler runs in the store that is bound to the start, and within the function that a subscriber sets', async t => {
  const name = topic()
  await producer(t).send({ topic: name, value: 'v' })
  const bound = new AsyncLocalStorage<string>()
  const entered = new AsyncLocalStorage<string>()
  const { start } = tracingChannel<string, { topic: string; within?: <T>(call: () => T) => T }>('ottla:process')
  start.bindStore(bound, payload => payload.topic)
  t.after(() => start.unbindStore(bound))
  listen(t, 'ottla:process', 'start', payload => {
    payload.within = call => entered.run('within', call)
  })
  const reader = consumer(t)
  reader.subscribe(name)
  const stop = new AbortController()
  await reader.run({
    signal: stop.signal,
    handler: async () => {
      await new Promise(resolve => setImmediate(resolve))
      assert.deepEqual([bound.getStore(), entered.getStore()], [name, 'within'])
      stop.abort()
    },
  })
})

test('a handler that returns nothing is called once within the function of a subscriber', async t => {
  const name = topic()
  await producer(t).send({ topic: name, value: 'v' })
  listen(t, 'ottla:process', 'start', payload => {
    payload.within = call => call()
  })
  for (const kind of ['handler', 'batchHandler'] as const) {
    const reader = consumer(t)
    reader.subscribe(name)
    const stop = new AbortController()
    let calls = 0
    const handle = (): void => {
      calls++
      stop.abort()
    }
    const { signal } = stop
    await reader.run(kind === 'handler' ? { signal, handler: handle } : { signal, batchHandler: handle })
    assert.equal(calls, 1)
  }
})

for (const kind of ['messages', 'batches'] as const) {
  test(`a handler of ${kind} that awaits close() is not waited for while its work is followed, either`, async t => {
    const name = topic()
    await producer(t).send({ topic: name, value: 'v' })
    const work = record(t, 'ottla:process')
    const reader = consumer(t)
    reader.subscribe(name)
    const begun = Date.now()
    const handle = async (): Promise<void> => {
      await Promise.resolve()
      await reader.close()
    }
    await reader.run(kind === 'messages' ? { handler: handle } : { batchHandler: handle })
    assert.ok(Date.now() - begun < 20_000)
    assert.equal(ended(work).length, 1)
  })
}

test('the calls of a transaction, and those of an administrator', async t => {
  const name = topic()
  const transaction = record(t, 'ottla:transaction')
  const id = fresh('txn')
  const sender = producer(t, { 'transactional.id': id })
  await sender.transaction(async tx => {
    await tx.send({ topic: name, value: 'v' })
  })
  await assert.rejects(sender.transaction(() => Promise.reject(new Error('no'))))
  assert.deepEqual(
    ended(transaction).map(({ operation, client }) => [operation, client.transactionalId]),
    ['initTransactions', 'commitTransaction', 'abortTransaction'].map(operation => [operation, id]),
  )
  const calls = record(t, 'ottla:admin')
  await using admin = AdminClient.from(sender)
  await admin.describeTopics([name])
  await assert.rejects(admin.listConsumerGroupOffsets(''))
  assert.deepEqual(
    ended(calls).map(({ call, error }) => [call, error === undefined]),
    [
      ['describeTopics', true],
      ['listConsumerGroupOffsets', false],
    ],
  )
})

test('authentication: its mechanism and its failure, and no credentials', async t => {
  const users = { alice: 'secret-word' }
  await using secured = await EmbeddedCluster.start({ sasl: { mechanisms: ['PLAIN'], users } })
  const authenticate = record(t, 'ottla:authenticate')
  const connect = record(t, 'ottla:connect')
  for (const password of ['secret-word', 'wrong-word']) {
    await using admin = new AdminClient(
      {
        'bootstrap.servers': secured.bootstrapServers,
        'security.protocol': 'sasl_plaintext',
        'sasl.mechanisms': 'PLAIN',
        'sasl.username': 'alice',
        'sasl.password': password,
      },
      { logger: quiet },
    )
    await admin.clusterId().catch(quiet)
  }
  const outcomes = ended(authenticate).map(({ mechanism, isRenewal, error }) => [
    mechanism,
    isRenewal,
    error instanceof KafkaError ? error.code : null,
  ])
  assert.deepEqual(outcomes[0], ['PLAIN', false, null])
  assert.deepEqual(outcomes.at(-1), ['PLAIN', false, ErrorCode.ERR__AUTHENTICATION])
  assert.ok(ended(connect).some(({ error }) => error instanceof KafkaError))
  const all = JSON.stringify([authenticate, connect], (_, value: unknown) =>
    value instanceof Error ? String(value) : value,
  )
  assert.doesNotMatch(all, /(secret|wrong)-word/)
})
