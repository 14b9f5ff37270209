/** `consumer.run` while partitions move, the group is lost, commits are refused and handlers hang. */
import { after, afterEach, before, test } from 'node:test'
import assert from 'node:assert/strict'
import { EmbeddedCluster } from '@ottla/broker'
import { AdminClient, Consumer, ErrorCode, Producer, type ConsumerConfig, type LogSink } from 'ottla'

const HEARTBEAT = 12
const OFFSET_COMMIT = 8
const FETCH = 1
const WAIT_MS = 20_000
const quiet = (): void => undefined

let cluster: EmbeddedCluster
let admin: AdminClient
let producer: Producer
let names = 0
const closing: { close(): Promise<void> }[] = []
const fresh = (prefix: string): string => `${prefix}-${++names}`

before(async () => {
  cluster = await EmbeddedCluster.start({ brokers: 2 })
  const servers = { 'bootstrap.servers': cluster.bootstrapServers }
  admin = new AdminClient(servers, { logger: quiet })
  producer = new Producer({ ...servers, 'linger.ms': 0 }, { logger: quiet })
})

afterEach(async () => {
  cluster.clearFaults()
  await Promise.all(closing.splice(0).map(client => client.close()))
})

after(async () => {
  await producer.close()
  await admin.close()
  await cluster.close()
})

function consumer(config: Partial<ConsumerConfig> = {}, logger: LogSink = quiet): Consumer {
  const made = new Consumer(
    {
      'bootstrap.servers': cluster.bootstrapServers,
      'auto.offset.reset': 'earliest',
      'auto.commit.interval.ms': 50,
      ...(config['group.protocol'] === 'consumer' ? {} : { 'heartbeat.interval.ms': 50 }),
      'fetch.wait.max.ms': 50,
      'retry.backoff.ms': 20,
      ...config,
    },
    { logger },
  )
  closing.push(made)
  return made
}

async function topicWith(partitions: number, count: number): Promise<string> {
  const topic = fresh('run')
  cluster.createTopic(topic, { partitions })
  const messages = Array.from({ length: count }, (_, i) => ({ topic, partition: i % partitions, value: String(i) }))
  for (const { error } of await producer.sendBatch(messages)) assert.equal(error, undefined)
  return topic
}

async function committed(group: string, topic: string, partition = 0): Promise<number> {
  const [offset] = await admin.listConsumerGroupOffsets(group, [{ topic, partition }])
  return offset!.offset
}

async function until(what: string, done: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + WAIT_MS
  while (!(await done())) {
    assert.ok(Date.now() < deadline, `never came true: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

/** Something that handlers wait for. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = quiet
  const opened = new Promise<void>(resolve => (open = resolve))
  return { opened, open: () => open() }
}

const styles: Readonly<Record<string, Partial<ConsumerConfig>>> = {
  eager: { 'partition.assignment.strategy': 'range' },
  cooperative: { 'partition.assignment.strategy': 'cooperative-sticky' },
  consumer: { 'group.protocol': 'consumer' },
}

for (const [style, config] of Object.entries(styles)) {
  test(`${style}: nobody gets a partition before what is at work on it is done and committed`, async () => {
    const [topic, group] = [await topicWith(2, 40), fresh('run')]
    const [atWork, done] = [new Set<string>(), [] as string[]]
    const gates = gate()
    const first = consumer({ ...config, 'group.id': group })
    first.subscribe(topic)
    const running = first.run({
      concurrency: 2,
      handler: async ({ value }) => {
        atWork.add(String(value))
        if (atWork.size <= 2) await gates.opened
        done.push(String(value))
      },
    })
    await until('both partitions are at work', () => atWork.size === 2)
    const second = consumer({ ...config, 'group.id': group })
    second.subscribe(topic)
    const seconds: string[] = []
    const other = second.run({
      handler: ({ value }) => {
        assert.ok(!atWork.has(String(value)), `${String(value)} was worked on twice`)
        seconds.push(String(value))
      },
    })
    await until('the first is asked to give one up', () =>
      first.explain().some(said => said.includes('callback is running')),
    )
    assert.deepEqual([done, seconds], [[], []])
    gates.open()
    await until('everything is done', () => done.length + seconds.length === 40)
    assert.ok(seconds.length > 0)
    assert.equal(new Set([...done, ...seconds]).size, 40)
    await first.close()
    await second.close()
    await Promise.all([running, other])
    assert.deepEqual([await committed(group, topic, 0), await committed(group, topic, 1)], [20, 20])
  })

  test(`${style}: a handler that hangs keeps its partition no longer than drainMs, and then counts no more`, async () => {
    const [topic, group] = [await topicWith(1, 3), fresh('run')]
    const hung = gate()
    let aborted = false
    const first = consumer({ ...config, 'group.id': group })
    first.subscribe(topic)
    const running = first.run({
      drainMs: 100,
      handler: async ({ offset }, { signal }) => {
        if (offset !== 1) return
        signal.addEventListener('abort', () => (aborted = true))
        await hung.opened
      },
    })
    await until('the first is done', async () => (await committed(group, topic)) === 1)
    await first.unsubscribe()
    assert.ok(aborted)
    // Nothing but the hung handler could commit what the second has read.
    const second = consumer({ ...config, 'group.id': group, 'enable.auto.commit': false })
    second.subscribe(topic)
    assert.equal((await second.readMessage(WAIT_MS)).offset, 1)
    hung.open()
    await first.close()
    await running
    assert.equal(await committed(group, topic), 1)
  })
}

test('handlers of partitions that are lost are told, and what they finish is not committed', async () => {
  const [topic, group] = [await topicWith(1, 3), fresh('run')]
  // The cluster keeps the member that the error disowned for that long.
  const reader = consumer({ 'group.id': group, 'session.timeout.ms': 1000 })
  reader.subscribe(topic)
  const seen: number[] = []
  let aborted = 0
  const running = reader.run({
    handler: async ({ offset }, { signal }) => {
      seen.push(offset)
      if (offset !== 1 || aborted > 0) return
      await until('what came before is committed', async () => (await committed(group, topic)) === 1)
      cluster.failNext(HEARTBEAT, [ErrorCode.ERR_UNKNOWN_MEMBER_ID])
      await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve()))
      aborted++
    },
  })
  await until('everything is committed by the next membership', async () => (await committed(group, topic)) === 3)
  await reader.close()
  await running
  assert.equal(aborted, 1)
  assert.deepEqual(seen, [0, 1, 1, 2])
})

test('a message that cannot be put aside ends the run, and comes again', async () => {
  const [topic, group] = [await topicWith(1, 3), fresh('run')]
  const reader = consumer({ 'group.id': group })
  reader.subscribe(topic)
  const failing = reader.run({
    deadLetter: { topic: 'aside', producer: { send: () => Promise.reject(new Error('no room aside')) } },
    handler: ({ offset }) => {
      if (offset === 1) throw new Error('not one')
    },
  })
  await assert.rejects(failing, /no room aside/)
  assert.equal(await committed(group, topic), 1)
  const seen: number[] = []
  const again = reader.run({
    handler: ({ offset }) => {
      seen.push(offset)
    },
  })
  await until('another run goes on', () => seen.length > 0 && seen.includes(2))
  await reader.close()
  await again
  assert.equal(await committed(group, topic), 3)
})

for (const automatic of [true, false]) {
  test(`commits that are refused for a while end nothing, enable.auto.commit=${automatic}`, async () => {
    const [topic, group] = [await topicWith(1, 20), fresh('run')]
    const reader = consumer({ 'group.id': group, 'enable.auto.commit': automatic })
    reader.subscribe(topic)
    cluster.failNext(OFFSET_COMMIT, [
      ErrorCode.ERR_COORDINATOR_LOAD_IN_PROGRESS,
      ErrorCode.ERR_NOT_COORDINATOR,
      ErrorCode.ERR_UNKNOWN,
      ErrorCode.ERR_INVALID_COMMIT_OFFSET_SIZE,
    ])
    const running = reader.run({ handler: quiet })
    await until('everything is committed', async () => (await committed(group, topic)) === 20)
    await reader.close()
    await running
  })
}

test('close waits for what is at work, and no longer than it was given', async () => {
  const [topic, group] = [await topicWith(1, 3), fresh('run')]
  const hung = gate()
  const reader = consumer({ 'group.id': group })
  reader.subscribe(topic)
  let begun = 0
  const running = reader.run({
    handler: async () => {
      begun++
      await hung.opened
    },
  })
  await until('one is at work', () => begun === 1)
  const began = Date.now()
  await reader.close(300)
  assert.ok(Date.now() - began < WAIT_MS)
  hung.open()
  await running
  assert.equal(begun, 1)
})

test('a run tells what keeps messages away, and goes on when it has passed', async () => {
  const [topic, group] = [await topicWith(1, 1), fresh('run')]
  const lines: string[] = []
  const reader = consumer({ 'group.id': group }, (level, _, message) => {
    if (level <= 4) lines.push(message)
  })
  reader.subscribe(topic)
  cluster.failPartition(topic, 0, FETCH, [ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED])
  let count = 0
  const running = reader.run({
    handler: () => {
      count++
    },
  })
  await until('the message is worked on', () => count === 1)
  await reader.close()
  await running
  assert.ok(
    lines.some(line => line.includes('ERR_TOPIC_AUTHORIZATION_FAILED')),
    lines.join('\n'),
  )
})

test('what waits for handlers is bounded, however much there is', async () => {
  const [topic, group] = [await topicWith(1, 5000), fresh('run')]
  const hung = gate()
  const reader = consumer({ 'group.id': group })
  reader.subscribe(topic)
  let done = 0
  const running = reader.run({
    concurrency: 4,
    order: 'none',
    handler: async () => {
      await hung.opened
      done++
    },
  })
  await until('no more is taken', () => reader.explain().some(said => /is held|what follows waits/.test(said)))
  const [{ offset } = { offset: -1 }] = reader.position()
  assert.ok(offset > 4 && offset <= 100, `${offset} are in memory`)
  hung.open()
  await until('all are done', () => done === 5000)
  await reader.close()
  await running
  assert.equal(await committed(group, topic), 5000)
})

test('whoever reads after a run gets what it has not finished, what it held back included', async () => {
  const [topic, group] = [await topicWith(1, 300), fresh('run')]
  const hung = gate()
  const stop = new AbortController()
  const reader = consumer({ 'group.id': group })
  reader.subscribe(topic)
  let begun = 0
  const running = reader.run({
    drainMs: 10,
    signal: stop.signal,
    handler: async () => {
      if (++begun === 4) await hung.opened
    },
  })
  await until('one hangs, and no more is taken', () =>
    reader.explain().some(said => /is held|what follows waits/.test(said)),
  )
  stop.abort()
  await running
  const offsets: number[] = []
  for await (const { offset } of reader) {
    offsets.push(offset)
    if (offset === 299) break
  }
  assert.deepEqual(
    offsets,
    Array.from({ length: 297 }, (_, i) => i + 3),
  )
  hung.open()
})

test('a program that has gone elsewhere meanwhile stays there when the run ends', async () => {
  const [topic, group] = [await topicWith(1, 30), fresh('run')]
  const stop = new AbortController()
  const reader = consumer({ 'group.id': group })
  reader.subscribe(topic)
  await reader.run({
    signal: stop.signal,
    handler: async ({ offset }) => {
      if (offset !== 20) return
      await reader.seek([{ topic, partition: 0, offset: 5 }])
      stop.abort()
    },
  })
  assert.equal((await reader.readMessage(WAIT_MS)).offset, 5)
})
