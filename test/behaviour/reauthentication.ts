/** Credentials that change, and sessions that end (KIP-368), while clients are busy. */
import { after, afterEach, before, test } from 'node:test'
import assert from 'node:assert/strict'
import { AdminClient, type ClientConfig } from 'ottla'
import { makeBusy, type Busy, type Witness } from './busy-clients.ts'
import { fresh } from './world.ts'
import { createTopic } from '../harness/topics.ts'

const MECHANISM = 'SCRAM-SHA-512'
const SESSIONS = 3
const quiet = (): void => undefined

export interface SessionWorld {
  readonly bootstrapServers: string
  /** May do everything; logs in by PLAIN. */
  readonly admin: { readonly username: string; readonly password: string }
  close(): Promise<void>
}

/** @param start a cluster with PLAIN and SCRAM, where the admin may do everything and sessions by SCRAM-SHA-512 are short */
export function reauthenticationScenarios(start: () => Promise<SessionWorld>): void {
  let world: SessionWorld
  let admin: AdminClient
  const open: Busy[] = []

  before(async () => {
    world = await start()
    admin = new AdminClient(login('PLAIN', world.admin.username, world.admin.password), { logger: quiet })
  })

  after(async () => {
    await admin.close()
    await world.close()
  })

  afterEach(async () => {
    for (const each of open.splice(0)) await each.close()
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

  async function setPassword(user: string, password: string): Promise<void> {
    const [done] = await admin.alterUserScramCredentials([{ user, mechanism: MECHANISM, iterations: 4096, password }])
    assert.equal(done?.error, undefined)
  }

  async function newUser(password: string): Promise<string> {
    const user = fresh('session')
    await setPassword(user, password)
    for (const resourceType of ['topic', 'group', 'transactional-id'] as const) {
      const binding = { resourceType, name: 'session', resourcePatternType: 'prefixed', host: '*' } as const
      const [done] = await admin.createAcls([
        { ...binding, principal: `User:${user}`, permissionType: 'allow', operation: 'all' },
      ])
      assert.equal(done?.error, undefined)
    }
    return user
  }

  async function newTopic(): Promise<string> {
    const topic = fresh('session')
    await createTopic(login('PLAIN', world.admin.username, world.admin.password), topic, { numPartitions: 3 })
    return topic
  }

  async function busy(topic: string, user: string, password: string): Promise<Busy> {
    const run = await makeBusy(topic, login(MECHANISM, user, password))
    open.push(run)
    return run
  }

  test('sessions are renewed on busy connections: no connection is lost, no message is lost, duplicated or reordered', async () => {
    const user = await newUser('one')
    const run = await busy(await newTopic(), user, 'one')
    const before = run.witnesses.map(({ lost }) => lost)
    const renewed = run.witnesses.map(witness => witness.renewed)
    // Each has connections to three brokers.
    await run.reading.until(() => run.witnesses.every(({ renewed: now }, i) => now >= (renewed[i] ?? 0) + SESSIONS * 3))
    for (const [i, witness] of run.witnesses.entries()) {
      assert.equal(witness.lost, before[i], 'connections were lost')
      assert.deepEqual(witness.errors, [])
      assert.ok(witness.busy > 0, 'nothing was in flight')
    }
    await run.finish()
  })

  test('new credentials are used from the next session on, and open connections stay open', async () => {
    const user = await newUser('one')
    const run = await busy(await newTopic(), user, 'one')
    // The application sets the new password before the brokers require it.
    const renewed = run.witnesses.map(witness => witness.renewed)
    await setPassword(user, 'two')
    for (const client of run.clients) client.setSaslCredentials(user, 'two')
    await run.reading.until(() => run.witnesses.every((witness, i) => witness.renewed > (renewed[i] ?? 0) + 2))
    for (const witness of run.witnesses) {
      assert.equal(witness.lost, 0)
      assert.deepEqual(witness.errors, [])
    }
    await run.finish()
  })

  test('a password changed before the clients know is reported; with the new one everything continues', async () => {
    const user = await newUser('one')
    const run = await busy(await newTopic(), user, 'one')
    await setPassword(user, 'two')
    await run.reading.until(() => run.witnesses.every(witness => witness.refusals.length > 0))
    for (const client of run.clients) client.setSaslCredentials(user, 'two')
    const read = run.reading.count
    await run.reading.until(() => run.reading.count > read + 1000)
    for (const { refusals } of run.witnesses) {
      for (const { message } of refusals) {
        assert.match(message, /SCRAM-SHA-512 authentication failed/)
        assert.doesNotMatch(message, /\bone\b|\btwo\b/)
      }
    }
    await run.finish()
  })

  test('another user is refused on the old connection with an error, and accepted on a new one', async () => {
    const [alice, bob] = [await newUser('one'), await newUser('two')]
    const run = await busy(await newTopic(), alice, 'one')
    for (const client of run.clients) client.setSaslCredentials(bob, 'two')
    const isReported = (witness: Witness): boolean =>
      witness.refusals.some(({ message }) => message.includes('Cannot change principals during re-authentication'))
    await run.reading.until(() => run.witnesses.every(isReported))
    const read = run.reading.count
    await run.reading.until(() => run.reading.count > read + 1000)
    await run.finish()
  })
}
