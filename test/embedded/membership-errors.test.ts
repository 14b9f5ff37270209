/** Every row of the table of membership errors: after the error has passed the member reads on, and nothing is lost. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EmbeddedCluster } from '@ottla/broker'
import { AdminClient, Consumer, errorName, KafkaError, Producer, ShareConsumer, type RebalanceEvent } from 'ottla'
import { answerTo, codesOf, type Answer, type GroupApi } from './membership-answers.ts'

const WAIT_MS = 20_000
const quiet = (): void => undefined

const keys = {
  OffsetCommit: 8,
  OffsetFetch: 9,
  FindCoordinator: 10,
  JoinGroup: 11,
  Heartbeat: 12,
  LeaveGroup: 13,
  SyncGroup: 14,
  ConsumerGroupHeartbeat: 68,
  ShareGroupHeartbeat: 76,
  ShareFetch: 78,
  ShareAcknowledge: 79,
} as const

type Protocol = 'range' | 'cooperative-sticky' | 'consumer'
type Moment = 'joining' | 'member'

class Scene implements AsyncDisposable {
  readonly cluster: EmbeddedCluster
  readonly #producer: Producer
  readonly #admin: AdminClient
  readonly #members: (Consumer | ShareConsumer)[] = []
  #names = 0

  static async begin(): Promise<Scene> {
    return new Scene(
      await EmbeddedCluster.start({
        autoCreateTopics: false,
      }),
    )
  }

  private constructor(cluster: EmbeddedCluster) {
    this.cluster = cluster
    const config = { 'bootstrap.servers': cluster.bootstrapServers, 'linger.ms': 0 }
    this.#producer = new Producer(config, { logger: quiet })
    this.#admin = new AdminClient({ 'bootstrap.servers': cluster.bootstrapServers }, { logger: quiet })
  }

  fresh(): string {
    return `name-${++this.#names}`
  }

  /** A group whose members beat often. */
  async group(): Promise<string> {
    const name = this.fresh()
    const entries = (['consumer', 'share'] as const).map(
      kind => ({ name: `${kind}.heartbeat.interval.ms`, value: '20', operation: 'set' }) as const,
    )
    const [altered] = await this.#admin.incrementalAlterConfigs([{ type: 'group', name, entries }])
    assert.equal(altered?.error, undefined)
    return name
  }

  topic(): string {
    const topic = this.fresh()
    this.cluster.createTopic(topic, { partitions: 1, replicationFactor: 1 })
    return topic
  }

  async write(topic: string, ...values: string[]): Promise<void> {
    for (const report of await this.#producer.sendBatch(values.map(value => ({ topic, partition: 0, value }))))
      assert.equal(report.error, undefined)
  }

  consumer(group: string, protocol: Protocol): Consumer {
    const consumer = new Consumer(
      {
        'bootstrap.servers': this.cluster.bootstrapServers,
        'group.id': group,
        'auto.offset.reset': 'earliest',
        'enable.auto.commit': false,
        'fetch.wait.max.ms': 20,
        'retry.backoff.ms': 10,
        'retry.backoff.max.ms': 50,
        ...(protocol === 'consumer'
          ? { 'group.protocol': 'consumer' }
          : { 'heartbeat.interval.ms': 20, 'session.timeout.ms': 1000, 'partition.assignment.strategy': protocol }),
      },
      { logger: quiet },
    )
    this.#members.push(consumer)
    return consumer
  }

  share(group: string): ShareConsumer {
    const consumer = new ShareConsumer(
      {
        'bootstrap.servers': this.cluster.bootstrapServers,
        'group.id': group,
        'fetch.wait.max.ms': 20,
        'retry.backoff.ms': 10,
        'retry.backoff.max.ms': 50,
        'fetch.error.backoff.ms': 20,
      },
      { logger: quiet },
    )
    this.#members.push(consumer)
    return consumer
  }

  /** Resolves when so many requests of an API have come since. */
  heard(api: string, count: number): { done: () => boolean; end: () => void } {
    let heard = 0
    const end = this.cluster.control(({ apiName }) => {
      if (apiName === api) heard++
    })
    return { done: () => heard >= count, end }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cluster.clearFaults()
    await Promise.all(this.#members.map(member => member.close(2_000)))
    await this.#producer.close()
    await this.#admin.close()
    await this.cluster.close()
  }
}

/** What a member has read and heard. */
class Diary {
  readonly read: string[] = []
  readonly events: string[] = []
  readonly errors: KafkaError[] = []

  note = (event: RebalanceEvent): void => void this.events.push(event.type)
}

async function until(member: Consumer, diary: Diary, what: string, done: () => boolean): Promise<void> {
  const deadline = performance.now() + WAIT_MS
  while (!done()) {
    assert.ok(
      performance.now() < deadline,
      `never: ${what}; heard ${diary.events.join(' ')}, read ${diary.read.join(' ')}`,
    )
    const event = await member.poll(10)
    if (event?.type !== 'message') continue
    diary.read.push(String(event.message.value))
    // Whatever cannot be committed now is read once more.
    await member.commitMessage(event.message).catch(quiet)
  }
}

function check(answer: Answer, code: number, moment: Moment, diary: Diary): void {
  const same = diary.errors.filter(error => error.code === code)
  assert.equal(same.length, answer === 'tell' ? 1 : 0, `told of ${errorName(code)}: ${same.length} times`)
  const isLost = moment === 'member' && (answer === 'lost-membership' || answer === 'lost-generation')
  assert.equal(diary.events.includes('lost'), isLost, `heard ${diary.events.join(' ')}`)
  // What was committed is not read again, whatever happened to the member.
  assert.deepEqual(diary.read, ['first', 'second'])
}

/** What was read can be committed, once the group is at rest. */
async function committed(member: Consumer, topic: string): Promise<void> {
  const deadline = performance.now() + WAIT_MS
  for (;;) {
    const outcome = await member.commit([{ topic, partition: 0, offset: 2 }]).catch((error: unknown) => String(error))
    if (typeof outcome !== 'string' && outcome.every(({ error }) => error === undefined)) break
    assert.ok(performance.now() < deadline, `never committed: ${JSON.stringify(outcome)}`)
    await member.poll(10)
  }
  const [found] = await member.committed([{ topic, partition: 0 }])
  assert.equal(found?.offset, 2)
}

async function expectFatal(member: Consumer, diary: Diary, code: number): Promise<void> {
  await assert.rejects(
    async () => {
      for (;;) await member.readMessage(WAIT_MS)
    },
    (error: unknown) => error instanceof KafkaError && error.code === code && error.isFatal,
  )
  assert.equal(diary.errors.filter(error => error.code === code).length, 1)
}

async function row(
  scene: Scene,
  protocol: Protocol,
  api: keyof typeof keys & GroupApi,
  code: number,
  moment: Moment,
): Promise<void> {
  const topic = scene.topic()
  const group = await scene.group()
  const diary = new Diary()
  const member = scene.consumer(group, protocol)
  member.on('error', ({ error }) => void diary.errors.push(error))
  const answer = answerTo(api, code, moment === 'joining')
  await scene.write(topic, 'first')
  if (moment === 'member') {
    member.subscribe(topic, diary.note)
    await until(member, diary, 'it reads', () => diary.read.length === 1)
  }
  const heard = scene.heard(api, 2)
  try {
    scene.cluster.failNext(keys[api], [code])
    if (moment === 'joining') member.subscribe(topic, diary.note)
    if (answer === 'fatal') {
      await expectFatal(member, diary, code)
      return
    }
    await until(member, diary, `${api} comes again`, heard.done)
    await scene.write(topic, 'second')
    await until(member, diary, 'it reads on', () => diary.read.includes('second'))
    check(answer, code, moment, diary)
    await committed(member, topic)
  } finally {
    heard.end()
    scene.cluster.clearFaults()
    await member.close(2_000)
  }
}

function suite(protocols: readonly Protocol[], api: keyof typeof keys & GroupApi, moment: Moment): void {
  for (const protocol of protocols) {
    test(`${protocol}: each error of ${api}, ${moment}`, async () => {
      await using scene = await Scene.begin()
      for (const code of codesOf(api)) {
        // Only one that joins with a pattern is told so.
        if (answerTo(api, code) === 'match-here' || answerTo(api, code) === 'take-member-id') continue
        try {
          await row(scene, protocol, api, code, moment)
        } catch (error) {
          throw new Error(`${protocol}, ${api} ${errorName(code)}: ${String(error)}`, { cause: error })
        }
      }
    })
  }
}

const classic = ['range', 'cooperative-sticky'] as const
suite(classic, 'JoinGroup', 'joining')
suite(classic, 'SyncGroup', 'joining')
suite(classic, 'Heartbeat', 'member')
suite(['consumer'], 'ConsumerGroupHeartbeat', 'joining')
suite(['consumer'], 'ConsumerGroupHeartbeat', 'member')
suite(['range', 'consumer'], 'FindCoordinator', 'joining')
suite(['range', 'consumer'], 'OffsetFetch', 'joining')

for (const protocol of [...classic, 'consumer'] as const) {
  test(`${protocol}: each error of OffsetCommit`, async () => {
    await using scene = await Scene.begin()
    for (const code of codesOf('OffsetCommit')) {
      const answer = answerTo('OffsetCommit', code)
      const topic = scene.topic()
      const diary = new Diary()
      const member = scene.consumer(await scene.group(), protocol)
      member.on('error', ({ error }) => void diary.errors.push(error))
      member.subscribe(topic, diary.note)
      await scene.write(topic, 'first')
      const first = await member.readMessage(WAIT_MS)
      scene.cluster.failNext(keys.OffsetCommit, [code])
      const outcome = await member.commitMessage(first).then(
        () => 'committed',
        (error: unknown) => (error as KafkaError).code,
      )
      // A member that keeps its partitions commits as soon as it has joined again.
      const isKept = answer === 'rejoin' && protocol === 'cooperative-sticky'
      const isPassing = isKept || answer === 'retry' || answer === 'find-coordinator' || answer === 'refresh-epoch'
      assert.equal(outcome, isPassing ? 'committed' : code, `${protocol} ${errorName(code)}: ${answer}`)
      if (answer === 'fatal' && protocol !== 'consumer') {
        await expectFatal(member, diary, code)
      } else {
        await scene.write(topic, 'second')
        await until(member, diary, `it reads on after ${errorName(code)}`, () => diary.read.includes('second'))
        await committed(member, topic)
      }
      await member.close(2_000)
    }
  })
}

test('whoever leaves is out, whatever the answer', async () => {
  await using scene = await Scene.begin()
  for (const code of codesOf('LeaveGroup')) {
    const topic = scene.topic()
    const group = await scene.group()
    const diary = new Diary()
    const member = scene.consumer(group, 'range')
    member.subscribe(topic, diary.note)
    await scene.write(topic, 'first')
    await until(member, diary, 'it reads', () => diary.read.length === 1)
    scene.cluster.failNext(keys.LeaveGroup, [code])
    await member.close()
    assert.deepEqual(diary.events, ['assign', 'revoke'])
    scene.cluster.clearFaults()
  }
})

async function readShared(member: ShareConsumer, value: string): Promise<string[]> {
  const deadline = performance.now() + WAIT_MS
  const read: string[] = []
  while (!read.includes(value)) {
    assert.ok(performance.now() < deadline, `never read ${value}`)
    const event = await member.poll(10)
    if (event?.type === 'message') read.push(String(event.message.value))
  }
  return read
}

for (const moment of ['joining', 'member'] as const) {
  test(`share: each error of ShareGroupHeartbeat, ${moment}`, async () => {
    await using scene = await Scene.begin()
    for (const code of codesOf('ShareGroupHeartbeat')) {
      const topic = scene.topic()
      const errors: KafkaError[] = []
      const member = scene.share(await scene.group())
      member.on('error', ({ error }) => void errors.push(error))
      if (moment === 'member') {
        member.subscribe(topic)
        // Share groups begin at the end.
        while (member.assignment().length === 0) await member.poll(10)
        await member.poll(100)
        await scene.write(topic, 'first')
        await readShared(member, 'first')
      }
      const heard = scene.heard('ShareGroupHeartbeat', 2)
      scene.cluster.failNext(keys.ShareGroupHeartbeat, [code])
      if (moment === 'joining') member.subscribe(topic)
      const answer = answerTo('ShareGroupHeartbeat', code, moment === 'joining')
      const deadline = performance.now() + WAIT_MS
      const isDone = (): boolean =>
        answer === 'fatal' ? errors.some(error => error.isFatal) : heard.done() && member.assignment().length > 0
      while (!isDone()) {
        assert.ok(performance.now() < deadline, `${moment} ${errorName(code)}: ${answer} never came`)
        await member.poll(10)
      }
      if (answer !== 'fatal') {
        await member.poll(100)
        await scene.write(topic, 'second')
        assert.deepEqual(
          (await readShared(member, 'second')).filter(value => value === 'second'),
          ['second'],
        )
      }
      const told = errors.filter(error => error.code === code)
      assert.equal(told.length, answer === 'tell' || answer === 'fatal' ? 1 : 0, `${moment} ${errorName(code)}`)
      heard.end()
      await member.close(2_000)
      scene.cluster.clearFaults()
    }
  })
}

for (const api of ['ShareFetch', 'ShareAcknowledge'] as const) {
  test(`share: each error of ${api}`, async () => {
    await using scene = await Scene.begin()
    for (const code of codesOf('ShareSession')) {
      const topic = scene.topic()
      const member = scene.share(await scene.group())
      member.subscribe(topic)
      while (member.assignment().length === 0) await member.poll(10)
      await member.poll(100)
      await scene.write(topic, 'first')
      await readShared(member, 'first')
      scene.cluster.failNext(keys[api], [code])
      if (api === 'ShareAcknowledge') await member.commit(WAIT_MS)
      await scene.write(topic, 'second')
      await readShared(member, 'second')
      await member.close(2_000)
      scene.cluster.clearFaults()
    }
  })
}
