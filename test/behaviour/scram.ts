/** SCRAM: correct and wrong passwords, and passwords that change while a client runs. */
import { after, before, test } from 'node:test'
import assert from 'node:assert/strict'
import { AdminClient, Consumer, ErrorCode, KafkaError, Producer, type ClientConfig } from 'ottla'
import { fresh } from './world.ts'
import { createTopic } from '../harness/topics.ts'

const WAIT_MS = 20_000
const quiet = (): void => undefined

interface World {
  readonly bootstrapServers: string
  /** May do everything; logs in by PLAIN. */
  readonly admin: { readonly username: string; readonly password: string }
  close(): Promise<void>
}

/** @param start a cluster with PLAIN and SCRAM, where the admin may do everything */
export function scramScenarios(start: () => Promise<World>): void {
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
      'reconnect.backoff.ms': 20,
      'reconnect.backoff.max.ms': 100,
    }
  }

  async function createUser(
    mechanism: 'SCRAM-SHA-256' | 'SCRAM-SHA-512',
    user: string,
    password: string,
  ): Promise<void> {
    const [made] = await admin.alterUserScramCredentials([{ user, mechanism, iterations: 4096, password }])
    assert.equal(made?.error, undefined)
    for (const operation of ['read', 'write', 'create', 'describe'] as const) {
      const binding = {
        resourcePatternType: 'prefixed',
        principal: `User:${user}`,
        host: '*',
        permissionType: 'allow',
      } as const
      await admin.createAcls([{ ...binding, resourceType: 'topic', name: 'scram', operation }])
      if (operation === 'read')
        await admin.createAcls([{ ...binding, resourceType: 'group', name: 'scram', operation }])
    }
  }

  for (const mechanism of ['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const) {
    test(`${mechanism}: a user writes and reads; a wrong password is reported, and can be corrected while the client runs`, async () => {
      const [user, topic] = [fresh('scram'), fresh('scram')]
      // Characters that must be escaped, and are not ASCII.
      const password = 'p=ä,ß "\\ word'
      await createUser(mechanism, user, password)
      await createTopic(login('PLAIN', world.admin.username, world.admin.password), topic, { replicationFactor: 1 })
      const alice = new Producer(login(mechanism, user, 'wrong'), { logger: quiet })
      const failed = new Promise<{ code: number; message: string }>(resolve => {
        alice.on('error', ({ error }) => {
          if (error.code === ErrorCode.ERR__AUTHENTICATION) resolve(error)
        })
      })
      const sent = alice.send({ topic, value: 'hello' })
      const error = await failed
      assert.match(error.message, new RegExp(mechanism))
      assert.ok(!error.message.includes('wrong'))
      alice.setSaslCredentials(user, password)
      assert.equal((await sent).status, 'persisted')
      await alice.close()
      const bob = new Consumer(
        { ...login(mechanism, user, password), 'group.id': fresh('scram'), 'auto.offset.reset': 'earliest' },
        { logger: quiet },
      )
      bob.subscribe(topic)
      assert.equal(String((await bob.readMessage(WAIT_MS)).value), 'hello')
      await bob.close()
    })
  }

  test('names and passwords are compared byte by byte: a password that only looks the same is refused', async () => {
    const [composed, decomposed] = ['\u00e9', 'e\u0301']
    const passwords: readonly [password: string, lookalike: string][] = [
      [composed, decomposed],
      [decomposed, composed],
      ['\ufb01sh', 'fish'],
      ['\u2163', 'IV'],
      ['a\u00a0b', 'a b'],
      ['\u{1f511} \u00fc,=', '\u{1f511} u\u0308,='],
    ]
    for (const mechanism of ['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const) {
      for (const [password, lookalike] of passwords) {
        const user = `${fresh('scram')} a,=b`
        const [made] = await admin.alterUserScramCredentials([{ user, mechanism, iterations: 4096, password }])
        assert.equal(made?.error, undefined)
        await using right = new AdminClient(login(mechanism, user, password), { logger: quiet })
        const deadline = Date.now() + WAIT_MS
        // Each broker learns of a new user in its own time.
        while ((await right.describeCluster({ requestTimeoutMs: 2000 }).catch(() => null)) === null) {
          assert.ok(Date.now() < deadline, `${JSON.stringify(password)} is refused by ${mechanism}`)
        }
        await using wrong = new AdminClient(login(mechanism, user, lookalike), { logger: quiet })
        await assert.rejects(wrong.describeCluster({ requestTimeoutMs: 800 }), { name: 'ERR__AUTHENTICATION' })
      }
    }
  })

  test('a user whose name is not ASCII can be created, but cannot log in', async () => {
    const [name, password] = [fresh('scram'), 'secret']
    const logsIn = async (user: string): Promise<boolean> => {
      await using client = new AdminClient(login('SCRAM-SHA-256', user, password), { logger: quiet })
      return (await client.describeCluster({ requestTimeoutMs: 1000 }).catch(() => null)) !== null
    }
    await createUser('SCRAM-SHA-256', `${name}-\u00e9`, password)
    await createUser('SCRAM-SHA-256', name, password)
    const deadline = Date.now() + WAIT_MS
    while (!(await logsIn(name))) assert.ok(Date.now() < deadline, 'the one made later is not known')
    assert.equal(await logsIn(`${name}-\u00e9`), false)
  })

  test('a delegation token logs in as its owner, by each mechanism, until it is expired', async () => {
    const [user, topic] = [fresh('scram'), fresh('scram')]
    await createUser('SCRAM-SHA-256', user, 'secret')
    await createTopic(login('PLAIN', world.admin.username, world.admin.password), topic, { replicationFactor: 1 })
    const notMine = await admin.createDelegationToken({ owner: `User:${user}` })
    const { tokenId, hmac } = await admin.createDelegationToken({
      owner: `User:${user}`,
      renewers: [`User:${world.admin.username}`],
    })
    const byToken = (mechanism: string, secret: Buffer): ClientConfig => ({
      ...login(mechanism, tokenId, secret.toString('base64')),
      'ottla.sasl.scram.tokenauth': true,
    })
    for (const mechanism of ['SCRAM-SHA-256', 'SCRAM-SHA-512']) {
      await using alice = new Producer(byToken(mechanism, hmac), { logger: quiet })
      assert.equal((await alice.send({ topic, value: mechanism })).status, 'persisted')
      await assert.rejects(alice.send({ topic: fresh('other'), value: 'x' }), {
        name: 'ERR_TOPIC_AUTHORIZATION_FAILED',
      })
    }
    await using impostor = new AdminClient(byToken('SCRAM-SHA-256', Buffer.from('guessed')), { logger: quiet })
    await assert.rejects(impostor.describeCluster({ requestTimeoutMs: 800 }), { name: 'ERR__AUTHENTICATION' })
    await using plain = new AdminClient(login('SCRAM-SHA-256', tokenId, hmac.toString('base64')), { logger: quiet })
    await assert.rejects(plain.describeCluster({ requestTimeoutMs: 800 }), { name: 'ERR__AUTHENTICATION' })
    await assert.rejects(admin.expireDelegationToken(notMine.hmac), { name: 'ERR_DELEGATION_TOKEN_OWNER_MISMATCH' })
    await admin.expireDelegationToken(hmac)
    const deadline = Date.now() + WAIT_MS
    for (;;) {
      await using late = new AdminClient(byToken('SCRAM-SHA-256', hmac), { logger: quiet })
      const error = await late.describeCluster({ requestTimeoutMs: 800 }).catch((error: unknown) => error)
      if (error instanceof KafkaError && error.code === ErrorCode.ERR__AUTHENTICATION) break
      assert.ok(Date.now() < deadline, 'the token is still valid')
    }
  })

  test('a user of one mechanism is unknown to the other, and an unknown mechanism is reported', async () => {
    const user = fresh('scram')
    await createUser('SCRAM-SHA-256', user, 'secret')
    for (const [mechanism, why] of [
      ['SCRAM-SHA-512', /SCRAM-SHA-512 authentication failed/],
      ['PLAIN', /PLAIN authentication failed/],
    ] as const) {
      const client = new AdminClient(login(mechanism, user, 'secret'), { logger: quiet })
      await assert.rejects(client.describeCluster({ requestTimeoutMs: 3000 }), why)
      await client.close()
    }
  })
}
