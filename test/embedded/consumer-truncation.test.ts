/** What a consumer does when the log under it changes: a new leader may lack what was read (KIP-320). */
import { after, before, test, type TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import assert from 'node:assert/strict'
import { EmbeddedCluster } from '@ottla/broker'
import { AdminClient, Consumer, ErrorCode, KafkaError, Producer, type ConsumerConfig } from 'ottla'

const OFFSET_FOR_LEADER_EPOCH = 23
const WAIT_MS = 20_000
const quiet = (): void => undefined

let cluster: EmbeddedCluster
let admin: AdminClient
let producer: Producer
let names = 0
const fresh = (prefix: string): string => `${prefix}-${++names}`

before(async () => {
  cluster = await EmbeddedCluster.start({ brokers: 3 })
  const config = { 'bootstrap.servers': cluster.bootstrapServers }
  admin = new AdminClient(config, { logger: quiet })
  producer = new Producer({ ...config, 'linger.ms': 0 }, { logger: quiet })
})

after(async () => {
  await producer.close()
  await admin.close()
  await cluster.close()
})

function consumer(config: Partial<ConsumerConfig> = {}): Consumer {
  return new Consumer(
    {
      'bootstrap.servers': cluster.bootstrapServers,
      'group.id': fresh('group'),
      'auto.offset.reset': 'latest',
      'enable.auto.commit': false,
      'fetch.wait.max.ms': 50,
      'retry.backoff.ms': 20,
      'topic.metadata.refresh.interval.ms': 200,
      ...config,
    },
    { logger: quiet },
  )
}

function topic(): string {
  const name = fresh('truncated')
  cluster.createTopic(name, { partitions: 1, replicationFactor: 3 })
  return name
}

/** Each message a batch of its own, so that the log can be cut between them. */
async function fill(name: string, word: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await producer.send({ topic: name, partition: 0, value: `${word} ${i}` })
}

async function take(reader: Consumer, count: number): Promise<string[]> {
  const values: string[] = []
  while (values.length < count) values.push(String((await reader.readMessage(WAIT_MS)).value))
  return values
}

const words = (word: string, from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, i) => `${word} ${from + i}`)

test('a new leader that has everything is asked once, and reading goes on', async () => {
  const name = topic()
  await fill(name, 'old', 5)
  const reader = consumer()
  await reader.assign([{ topic: name, partition: 0, offset: 0 }])
  assert.deepEqual(await take(reader, 5), words('old', 0, 5))
  cluster.requests('start')
  for (const leader of [1, 2, 3, 1]) cluster.setLeader(name, 0, leader)
  await fill(name, 'new', 3)
  assert.deepEqual(await take(reader, 3), words('new', 0, 3))
  const asked = cluster.requests().filter(({ apiKey }) => apiKey === OFFSET_FOR_LEADER_EPOCH)
  cluster.requests('stop')
  assert.ok(asked.length >= 1 && asked.length <= 4, `${asked.length} requests`)
  await reader.close()
})

test('what a new leader lacks and what it has instead: reading goes on where the logs part', async () => {
  const name = topic()
  await fill(name, 'old', 8)
  const reader = consumer()
  await reader.assign([{ topic: name, partition: 0, offset: 0 }])
  assert.deepEqual(await take(reader, 8), words('old', 0, 8))
  cluster.truncate(name, 0, 5)
  // As long as the log was before: the offset alone tells nothing.
  await fill(name, 'other', 6)
  assert.deepEqual(await take(reader, 6), words('other', 0, 6))
  assert.equal(reader.position()[0]?.offset, 11)
  await reader.close()
})

test('what was fetched and not handed out is forgotten when it was never written', async () => {
  const name = topic()
  await fill(name, 'old', 8)
  const reader = consumer()
  await reader.assign([{ topic: name, partition: 0, offset: 0 }])
  assert.deepEqual(await take(reader, 3), words('old', 0, 3))
  cluster.requests('start')
  cluster.truncate(name, 0, 5)
  await fill(name, 'other', 2)
  // Until the client hears of the new leader what it has fetched is as good as it was.
  await admin.getMetadata({ topic: name })
  const heard = async (): Promise<boolean> => {
    await new Promise(resolve => setTimeout(resolve, 20))
    return cluster.requests().some(({ apiKey }) => apiKey === OFFSET_FOR_LEADER_EPOCH)
  }
  const deadline = Date.now() + WAIT_MS
  while (!(await heard())) assert.ok(Date.now() < deadline)
  cluster.requests('stop')
  assert.equal(reader.position()[0]?.offset, 3)
  await until(() => reader.getWatermarkOffsets(name, 0).high === 7)
  assert.deepEqual(await take(reader, 4), ['old 3', 'old 4', 'other 0', 'other 1'])
  await reader.close()
})

for (const way of ['run', 'partitions'] as const) {
  test(`what ${way} has taken and not begun is in the log, and comes again, when the log is cut behind it`, async () => {
    const name = topic()
    await fill(name, 'old', 8)
    const reader = consumer()
    await reader.assign([{ topic: name, partition: 0, offset: 0 }])
    const seen: string[] = []
    let goOn = quiet
    const opened = new Promise<void>(resolve => (goOn = resolve))
    const handler = async ({ value }: { readonly value: Buffer | null }): Promise<void> => {
      seen.push(String(value))
      await opened
    }
    const reading = way === 'run' ? reader.run({ handler }) : readStreams(reader, handler)
    const position = (): number | undefined => reader.position()[0]?.offset
    await until(() => seen.length === 1 && position() === 8)
    cluster.truncate(name, 0, 5)
    await until(() => position() !== 8)
    await fill(name, 'other', 2)
    goOn()
    await until(() => seen.includes('other 1'))
    // The one that was being processed may come again.
    assert.deepEqual([...new Set(seen)], [...words('old', 0, 5), ...words('other', 0, 2)])
    await reader.close()
    await reading
  })
}

async function readStreams(
  reader: Consumer,
  handler: (message: { readonly value: Buffer | null }) => Promise<void>,
): Promise<void> {
  for await (const stream of reader.partitions()) for await (const message of stream) await handler(message)
}

test('with auto.offset.reset=error the program is told, and decides', async () => {
  const name = topic()
  await fill(name, 'old', 8)
  const reader = consumer({ 'auto.offset.reset': 'error' })
  await reader.assign([{ topic: name, partition: 0, offset: 0 }])
  await take(reader, 8)
  cluster.truncate(name, 0, 5)
  await fill(name, 'other', 6)
  await assert.rejects(
    reader.readMessage(WAIT_MS),
    (error: unknown) => error instanceof KafkaError && error.code === ErrorCode.ERR__LOG_TRUNCATION,
  )
  await reader.seek([{ topic: name, partition: 0, offset: 5 }])
  assert.deepEqual(await take(reader, 6), words('other', 0, 6))
  await reader.close()
})

test('an offset that was committed before the truncation is looked at, too', async () => {
  const name = topic()
  const group = fresh('group')
  await fill(name, 'old', 8)
  const first = consumer({ 'group.id': group, 'auto.offset.reset': 'earliest' })
  first.subscribe(name)
  await take(first, 8)
  const last = { topic: name, partition: 0, offset: 8, leaderEpoch: 0 }
  await first.commit([last])
  await first.close()
  cluster.truncate(name, 0, 5)
  await fill(name, 'other', 6)
  const second = consumer({ 'group.id': group })
  second.subscribe(name)
  assert.deepEqual(await take(second, 6), words('other', 0, 6))
  await second.close()
})

test('a leader that cannot say yet is asked again', async () => {
  const name = topic()
  await fill(name, 'old', 3)
  const reader = consumer()
  await reader.assign([{ topic: name, partition: 0, offset: 0 }])
  await take(reader, 3)
  const { ERR_UNKNOWN_LEADER_EPOCH, ERR_NOT_LEADER_FOR_PARTITION, ERR_OFFSET_NOT_AVAILABLE } = ErrorCode
  cluster.failNext(OFFSET_FOR_LEADER_EPOCH, [
    ERR_UNKNOWN_LEADER_EPOCH,
    ERR_NOT_LEADER_FOR_PARTITION,
    ERR_OFFSET_NOT_AVAILABLE,
  ])
  cluster.setLeader(name, 0, 2)
  cluster.setLeader(name, 0, 3)
  await fill(name, 'new', 2)
  assert.deepEqual(await take(reader, 2), words('new', 0, 2))
  cluster.failNext(OFFSET_FOR_LEADER_EPOCH, [])
  await reader.close()
})

async function until(done: () => boolean): Promise<void> {
  const deadline = Date.now() + WAIT_MS
  while (!done()) {
    assert.ok(Date.now() < deadline, `never came true: ${done.toString()}`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

/** Holds the answers to what a validator asks until told; says how often it was asked. */
function holdValidation(t: TestContext): { asked: number; release: () => void } {
  const held = { asked: 0, release: quiet }
  const opened = new Promise<void>(resolve => (held.release = resolve))
  t.after(
    cluster.control(async ({ apiKey }) => {
      if (apiKey !== OFFSET_FOR_LEADER_EPOCH) return
      held.asked++
      if (held.asked === 1) await opened
    }),
  )
  t.after(held.release)
  return held
}

interface Crowded {
  readonly name: string
  /** What its messages begin with. */
  readonly old: string
  readonly other: string
  readonly reader: Consumer
  /** What is queued of `name`, which is paused by that, has to be fetched again. */
  readonly makeRoom: () => Promise<void>
}

/** A reader of 40 messages of `name`, in whose queue there is not enough room for those of another topic beside them. */
async function crowded(t: TestContext): Promise<Crowded> {
  const [name, other] = [topic(), topic()]
  cluster.setLeader(name, 0, 1)
  cluster.setLeader(other, 0, 1)
  const value = 'x'.repeat(20_000)
  const old = `old ${value}`
  await fill(name, old, 40)
  await fill(other, value, 120)
  const reader = consumer({ 'queued.max.messages.kbytes': 1024 })
  t.after(() => reader.close())
  await reader.assign([{ topic: name, partition: 0, offset: 0 }])
  const makeRoom = async (): Promise<void> => {
    reader.pause([{ topic: name, partition: 0 }])
    await reader.incrementalAssign([{ topic: other, partition: 0, offset: 0 }])
    // One at a time, so that the fetcher has its turn while more of the other is wanted than there is room for.
    for (let i = 0; i < 120; i++) {
      await take(reader, 1)
      await turn()
    }
  }
  return { name, old, other, reader, makeRoom }
}

for (const [what, spoil] of Object.entries({
  'its answer comes late': quiet,
  'it never comes': () => cluster.dropConnections(2),
})) {
  test(`reading steps back while a new leader is being asked, and ${what}: nothing is skipped`, async t => {
    const { name, old, reader, makeRoom } = await crowded(t)
    await until(() => reader.getWatermarkOffsets(name, 0).high === 40)
    await take(reader, 10)
    const held = holdValidation(t)
    cluster.setLeader(name, 0, 2)
    await fill(name, 'new', 5)
    await admin.getMetadata({ topic: name })
    await until(() => held.asked > 0)
    // What is queued of it has to make room, and is to be fetched again.
    await makeRoom()
    spoil()
    held.release()
    reader.resume([{ topic: name, partition: 0 }])
    assert.deepEqual(await take(reader, 35), [...words(old, 10, 40), ...words('new', 0, 5)])
  })
}

test('a truncation is noticed though what was fetched has had to make room', async t => {
  const { name, other, reader, makeRoom } = await crowded(t)
  await take(reader, 10)
  await makeRoom()
  reader.pause([{ topic: other, partition: 0 }])
  cluster.truncate(name, 0, 5)
  await fill(name, 'new', 12)
  await admin.getMetadata({ topic: name })
  reader.resume([{ topic: name, partition: 0 }])
  assert.deepEqual(await take(reader, 12), words('new', 0, 12))
})
