/**
 * The application that the project exists for, step by step: a producer `alice` and a consumer `bob` over
 * SASL_PLAINTEXT on three brokers with ACLs. The same tests run on real Kafka and on the embedded cluster.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import assert from 'node:assert/strict'
import {
  AdminClient,
  Consumer,
  ErrorCode,
  KafkaError,
  OFFSET_BEGINNING,
  Producer,
  type AclBinding,
  type ConsumerConfig,
  type DeliveryReport,
  type Message,
  type ProducerEvent,
  type RebalanceEvent,
} from 'ottla'
import { as, fresh, type User, type World } from './world.ts'
import { createTopic } from '../harness/topics.ts'

const quiet = (): void => undefined

/** Registers the tests; `start` starts their cluster. */
export function seedScenarios(start: () => Promise<World>): void {
  let world: World
  let admin: AdminClient

  before(async () => {
    world = await start()
    admin = new AdminClient(as(world, 'admin'))
    const grants = await admin.createAcls(
      [
        // alice may create and write topics that begin with `open-`, and only write those that begin with `closed-`.
        allow('alice', 'topic', 'open-', ['write', 'create', 'describe']),
        allow('alice', 'topic', 'closed-', ['write', 'describe']),
        allow('bob', 'topic', 'open-', ['read', 'describe']),
        allow('bob', 'group', 'bob-group', ['read']),
      ].flat(),
    )
    for (const grant of grants) assert.equal(grant.error, undefined)
    for (const server of world.bootstrapServers.split(',')) {
      await reached(world, 'alice', server, 'open-probe', code => code !== ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED)
    }
  })

  after(async () => {
    await admin.close()
    await world.close()
  })

  function producer(config: object = {}, user: User = 'alice'): Producer {
    return new Producer({ ...as(world, user), ...config }, { logger: quiet })
  }

  function consumer(config: Partial<ConsumerConfig> = {}, user: User = 'bob'): Consumer {
    return new Consumer(
      { ...as(world, user), 'auto.offset.reset': 'earliest', 'session.timeout.ms': 6000, ...config },
      { logger: quiet },
    )
  }

  async function topicWith(messages: number, partitions = 4): Promise<string> {
    const topic = fresh('open-seed')
    await createTopic(as(world, 'admin'), topic, { numPartitions: partitions, replicationFactor: 3 })
    for (const server of world.bootstrapServers.split(',')) {
      await reached(world, 'admin', server, topic, code => code === ErrorCode.ERR_NO_ERROR)
    }
    await fill(topic, messages)
    return topic
  }

  async function fill(topic: string, messages: number, from = 0): Promise<void> {
    const alice = producer()
    const failures: (KafkaError | undefined)[] = []
    for (let i = from; i < from + messages; i++) {
      alice.produce({ topic, key: `key-${i % 16}`, value: `value-${i}` }, report => {
        if (report.error !== undefined) failures.push(report.error)
      })
    }
    assert.equal(await alice.flush(30_000), 0)
    await alice.close()
    assert.deepEqual(failures, [])
  }

  test('produce reports each message to its callback, else to events(), and flush waits for all', async () => {
    const topic = fresh('open-auto')
    const alice = producer()
    const events: AsyncIterator<ProducerEvent> = alice.events()[Symbol.asyncIterator]()
    const byCallback = new Promise<DeliveryReport>(resolve => {
      alice.produce({ topic, key: 'k', value: 'with a callback', opaque: 7 }, resolve)
    })
    alice.produce({ topic, key: 'k', value: 'without one', opaque: 8 })
    assert.equal(alice.outstanding > 0, true)
    assert.equal(await alice.flush(30_000), 0)
    assert.equal(await alice.flush(0), 0, 'with nothing outstanding flush returns at once')
    const report = await byCallback
    assert.equal(report.error, undefined)
    assert.equal(report.status, 'persisted')
    assert.equal(report.opaque, 7)
    assert.equal(report.value, 'with a callback')
    assert.ok(report.offset >= 0)
    for (;;) {
      const next = await events.next()
      assert.notEqual(next.done, true)
      const event = next.value as ProducerEvent // the channel has not ended
      if (event.type !== 'delivery') continue
      assert.equal(event.report.opaque, 8)
      assert.equal(event.report.partition, report.partition, 'one key, one partition')
      assert.equal(event.report.offset, report.offset + 1, 'in the order of the calls')
      break
    }
    await alice.close()
  })

  test('flush resolves with the number of outstanding messages when it times out', async () => {
    const lonely = new Producer(
      { ...as(world, 'alice'), 'bootstrap.servers': '127.0.0.1:1', 'message.timeout.ms': 60_000 },
      { logger: quiet },
    )
    for (let i = 0; i < 3; i++) lonely.produce({ topic: 'open-nowhere', value: 'x' }, quiet)
    assert.equal(await lonely.flush(50), 3)
    await lonely.close(10)
  })

  test('producing to a missing topic creates it', async () => {
    const topic = fresh('open-missing')
    const alice = producer()
    const report = await alice.send({ topic, value: 'first' })
    assert.equal(report.status, 'persisted')
    await alice.close()
    const [described] = await admin.describeTopics([topic])
    assert.equal(described?.error, undefined)
    assert.ok((described?.partitions.length ?? 0) > 0)
  })

  test('without the permission to create, the report carries the authorization error of the broker', async () => {
    const topic = fresh('closed-missing')
    const alice = producer()
    await assert.rejects(alice.send({ topic, value: 'x' }), (error: KafkaError) => {
      assert.equal(error.code, ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED)
      assert.equal(error.name, 'ERR_TOPIC_AUTHORIZATION_FAILED')
      assert.match(error.message, new RegExp(topic))
      return true
    })
    await alice.close()
    const [described] = await admin.describeTopics([topic])
    assert.equal(described?.error?.code, ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART)
  })

  test('without the permission to write, the report carries the authorization error of the broker', async () => {
    const topic = await topicWith(0)
    const mallory = producer({}, 'mallory')
    const reports: DeliveryReport[] = []
    for (let i = 0; i < 5; i++) mallory.produce({ topic, value: 'x' }, report => reports.push(report))
    assert.equal(await mallory.flush(30_000), 0)
    assert.equal(reports.length, 5)
    for (const report of reports) {
      assert.equal(report.error?.code, ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED)
      assert.equal(report.status, 'not-persisted')
    }
    await mallory.close()
  })

  test('messages with one key land in one partition, in order', async () => {
    const topic = await topicWith(2000)
    const bob = consumer({ 'group.id': fresh('bob-group-order') })
    // A prefixed ACL allows groups that begin with bob-group.
    bob.subscribe(topic)
    const messages = await read(bob, 2000)
    const byKey = new Map<string, Message[]>()
    for (const message of messages) {
      const key = String(message.key)
      byKey.set(key, [...(byKey.get(key) ?? []), message])
    }
    assert.equal(byKey.size, 16)
    for (const [key, list] of byKey) {
      assert.equal(new Set(list.map(m => m.partition)).size, 1, key)
      const numbers = list.map(m => Number(String(m.value).slice('value-'.length)))
      assert.deepEqual(
        numbers,
        numbers.toSorted((a, b) => a - b),
        key,
      )
    }
    await bob.close()
  })

  test('a wrong password is an error event, calls fail with it, and close returns', async () => {
    const wrong = new Producer({ ...as(world, 'alice'), 'sasl.password': 'not-it' }, { logger: quiet })
    const errors: KafkaError[] = []
    const authentication = new Promise<void>(resolve => {
      wrong.on('error', event => {
        errors.push(event.error)
        if (event.error.code === ErrorCode.ERR__AUTHENTICATION) resolve()
      })
    })
    await authentication
    await assert.rejects(wrong.getMetadata({ timeoutMs: 500 }), (error: KafkaError) => {
      assert.equal(error.code, ErrorCode.ERR__AUTHENTICATION)
      return true
    })
    for (const error of errors) assert.doesNotMatch(error.message, /not-it/)
    await wrong.close(100)
  })

  test('a client recovers by itself once the password is corrected', async () => {
    const topic = await topicWith(0)
    const alice = new Producer({ ...as(world, 'alice'), 'sasl.password': 'not-it' }, { logger: quiet })
    const authentication = new Promise<void>(resolve => {
      alice.on('error', event => {
        if (event.error.code === ErrorCode.ERR__AUTHENTICATION) resolve()
      })
    })
    const sent = alice.send({ topic, value: 'patient' })
    await authentication
    alice.setSaslCredentials('alice', 'alicepassword')
    assert.equal((await sent).status, 'persisted')
    await alice.close()
  })

  test('readMessage rejects for a group that is not authorised, and works once it is', async () => {
    const topic = await topicWith(3)
    const group = fresh('other-group')
    const bob = consumer({ 'group.id': group })
    bob.subscribe(topic)
    await assert.rejects(bob.readMessage(20_000), (error: KafkaError) => {
      assert.equal(error.code, ErrorCode.ERR_GROUP_AUTHORIZATION_FAILED)
      assert.match(error.message, new RegExp(group))
      return true
    })
    await admin.createAcls(allow('bob', 'group', group, ['read']))
    assert.equal((await read(bob, 3)).length, 3)
    await bob.close()
  })

  test('readMessage rejects for a topic that is not authorised', async () => {
    const topic = fresh('secret')
    await admin.createTopics([{ topic, numPartitions: 1, replicationFactor: 3 }])
    const bob = consumer({ 'group.id': fresh('bob-group') })
    bob.subscribe(topic)
    await assert.rejects(bob.readMessage(20_000), (error: KafkaError) => {
      assert.equal(error.code, ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED)
      return true
    })
    await bob.close()
  })

  test('readMessage times out with ERR__TIMED_OUT', async () => {
    const topic = await topicWith(0)
    const bob = consumer({ 'group.id': fresh('bob-group') })
    bob.subscribe(topic)
    await assert.rejects(
      bob.readMessage(200),
      (error: KafkaError) => error.isTimeout && error.code === ErrorCode.ERR__TIMED_OUT,
    )
    await bob.close()
  })

  test('the rebalance callback can assign offsets of its own', async () => {
    const topic = await topicWith(400)
    const group = fresh('bob-group')
    const first = consumer({ 'group.id': group })
    first.subscribe(topic)
    await read(first, 400)
    await first.commit()
    await first.close()
    const events: RebalanceEvent['type'][] = []
    const again = consumer({ 'group.id': group })
    again.subscribe(topic, async (event, self) => {
      events.push(event.type)
      if (event.type === 'assign') {
        await self.assign(event.partitions.map(partition => ({ ...partition, offset: OFFSET_BEGINNING })))
      }
    })
    const messages = await read(again, 400)
    assert.equal(new Set(messages.map(m => `${m.partition}/${m.offset}`)).size, 400)
    await again.close()
    assert.deepEqual(events, ['assign', 'revoke'])
  })

  test('members that join and leave share the partitions, and nothing is left behind', async () => {
    const topic = await topicWith(100)
    const group = fresh('bob-group')
    const seen = new Set<string>()
    const first = consumer({ 'group.id': group, 'client.id': 'first' })
    const second = consumer({ 'group.id': group, 'client.id': 'second' })
    first.subscribe(topic)
    for (const message of await read(first, 100)) seen.add(String(message.value))
    assert.equal(first.assignment().length, 4)
    second.subscribe(topic)
    const pumping = [pump(first, seen), pump(second, seen)]
    await until(() => first.assignment().length === 2 && second.assignment().length === 2)
    await fill(topic, 200, 100)
    await until(() => seen.size === 300)
    await second.close()
    await until(() => first.assignment().length === 4)
    await fill(topic, 100, 300)
    await until(() => seen.size === 400)
    await first.close()
    await Promise.all(pumping)
  })

  test('with the defaults, a restarted consumer continues after the delivered messages', async () => {
    const topic = await topicWith(50)
    const group = fresh('bob-group')
    const first = consumer({ 'group.id': group })
    first.subscribe(topic)
    const before20 = await read(first, 20)
    await first.close()
    const second = consumer({ 'group.id': group })
    second.subscribe(topic)
    const rest = await read(second, 30)
    await second.close()
    const all = [...before20, ...rest].map(m => `${m.partition}/${m.offset}`)
    assert.equal(new Set(all).size, 50, 'every message once')
  })

  test('a crash after an automatic commit loses delivered, unprocessed messages: at most once', async () => {
    const topic = await topicWith(40)
    const group = fresh('bob-group')
    const handed = await crashAfterReading(topic, group, { 'auto.commit.interval.ms': 100 }, 'await-commit', 10)
    const bob = consumer({ 'group.id': group })
    bob.subscribe(topic)
    const rest = await read(bob, 30)
    await bob.close()
    for (const message of rest) assert.equal(handed.has(`${message.partition}/${message.offset}`), false)
  })

  test('with manual commits, a crash repeats uncommitted messages: at least once', async () => {
    const topic = await topicWith(40, 1)
    const group = fresh('bob-group')
    const handed = await crashAfterReading(topic, group, { 'enable.auto.commit': false }, 'commit-half', 10)
    assert.equal(handed.size, 10)
    const bob = consumer({ 'group.id': group, 'enable.auto.commit': false })
    bob.subscribe(topic)
    const rest = await read(bob, 35)
    assert.equal(rest[0]?.offset, 5)
    await bob.close()
  })

  test('without automatic commits, nothing is committed unless requested', async () => {
    const topic = await topicWith(10, 1)
    const group = fresh('bob-group')
    const first = consumer({ 'group.id': group, 'enable.auto.commit': false })
    first.subscribe(topic)
    const messages = await read(first, 10)
    await first.commitMessage(messages[3] as Message) // ten were read
    const [committed] = await first.committed([{ topic, partition: 0 }], 10_000)
    assert.equal(committed?.offset, 4)
    await first.close()
    const second = consumer({ 'group.id': group, 'enable.auto.commit': false })
    second.subscribe(topic)
    assert.equal((await second.readMessage(20_000)).offset, 4)
    await second.close()
  })

  // Runs a consumer in its own process that reads and commits on request, and kills it before it can leave the group.
  async function crashAfterReading(
    topic: string,
    group: string,
    config: Partial<ConsumerConfig>,
    what: 'await-commit' | 'commit-half',
    count: number,
  ): Promise<Set<string>> {
    const settings = {
      ...as(world, 'bob'),
      'auto.offset.reset': 'earliest',
      'session.timeout.ms': 6000,
      'group.id': group,
      ...config,
    }
    const script = new URL('./crashing-consumer.ts', import.meta.url)
    const child: ChildProcess = spawn(
      process.execPath,
      [
        '--conditions=@ottla/source',
        '--import',
        'tsx',
        script.pathname,
        JSON.stringify({ settings, topic, what, count }),
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    const handed = new Set<string>()
    const { stdout } = child
    assert.ok(stdout)
    for await (const line of createInterface({ input: stdout })) {
      if (line === 'ready to die') break
      handed.add(line)
    }
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
    return handed
  }
}

function allow(
  user: User,
  resourceType: AclBinding['resourceType'],
  prefix: string,
  operations: AclBinding['operation'][],
): AclBinding[] {
  return operations.map(operation => ({
    resourceType,
    name: prefix,
    resourcePatternType: 'prefixed',
    principal: `User:${user}`,
    host: '*',
    permissionType: 'allow',
    operation,
  }))
}

/**
 * Resolves once a broker answers for a topic as expected: ACLs and topics reach each broker in its own time. The first
 * request of a client goes to the only address it knows.
 */
async function reached(
  world: World,
  user: User,
  server: string,
  topic: string,
  isReached: (code: number) => boolean,
): Promise<void> {
  for (;;) {
    const client = new AdminClient({ ...as(world, user), 'bootstrap.servers': server })
    const { topics } = await client.getMetadata({ topic })
    await client.close()
    if (isReached(topics[0]?.error?.code ?? ErrorCode.ERR_NO_ERROR)) return
  }
}

async function read(consumer: Consumer, count: number): Promise<Message[]> {
  const messages: Message[] = []
  const deadline = performance.now() + 60_000
  while (messages.length < count) {
    try {
      messages.push(await consumer.readMessage(1000))
    } catch (error) {
      // A new ACL takes a moment to reach every broker.
      const passing =
        error instanceof KafkaError && (error.isTimeout || error.code === ErrorCode.ERR_GROUP_AUTHORIZATION_FAILED)
      if (!passing || performance.now() > deadline) {
        throw new Error(`${messages.length} of ${count} messages were read`, { cause: error })
      }
    }
  }
  return messages
}

async function pump(consumer: Consumer, seen: Set<string>): Promise<void> {
  while (!consumer.closed) {
    const event = await consumer.poll(100).catch(() => null)
    if (event?.type === 'message') seen.add(String(event.message.value))
  }
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 60_000
  while (!condition()) {
    if (performance.now() > deadline) assert.fail(`never came true: ${condition.toString()}`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}
