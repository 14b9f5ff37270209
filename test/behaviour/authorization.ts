/** Missing rights are reported, and clients continue by themselves once an ACL grants them. */
import { after, before, test } from 'node:test'
import assert from 'node:assert/strict'
import {
  AdminClient,
  Consumer,
  Producer,
  type AclBinding,
  type AclOperation,
  type AclResourceType,
  type ClientConfig,
  type KafkaError,
} from 'ottla'
import { fresh } from './world.ts'
import { createTopic } from '../harness/topics.ts'

const MECHANISM = 'SCRAM-SHA-256'
const WAIT_MS = 20_000
const quiet = (): void => undefined

interface World {
  readonly bootstrapServers: string
  /** May do everything; logs in by PLAIN. */
  readonly admin: { readonly username: string; readonly password: string }
  close(): Promise<void>
}

/** @param start a cluster with PLAIN, SCRAM and ACLs, where the admin may do everything */
export function authorizationScenarios(start: () => Promise<World>): void {
  let world: World
  let admin: AdminClient

  before(async () => {
    world = await start()
    admin = new AdminClient(login('PLAIN', world.admin.username, world.admin.password), { logger: quiet })
  })

  after(async () => {
    await admin.close()
    await world.close()
  })

  function login(mechanism: string, username: string, password: string): ClientConfig {
    return {
      'bootstrap.servers': world.bootstrapServers,
      'security.protocol': 'sasl_plaintext',
      'sasl.mechanisms': mechanism,
      'sasl.username': username,
      'sasl.password': password,
    }
  }

  /** A user without rights. */
  async function newUser(): Promise<string> {
    const user = fresh('nobody')
    const [done] = await admin.alterUserScramCredentials([
      { user, mechanism: MECHANISM, iterations: 4096, password: 'secret' },
    ])
    assert.equal(done?.error, undefined)
    return user
  }

  function producer(user: string, config: object = {}): Producer {
    return new Producer({ ...login(MECHANISM, user, 'secret'), 'linger.ms': 0, ...config }, { logger: quiet })
  }

  function consumer(user: string, group: string): Consumer {
    const config = {
      ...login(MECHANISM, user, 'secret'),
      'group.id': group,
      'auto.offset.reset': 'earliest',
      'auto.commit.interval.ms': 100,
      // A member learns by this that it is no longer allowed.
      'session.timeout.ms': 1500,
      'heartbeat.interval.ms': 300,
    } as const
    return new Consumer(config, { logger: quiet })
  }

  function binding(user: string, resourceType: AclResourceType, name: string, operation: AclOperation): AclBinding {
    const resourcePatternType = 'literal'
    const principal = `User:${user}`
    return {
      resourceType,
      name,
      resourcePatternType,
      principal,
      host: '*',
      permissionType: 'allow',
      operation,
    } as const
  }

  async function allow(user: string, type: AclResourceType, name: string, operation: AclOperation): Promise<void> {
    const [created] = await admin.createAcls([binding(user, type, name, operation)])
    assert.equal(created?.error, undefined)
  }

  async function forbid(user: string, type: AclResourceType, name: string, operation: AclOperation): Promise<void> {
    const [deleted] = await admin.deleteAcls([binding(user, type, name, operation)])
    assert.equal(deleted?.error, undefined)
    assert.equal(deleted?.bindings.length, 1)
  }

  async function newTopic(): Promise<string> {
    const topic = fresh('authorization')
    await createTopic(login('PLAIN', world.admin.username, world.admin.password), topic)
    return topic
  }

  async function outcome(call: Promise<unknown>): Promise<string> {
    try {
      await call
      return 'done'
    } catch (error) {
      const { name, isFatal } = error as KafkaError // the client throws nothing else
      return isFatal ? `${name} fatal` : name
    }
  }

  /** Each broker learns of ACLs a moment later. */
  async function eventually(attempt: () => Promise<string>, expected: string): Promise<void> {
    const deadline = Date.now() + WAIT_MS
    let last = await attempt()
    while (last !== expected && Date.now() < deadline) {
      await new Promise(resolve => setTimeout(resolve, 20))
      last = await attempt()
    }
    assert.equal(last, expected)
  }

  for (const idempotent of [false, true]) {
    const kind = idempotent ? 'an idempotent producer' : 'a producer'
    test(`${kind} is refused a topic, message by message, and continues when it is allowed, refused again or not`, async () => {
      const [user, topic, other] = [await newUser(), await newTopic(), await newTopic()]
      if (idempotent) await allow(user, 'topic', other, 'write')
      await using alice = producer(user, {
        'enable.idempotence': idempotent,
        'topic.metadata.refresh.fast.interval.ms': 50,
      })
      const written: number[] = []
      let count = 0
      const attempt = async (): Promise<string> => {
        const number = count++
        const result = await outcome(alice.send({ topic, partition: 0, value: String(number) }))
        if (result === 'done') written.push(number)
        return result
      }
      const refused = 'ERR_TOPIC_AUTHORIZATION_FAILED'
      if (idempotent) await eventually(attempt, refused)
      assert.equal(await attempt(), refused)
      await allow(user, 'topic', topic, 'write')
      await eventually(attempt, 'done')
      await eventually(attempt, 'done')
      await forbid(user, 'topic', topic, 'write')
      await eventually(attempt, refused)
      await allow(user, 'topic', topic, 'write')
      await eventually(attempt, 'done')
      const group = fresh('authorization')
      const reader = new Consumer({ ...login('PLAIN', world.admin.username, world.admin.password), 'group.id': group })
      await reader.assign([{ topic, partition: 0, offset: 0 }])
      for (const number of written) assert.equal(Number((await reader.readMessage(WAIT_MS)).value), number)
      await reader.close()
    })
  }

  test('for an idempotent producer that may not write to any topic the refusal is fatal; a new one works once it may', async () => {
    const [user, topic] = [await newUser(), await newTopic()]
    const attempt = async (): Promise<string> => {
      await using alice = producer(user, { 'enable.idempotence': true })
      const fatal = new Promise<string>(resolve => {
        alice.on('error', ({ error }) => {
          if (error.isFatal) resolve(error.message)
        })
      })
      const sent = outcome(alice.send({ topic, partition: 0, value: 'x' }))
      return await Promise.race([fatal, sent.then(result => (result === 'done' ? result : fatal))])
    }
    assert.match(await attempt(), /the user has no permission for this on the cluster/)
    await allow(user, 'topic', topic, 'write')
    await eventually(attempt, 'done')
  })

  test('a consumer reports a topic that it may not read at most once a second, and reads once it may', async () => {
    const [user, topic, group] = [await newUser(), await newTopic(), fresh('authorization')]
    await allow(user, 'group', group, 'read')
    await using writer = new Producer(login('PLAIN', world.admin.username, world.admin.password), { logger: quiet })
    await writer.send({ topic, value: 'one' })
    const bob = consumer(user, group)
    bob.subscribe(topic)
    await eventually(() => outcome(bob.readMessage(WAIT_MS)), 'ERR_TOPIC_AUTHORIZATION_FAILED')
    assert.equal(await outcome(bob.readMessage(500)), 'ERR__TIMED_OUT')
    assert.equal(await outcome(bob.readMessage(WAIT_MS)), 'ERR_TOPIC_AUTHORIZATION_FAILED')
    await allow(user, 'topic', topic, 'read')
    await eventually(() => outcome(bob.readMessage(WAIT_MS)), 'done')
    await bob.close()
  })

  test('a topic and a group that are denied during the run cost no message: the consumer continues once they are allowed', async () => {
    const [user, topic, group] = [await newUser(), await newTopic(), fresh('authorization')]
    await using writer = new Producer(login('PLAIN', world.admin.username, world.admin.password), { logger: quiet })
    const bob = consumer(user, group)
    const results = new Set<string>()
    const read: string[] = []
    let written = 0
    const reading = async (): Promise<string> => {
      await writer.send({ topic, partition: 0, value: String(written++) })
      const last = await outcome(bob.readMessage(300).then(message => read.push(String(message.value))))
      results.add(last)
      return last
    }
    await allow(user, 'topic', topic, 'read')
    await allow(user, 'group', group, 'read')
    bob.subscribe(topic)
    await eventually(reading, 'done')
    for (const [type, name, error] of [
      ['topic', topic, 'ERR_TOPIC_AUTHORIZATION_FAILED'],
      ['group', group, 'ERR_GROUP_AUTHORIZATION_FAILED'],
    ] as const) {
      await forbid(user, type, name, 'read')
      await eventually(reading, error)
      await allow(user, type, name, 'read')
      const before = read.length
      await eventually(async () => {
        await reading()
        return read.length > before ? 'done' : 'not yet'
      }, 'done')
    }
    while (new Set(read).size < written) read.push(String((await bob.readMessage(WAIT_MS)).value))
    const firsts = [...new Set(read)]
    assert.deepEqual(
      firsts,
      Array.from({ length: written }, (_, i) => String(i)),
    )
    await bob.close()
  })

  test('a refused commit is reported with its code, and succeeds once the group is allowed', async () => {
    const [user, topic, group] = [await newUser(), await newTopic(), fresh('authorization')]
    await allow(user, 'topic', topic, 'read')
    const bob = consumer(user, group)
    await bob.assign([{ topic, partition: 0, offset: 0 }])
    const commit = (): Promise<string> => outcome(bob.commit([{ topic, partition: 0, offset: 1 }]))
    assert.equal(await commit(), 'ERR_GROUP_AUTHORIZATION_FAILED')
    await allow(user, 'group', group, 'read')
    await eventually(commit, 'done')
    await bob.close()
  })
}
