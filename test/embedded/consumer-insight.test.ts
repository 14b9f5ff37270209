/** What a consumer says when nothing arrives: `explain()`, and partitions that no broker answers for. */
import { afterEach, beforeEach, test } from 'node:test'
import assert from 'node:assert/strict'
import { EmbeddedCluster } from '@ottla/broker'
import { Consumer, ErrorCode, Producer, type ConsumerConfig, type LogSink, type PartitionStalledEvent } from 'ottla'

const FETCH = 1
const OFFSET_FETCH = 9
const WAIT_MS = 20_000
const quiet = (): void => undefined

let cluster: EmbeddedCluster
let names = 0
const closing: { close(): Promise<void> }[] = []
const fresh = (prefix: string): string => `${prefix}-${++names}`

beforeEach(async () => {
  cluster = await EmbeddedCluster.start({ brokers: 2, autoCreateTopics: false })
})

afterEach(async () => {
  await Promise.all(closing.splice(0).map(client => client.close()))
  await cluster.close()
})

function consumer(config: Partial<ConsumerConfig> = {}, logger: LogSink = quiet): Consumer {
  const made = new Consumer(
    {
      'bootstrap.servers': cluster.bootstrapServers,
      'group.id': fresh('group'),
      'auto.offset.reset': 'earliest',
      'fetch.wait.max.ms': 50,
      'retry.backoff.ms': 20,
      'retry.backoff.max.ms': 50,
      'reconnect.backoff.ms': 20,
      'reconnect.backoff.max.ms': 50,
      ...config,
    },
    { logger },
  )
  closing.push(made)
  return made
}

function topic(partitions = 1): string {
  const name = fresh('topic')
  cluster.createTopic(name, { partitions })
  return name
}

async function fill(name: string, count: number): Promise<void> {
  const producer = new Producer({ 'bootstrap.servers': cluster.bootstrapServers, 'linger.ms': 0 }, { logger: quiet })
  for (let i = 0; i < count; i++) await producer.send({ topic: name, partition: 0, value: String(i) })
  await producer.close()
}

async function untilSays(reader: Consumer, pattern: RegExp): Promise<string> {
  const deadline = Date.now() + WAIT_MS
  for (;;) {
    const found = reader.explain().find(sentence => pattern.test(sentence))
    if (found !== undefined) return found
    assert.ok(Date.now() < deadline, `never said ${String(pattern)}: ${reader.explain().join(' ')}`)
    await reader.poll(20)
  }
}

test('explain: nothing subscribed to, and a consumer that is closed', async () => {
  const reader = consumer()
  assert.ok(reader.explain().includes('Nothing is subscribed to or assigned: call subscribe or assign.'))
  await reader.close()
  assert.deepEqual(reader.explain(), ['The consumer is closed.'])
})

test('explain: a topic that there is not, a pattern that matches none', async () => {
  const reader = consumer()
  const missing = fresh('missing')
  reader.subscribe(missing)
  assert.equal(await untilSays(reader, /^Topic/), `Topic ${missing} does not exist.`)
  const other = consumer()
  other.subscribe('^nothing-like-it')
  assert.equal(await untilSays(other, /matches/), 'No topic matches ^nothing-like-it.')
})

test('explain: brokers that cannot be reached', async () => {
  const reader = consumer({ 'bootstrap.servers': '127.0.0.1:1' })
  reader.subscribe('any')
  const said = await untilSays(reader, /No broker can be reached/)
  assert.match(said, /127\.0\.0\.1:1\/bootstrap/)
  assert.match(await untilSays(reader, /^The last error/), /\d+ s ago: /)
  assert.match(await untilSays(reader, /is joining: it waits for the coordinator/), /\(group 'group-\d+'\)/)
})

test('explain: a rebalance that waits for the program to poll, then messages that do', async () => {
  const name = topic()
  await fill(name, 3)
  const reader = consumer()
  reader.subscribe(name)
  const deadline = Date.now() + WAIT_MS
  while (!reader.explain().some(said => said.includes('as soon as the application polls'))) {
    assert.ok(Date.now() < deadline, reader.explain().join(' '))
    await new Promise(resolve => setTimeout(resolve, 10))
  }
  assert.ok(reader.explain().includes('The application is not asking: no poll, iterator or run waits for messages.'))
  await reader.readMessage(WAIT_MS)
  assert.ok(reader.explain().includes(`${name} [0]: has messages that wait for the application.`))
  await reader.readMessage(WAIT_MS)
  await reader.readMessage(WAIT_MS)
  assert.equal(await untilSays(reader, /to its end/), `${name} [0]: is read to its end.`)
  reader.pause([{ topic: name, partition: 0 }])
  assert.ok(reader.explain().includes(`${name} [0]: is paused.`))
})

test('explain: partitions that fare alike share a sentence, and many are counted', async () => {
  const name = topic(8)
  const reader = consumer()
  reader.subscribe(name)
  const said = await untilSays(reader, /and 3 more: is read to its end\.$/)
  assert.equal(said.match(/\[\d\]/g)?.length, 5)
})

test('explain: a member that there is no partition left for', async () => {
  const name = topic()
  const group = fresh('group')
  const [first, second] = [consumer({ 'group.id': group }), consumer({ 'group.id': group })]
  first.subscribe(name)
  await untilSays(first, /to its end/)
  second.subscribe(name)
  const others = (async (): Promise<void> => {
    while (!first.closed && !second.closed) await first.poll(20)
  })()
  const deadline = Date.now() + WAIT_MS
  const both = (): boolean => [first, second].some(one => one.explain().some(said => said.includes('has no partition')))
  while (!both()) {
    assert.ok(Date.now() < deadline, [...first.explain(), ...second.explain()].join(' '))
    await second.poll(20)
  }
  await second.close()
  await others
})

test('explain: a committed offset that the coordinator does not give, an offset without a way to go on', async () => {
  const name = topic()
  cluster.failNext(
    OFFSET_FETCH,
    Array.from({ length: 1000 }, () => ErrorCode.ERR_UNSTABLE_OFFSET_COMMIT),
  )
  const reader = consumer({ 'auto.offset.reset': 'error' })
  reader.subscribe(name)
  await untilSays(reader, /waits for its committed offset from the group coordinator/)
  cluster.clearFaults()
  await untilSays(reader, /auto\.offset\.reset=error: call seek/)
})

test('a partition that no broker answers for is told of once, with the reason, and again after it has recovered', async () => {
  const name = topic()
  await fill(name, 1)
  const reader = consumer({ 'ottla.partition.stall.ms': 300, 'fetch.error.backoff.ms': 20 })
  const told: PartitionStalledEvent[] = []
  reader.on('partition-stalled', event => told.push(event))
  reader.subscribe(name)
  await reader.readMessage(WAIT_MS)
  for (const round of [1, 2]) {
    const refusals = Array.from({ length: 1000 }, () => ErrorCode.ERR_UNKNOWN)
    cluster.failPartition(name, 0, FETCH, refusals)
    while (told.length < round) await reader.poll(20)
    const { topic: of, partition, offset, stalledMs, reason } = told[round - 1]!
    assert.deepEqual([of, partition, offset], [name, 0, round])
    assert.ok(stalledMs >= 300)
    assert.match(reason, /^could not be fetched from its leader, broker \d: /)
    cluster.clearFaults()
    await fill(name, 1)
    await reader.readMessage(WAIT_MS)
    assert.equal(told.length, round)
  }
})

test('a stalled partition that no listener hears of is a warning', async () => {
  const name = topic(2)
  const lines: string[] = []
  const log: LogSink = (level, facility, message) => {
    if (facility === 'STALL') lines.push(`${level} ${message}`)
  }
  const reader = consumer({ 'ottla.partition.stall.ms': 200 }, log)
  await reader.assign([0, 1].map(partition => ({ topic: name, partition, offset: 0 })))
  await cluster.brokerDown(1, { moveLeaders: false })
  await cluster.brokerDown(2, { moveLeaders: false })
  while (lines.length === 0) await reader.poll(20)
  assert.match(lines[0]!, /^4 .*\[[01]\].*: no broker answers: /)
})
