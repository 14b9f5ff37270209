/** `ShareConsumer` while brokers refuse, break and move. */
import { after, afterEach, before, test, type TestContext } from 'node:test'
import assert from 'node:assert/strict'
import { ApiKey, type ShareFetchRequest, type ShareGroupHeartbeatRequest } from '@ottla/protocol'
import { EmbeddedCluster } from '@ottla/broker'
import {
  AdminClient,
  ErrorCode,
  Producer,
  ShareConsumer,
  type AcknowledgedEvent,
  type ShareConsumerConfig,
  type KafkaError,
  type ShareMessage,
} from 'ottla'
import { gate } from '../behaviour/reading-ways.ts'
import { seeded } from '../chaos/random.ts'
import { shareChaos } from '../chaos/share/share-chaos.ts'

const WAIT_MS = 20_000
const quiet = (): void => undefined

let cluster: EmbeddedCluster
let admin: AdminClient
let producer: Producer
let names = 0
const closing: ShareConsumer[] = []

before(async () => {
  cluster = await EmbeddedCluster.start({ brokers: 3 })
  const servers = { 'bootstrap.servers': cluster.bootstrapServers }
  admin = new AdminClient(servers, { logger: quiet })
  producer = new Producer({ ...servers, 'linger.ms': 0 }, { logger: quiet })
})

afterEach(async () => {
  cluster.clearFaults()
  await Promise.all(closing.splice(0).map(each => each.close()))
})

after(async () => {
  await producer.close()
  await admin.close()
  await cluster.close()
})

function consumer(group: string, config: Partial<ShareConsumerConfig> = {}): ShareConsumer {
  const made = new ShareConsumer(
    {
      'bootstrap.servers': cluster.bootstrapServers,
      'group.id': group,
      'fetch.wait.max.ms': 50,
      'retry.backoff.ms': 10,
      'fetch.error.backoff.ms': 10,
      'reconnect.backoff.ms': 10,
      ...config,
    },
    { logger: quiet },
  )
  closing.push(made)
  return made
}

async function setting(
  count: number,
  partitions = 1,
  settings: Record<string, string> = {},
): Promise<[string, string]> {
  const [topic, group] = [`share-${++names}`, `sharers-${names}`]
  cluster.createTopic(topic, { partitions, replicationFactor: 3 })
  const all = { 'share.auto.offset.reset': 'earliest', 'share.assignment.interval.ms': '0', ...settings }
  const entries = Object.entries(all).map(([name, value]) => ({ name, value, operation: 'set' as const }))
  const [altered] = await admin.incrementalAlterConfigs([{ type: 'group', name: group, entries }])
  assert.equal(altered?.error, undefined)
  await send(topic, 0, count, partitions)
  return [topic, group]
}

async function send(topic: string, from: number, count: number, partitions = 1): Promise<void> {
  const messages = Array.from({ length: count }, (_, i) => ({
    topic,
    partition: i % partitions,
    value: String(from + i),
  }))
  for (const { error } of await producer.sendBatch(messages)) assert.equal(error, undefined)
}

async function message(from: ShareConsumer): Promise<ShareMessage> {
  for (;;) {
    const event = await from.poll(WAIT_MS)
    assert.ok(event, 'no message came')
    if (event.type === 'message') return event.message
  }
}

async function take(from: ShareConsumer, count: number): Promise<number[]> {
  const values: number[] = []
  while (values.length < count) values.push(Number((await message(from)).value))
  return values
}

async function until(what: string, done: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + WAIT_MS
  while (!(await done())) {
    assert.ok(Date.now() < deadline, `never came true: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i)
const inOrder = (values: number[]): number[] => [...values].sort((a, b) => a - b)

test('heartbeats that are refused for a while, or of a member that is not known any more, end nothing', async () => {
  const [topic, group] = await setting(10)
  cluster.failNext(ApiKey.ShareGroupHeartbeat, [
    ErrorCode.ERR_COORDINATOR_LOAD_IN_PROGRESS,
    ErrorCode.ERR_NOT_COORDINATOR,
    ErrorCode.ERR_GROUP_MAX_SIZE_REACHED,
    ErrorCode.ERR__TRANSPORT,
  ])
  const first = consumer(group)
  const told: number[] = []
  first.on('error', ({ error }) => told.push(error.code))
  first.subscribe(topic)
  assert.deepEqual(await take(first, 10), upTo(10))
  assert.ok(told.includes(ErrorCode.ERR_GROUP_MAX_SIZE_REACHED))
  for (const code of [ErrorCode.ERR_UNKNOWN_MEMBER_ID, ErrorCode.ERR_FENCED_MEMBER_EPOCH]) {
    cluster.failNext(ApiKey.ShareGroupHeartbeat, [code, code])
    // Another subscription has it say something at once.
    first.subscribe([topic, `${topic}-other`])
    await until('it was put out', () => first.assignment().length === 0)
    first.subscribe(topic)
    await send(topic, 10, 1)
    assert.equal((await message(first)).value?.toString(), '10')
  }
})

/** Epochs of a member's heartbeats as its coordinator hears them; `answer` may hold one up, or answer it. */
function heard(t: TestContext, group: string, answer: (epoch: number) => unknown): number[] {
  const epochs: number[] = []
  const end = cluster.control(({ apiName, body }) => {
    if (apiName !== 'ShareGroupHeartbeat') return undefined
    const { groupId, memberEpoch } = body as ShareGroupHeartbeatRequest
    if (groupId !== group) return undefined
    epochs.push(memberEpoch)
    return answer(memberEpoch)
  })
  t.after(end)
  return epochs
}

test('a heartbeat of a membership that has been ended is neither tried again nor counts for the next one', async t => {
  const [topic, group] = await setting(1)
  const errorCode = ErrorCode.ERR_COORDINATOR_LOAD_IN_PROGRESS
  const rest = { errorMessage: null, memberId: '', memberEpoch: 0, heartbeatIntervalMs: 50, assignment: null }
  let isLoading = true
  const refused = heard(t, group, epoch =>
    epoch === 0 && isLoading ? { throttleTimeMs: 0, errorCode, ...rest } : undefined,
  )
  const reader = consumer(group)
  reader.subscribe([topic])
  await until('it is refused', () => refused.length > 1)
  await reader.unsubscribe()
  await new Promise(resolve => setTimeout(resolve, 100))
  assert.deepEqual(refused.slice(refused.indexOf(-1)), [-1])
  isLoading = false
  reader.subscribe([topic])
  assert.equal((await message(reader)).offset, 0)
})

test('an answer to a heartbeat that comes after the end of its membership counts for nothing', async t => {
  const [topic, group] = await setting(1)
  const { opened, open } = gate()
  t.after(open)
  const epochs = heard(t, group, async epoch => {
    if (epoch === 0) await opened
    return undefined
  })
  const reader = consumer(group)
  reader.subscribe([topic])
  await until('it joins', () => epochs.length > 0)
  const left = reader.unsubscribe()
  reader.subscribe([topic])
  open()
  await left
  assert.equal((await message(reader)).offset, 0)
  assert.deepEqual(epochs.slice(0, 3), [0, -1, 0])
})

test('a group that may not be read is told of, and joined when it may', async () => {
  const [topic, group] = await setting(1)
  const refusals = Array.from({ length: 3 }, () => ErrorCode.ERR_GROUP_AUTHORIZATION_FAILED)
  cluster.failNext(ApiKey.ShareGroupHeartbeat, refusals)
  const first = consumer(group)
  first.subscribe(topic)
  const iterator = first[Symbol.asyncIterator]()
  await assert.rejects(iterator.next(), { code: ErrorCode.ERR_GROUP_AUTHORIZATION_FAILED })
  assert.equal((await message(first)).offset, 0)
})

test('brokers without share groups are a fatal error', async () => {
  const [topic, group] = await setting(0)
  cluster.failNext(ApiKey.ShareGroupHeartbeat, [ErrorCode.ERR_UNSUPPORTED_VERSION])
  const first = consumer(group)
  first.subscribe(topic)
  const error = await first[Symbol.asyncIterator]()
    .next()
    .then(
      () => null,
      (e: unknown) => e as KafkaError,
    )
  assert.equal(error?.code, ErrorCode.ERR_UNSUPPORTED_VERSION)
  assert.ok(error.isFatal)
  await first.close()
})

for (const code of [
  ErrorCode.ERR_SHARE_SESSION_NOT_FOUND,
  ErrorCode.ERR_INVALID_SHARE_SESSION_EPOCH,
  ErrorCode.ERR_SHARE_SESSION_LIMIT_REACHED,
  ErrorCode.ERR__TRANSPORT,
]) {
  test(`a session that is lost (${code}) begins anew; what was locked in it comes again`, async () => {
    const [topic, group] = await setting(5, 1, { 'share.record.lock.duration.ms': '1000' })
    const first = consumer(group, { 'share.acknowledgement.mode': 'explicit' })
    const told: AcknowledgedEvent[] = []
    first.on('acknowledged', event => told.push(event))
    first.subscribe(topic)
    const one = await message(first)
    first.acknowledge(one)
    cluster.failNext(ApiKey.ShareFetch, [code])
    cluster.failNext(ApiKey.ShareAcknowledge, [code])
    const results = await first.commit()
    assert.equal(results.length, 1)
    const seen = new Set<number>(results[0]?.error === undefined ? [one.offset] : [])
    while (seen.size < 5) {
      const each = await message(first)
      // A lock that is lost meanwhile says so.
      try {
        first.acknowledge(each)
      } catch {
        continue
      }
      const [done] = await first.commit()
      if (done?.error === undefined) seen.add(each.offset)
    }
    assert.deepEqual(inOrder([...seen]), upTo(5))
    await until('all are told', () => told.filter(({ error }) => error === undefined).length >= 4)
  })
}

test('acknowledgements that a broker does not take are told, by partition', async () => {
  const [topic, group] = await setting(2, 2)
  const first = consumer(group, { 'share.acknowledgement.mode': 'explicit' })
  first.subscribe(topic)
  const given = [await message(first), await message(first)]
  const end = cluster.control(({ apiName, body }) => {
    if (apiName !== 'ShareAcknowledge') return undefined
    const { topics } = body as { topics: { topicId: string; partitions: { partitionIndex: number }[] }[] }
    return {
      throttleTimeMs: 0,
      errorCode: 0,
      acquisitionLockTimeoutMs: 1000,
      responses: topics.map(({ topicId, partitions }) => ({
        topicId,
        partitions: partitions.map(({ partitionIndex }) => ({
          partitionIndex,
          errorCode: partitionIndex === 0 ? ErrorCode.ERR_INVALID_RECORD_STATE : 0,
          currentLeader: { leaderId: -1, leaderEpoch: -1 },
        })),
      })),
      nodeEndpoints: [],
    }
  })
  for (const each of given) first.acknowledge(each)
  const results = await first.commit()
  end()
  const codes = new Map(results.map(({ partition, error }) => [partition, error?.code]))
  // A fetch may have taken one of them along.
  const taken: (number | undefined)[] = [undefined, ErrorCode.ERR_INVALID_RECORD_STATE]
  assert.ok(taken.includes(codes.get(0)))
  assert.equal(codes.get(1), undefined)
})

test('leaders move while messages are at work; nothing is lost', async () => {
  const [topic, group] = await setting(60, 3, { 'share.record.lock.duration.ms': '1000' })
  const first = consumer(group)
  first.subscribe(topic)
  const done = new Set<number>()
  let moves = 0
  const running = first.run({
    concurrency: 3,
    handler: async ({ value }) => {
      await new Promise(resolve => setTimeout(resolve, 5))
      done.add(Number(value))
      if (done.size % 10 === 0 && moves < 6) cluster.setLeader(topic, moves % 3, (moves++ % 3) + 1)
    },
  })
  await until('everything is done', () => done.size === 60)
  await first.close()
  await running
  assert.ok(moves > 0)
})

const holders: Record<string, (from: ShareConsumer, seen: (message: ShareMessage) => Promise<void>) => Promise<void>> =
  {
    'poll, explicit': async (from, seen) => {
      while (!from.closed) {
        const event = await from.poll(20)
        if (event?.type !== 'message') continue
        await seen(event.message)
        from.acknowledge(event.message)
      }
    },
    'poll, implicit': async (from, seen) => {
      while (!from.closed) {
        const event = await from.poll(20)
        if (event?.type === 'message') await seen(event.message)
      }
    },
    'for await': async (from, seen) => {
      for await (const message of from) await seen(message)
    },
    run: (from, seen) => from.run({ handler: seen }),
  }
for (const [way, read] of Object.entries(holders)) {
  test(`${way}: a message of the leader before is settled late; its partition is read on from the new one`, async t => {
    const [topic, group] = await setting(0, 2)
    for (const partition of [0, 1]) cluster.setLeader(topic, partition, 1)
    let hasMoved = false
    let isForgotten = false
    /** Fetches that have the leader before read the partition. */
    let added = 0
    let isSettled = false
    const end = cluster.control(({ apiName, brokerId, body }) => {
      if ((apiName !== 'ShareFetch' && apiName !== 'ShareAcknowledge') || (body as ShareFetchRequest).groupId !== group)
        return
      const { topics, forgottenTopicsData = [] } = body as Partial<ShareFetchRequest>
      const isNamed = topics?.some(({ partitions }) => partitions.some(each => each.partitionIndex === 0)) === true
      if (apiName === 'ShareAcknowledge') isSettled ||= isNamed && brokerId === 1
      else if (brokerId === 2) hasMoved ||= isNamed
      else if (isNamed) added++
      else if (forgottenTopicsData.some(({ partitions }) => partitions.includes(0))) isForgotten = true
    })
    t.after(end)
    const mode = way === 'poll, explicit' ? 'explicit' : 'implicit'
    const first = consumer(group, { 'share.acknowledgement.mode': mode })
    const late = gate()
    const seen: string[] = []
    first.subscribe(topic)
    const reading = read(first, async ({ value }) => {
      seen.push(String(value))
      if (seen.length === 1) await late.opened
    })
    t.after(async () => {
      late.open()
      await first.close()
      await reading
    })
    const write = async (partition: number, value: string): Promise<unknown> =>
      producer.send({ topic, partition, value })
    await write(0, 'held')
    await until('it is held', () => seen.length === 1)
    cluster.setLeader(topic, 0, 2)
    await until('the partition is read from the new one', () => hasMoved)
    await until('the one before is to forget it', () => isForgotten)
    added = 0
    late.open()
    // With a fetch, it would make that one read the partition again.
    await until('it is settled, by itself', () => isSettled)
    await write(0, 'next')
    await write(1, 'other')
    await until('both are read', () => seen.includes('next') && seen.includes('other'))
    assert.equal(added, 0)
  })
}

test('partitions that may not be read are told of, and are no obstacle to others', async () => {
  const [topic, group] = await setting(10, 2)
  const end = cluster.control(({ apiName, body }) => {
    if (apiName !== 'ShareFetch') return undefined
    const { topics } = body as { topics: { topicId: string; partitions: { partitionIndex: number }[] }[] }
    const [first] = topics
    if (first === undefined || first.partitions.every(({ partitionIndex }) => partitionIndex !== 0)) return undefined
    return {
      throttleTimeMs: 0,
      errorCode: 0,
      acquisitionLockTimeoutMs: 30_000,
      responses: [
        {
          topicId: first.topicId,
          partitions: [
            {
              partitionIndex: 0,
              errorCode: ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED,
              acknowledgeErrorCode: 0,
              currentLeader: { leaderId: -1, leaderEpoch: -1 },
              records: Buffer.alloc(0),
              acquiredRecords: [],
            },
          ],
        },
      ],
      nodeEndpoints: [],
    }
  })
  const first = consumer(group)
  const told: number[] = []
  first.on('error', ({ error }) => told.push(error.code))
  first.subscribe(topic)
  await until('it is told', async () => {
    await first.poll(20)
    return told.includes(ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED)
  })
  end()
  const seen = new Set<number>()
  while (seen.size < 9) seen.add(Number((await message(first)).value))
})

test('statistics tell of the group, and of what was taken', async () => {
  const [topic, group] = await setting(10)
  const first = consumer(group, { 'statistics.interval.ms': 50 })
  first.subscribe(topic)
  assert.deepEqual(await take(first, 10), upTo(10))
  const json = await new Promise<string>(resolve => first.on('stats', event => resolve(event.json)))
  const stats = JSON.parse(json) as {
    cgrp: { state: string; assignment_size: number }
    topics: Record<string, { partitions: Record<string, { rxmsgs: number; desired: boolean }> }>
  }
  assert.deepEqual([stats.cgrp.state, stats.cgrp.assignment_size], ['up', 1])
  const partition = stats.topics[topic]?.partitions[0]
  assert.deepEqual([partition?.rxmsgs, partition?.desired], [10, true])
})

test('close comes to its end with every broker gone', async () => {
  const own = await EmbeddedCluster.start()
  own.createTopic('gone', { partitions: 1, replicationFactor: 1 })
  const first = new ShareConsumer({ 'bootstrap.servers': own.bootstrapServers, 'group.id': 'g' }, { logger: quiet })
  first.subscribe('gone')
  await first.poll(300)
  own.pauseBroker(1)
  await first.close(500)
  assert.ok(first.closed)
  assert.throws(() => first.subscribe('gone'), { code: ErrorCode.ERR__STATE })
  await own.close()
})

test('chaos: brokers crash, consumers come and go; every message is worked on, none after it was accepted', async () => {
  const [topic, group] = await setting(0, 6)
  const lines: string[] = []
  const { written, missing, afterAccepted, kills, joined } = await shareChaos({
    brokers: {
      bootstrapServers: cluster.bootstrapServers,
      ids: [1, 2, 3],
      kill: id => cluster.brokerDown(id),
      restart: id => cluster.brokerUp(id),
    },
    topic,
    group,
    partitions: 6,
    members: 4,
    seconds: 4,
    messages: 1000,
    leastMessages: 1000,
    random: seeded(5),
    log: line => lines.push(line),
    doneWithinMs: WAIT_MS,
  })
  assert.deepEqual([missing, afterAccepted], [[], 0], lines.join('\n'))
  assert.ok(written > 1000 && kills > 0 && joined > 4, `${written} messages, ${kills} kills, ${joined} members`)
})
