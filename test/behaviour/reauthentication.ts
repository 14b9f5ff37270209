/** Credentials that change, and sessions that end (KIP-368), while clients are busy. */
import { after, afterEach, before, test } from 'node:test'
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { AdminClient, Consumer, ErrorCode, Producer, type ClientConfig, type KafkaError, type LogSink } from 'ottla'
import { fresh } from './world.ts'

const MECHANISM = 'SCRAM-SHA-512'
const SESSIONS = 3
const WAIT_MS = 20_000
const quiet = (): void => undefined

export interface SessionWorld {
  readonly bootstrapServers: string
  /** May do everything; logs in by PLAIN. */
  readonly admin: { readonly username: string; readonly password: string }
  close(): Promise<void>
}

/** What a client tells of its connections. */
class Witness {
  readonly errors: KafkaError[] = []
  /** Sessions that were renewed. */
  renewed = 0
  /** Renewals that began while requests were in flight. */
  busy = 0
  lost = 0
  readonly log: LogSink = (_level, facility, message) => {
    if (facility === 'REAUTH') this.renewed++
    if (facility === 'SESSION' && / -> exchanging, [1-9]/.test(message)) this.busy++
    if (facility === 'STATE' && message.endsWith('up -> closed')) this.lost++
  }

  watch(client: { on(type: 'error', listener: (event: { error: KafkaError }) => void): unknown }): void {
    client.on('error', ({ error }) => this.errors.push(error))
  }

  get refusals(): KafkaError[] {
    return this.errors.filter(({ code }) => code === ErrorCode.ERR__AUTHENTICATION)
  }
}

/** Sends numbers one after the other, forever. */
class Load {
  sent = 0
  readonly failed: unknown[] = []
  #isOver = false
  readonly #over: Promise<void>

  constructor(producer: Producer, topic: string) {
    this.#over = this.#run(producer, topic)
  }

  async #run(producer: Producer, topic: string): Promise<void> {
    const waiting: Promise<unknown>[] = []
    while (!this.#isOver) {
      for (let i = 0; i < 5; i++) {
        const told = producer.send({ topic, partition: this.sent % 3, value: String(this.sent++) })
        waiting.push(told.catch((error: unknown) => this.failed.push(error)))
      }
      await sleep(1)
    }
    await Promise.all(waiting)
  }

  stop(): Promise<void> {
    this.#isOver = true
    return this.#over
  }
}

/** Reads until it is told how many there are; keeps what comes by partition. */
class Reading {
  readonly numbers: number[][] = [[], [], []]
  count = 0
  readonly #consumer: Consumer

  constructor(consumer: Consumer) {
    this.#consumer = consumer
  }

  async until(done: () => boolean): Promise<void> {
    const deadline = Date.now() + WAIT_MS
    while (!done()) {
      if (Date.now() > deadline) throw new Error(`${this.count} messages were read`)
      const event = await this.#consumer.poll(50)
      if (event?.type !== 'message') continue
      this.numbers[event.message.partition]?.push(Number(event.message.value))
      this.count++
    }
  }

  /** All there, once each, in order. */
  check(sent: number): void {
    this.numbers.forEach((numbers, partition) => {
      const expected = Array.from({ length: Math.ceil((sent - partition) / 3) }, (_, i) => i * 3 + partition)
      // Thousands of numbers say less than the first that is wrong.
      const wrong = numbers.findIndex((number, i) => number !== expected[i])
      assert.equal(wrong, -1, `partition ${partition}: ${numbers[wrong]} in place of ${expected[wrong]}`)
      assert.equal(numbers.length, expected.length)
    })
  }
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
    const [created] = await admin.createTopics([{ topic, numPartitions: 3 }])
    assert.equal(created?.error, undefined)
    return topic
  }

  interface Busy {
    readonly load: Load
    readonly reading: Reading
    readonly clients: readonly [Producer, Consumer]
    readonly witnesses: readonly [Witness, Witness]
    readonly close: () => Promise<void>
  }

  async function busy(topic: string, user: string, password: string): Promise<Busy> {
    const witnesses = [new Witness(), new Witness()] as const
    const common = { ...login(MECHANISM, user, password), debug: 'security,broker' }
    const producer = new Producer(
      { ...common, 'enable.idempotence': true, 'linger.ms': 2 },
      { logger: witnesses[0].log },
    )
    const consumer = new Consumer(
      { ...common, 'group.id': fresh('session'), 'auto.offset.reset': 'earliest', 'auto.commit.interval.ms': 100 },
      { logger: witnesses[1].log },
    )
    witnesses[0].watch(producer)
    witnesses[1].watch(consumer)
    consumer.subscribe(topic)
    const load = new Load(producer, topic)
    const reading = new Reading(consumer)
    const close = async (): Promise<void> => {
      await load.stop()
      await Promise.all([producer.close(), consumer.close()])
    }
    const run = { load, reading, clients: [producer, consumer], witnesses, close } as const
    open.push(run)
    await reading.until(() => reading.count > 100)
    return run
  }

  async function finish({ load, reading }: Busy): Promise<void> {
    await load.stop()
    assert.deepEqual(load.failed, [])
    await reading.until(() => reading.count >= load.sent)
    reading.check(load.sent)
  }

  test('sessions are renewed on busy connections: none is lost, no message is lost, doubled or out of order', async () => {
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
    await finish(run)
  })

  test('new credentials are used from the next session on, and connections that are up stay up', async () => {
    const user = await newUser('one')
    const run = await busy(await newTopic(), user, 'one')
    // The program knows the new password before the brokers ask for it.
    const renewed = run.witnesses.map(witness => witness.renewed)
    await setPassword(user, 'two')
    for (const client of run.clients) client.setSaslCredentials(user, 'two')
    await run.reading.until(() => run.witnesses.every((witness, i) => witness.renewed > (renewed[i] ?? 0) + 2))
    for (const witness of run.witnesses) {
      assert.equal(witness.lost, 0)
      assert.deepEqual(witness.errors, [])
    }
    await finish(run)
  })

  test('a password that is changed before the clients know is told of; with the new one everything goes on', async () => {
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
    await finish(run)
  })

  test('who comes as somebody else is refused on the old connection, told so, and served on a new one', async () => {
    const [alice, bob] = [await newUser('one'), await newUser('two')]
    const run = await busy(await newTopic(), alice, 'one')
    for (const client of run.clients) client.setSaslCredentials(bob, 'two')
    const told = (witness: Witness): boolean =>
      witness.refusals.some(({ message }) => message.includes('Cannot change principals during re-authentication'))
    await run.reading.until(() => run.witnesses.every(told))
    const read = run.reading.count
    await run.reading.until(() => run.reading.count > read + 1000)
    await finish(run)
  })
}
