import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode } from '@ottla/protocol'
import type { DeliveryReport } from '../../src/types.ts'
import { makeWorld, settle } from './world.ts'

const values = (n: number, from = 0): string[] => Array.from({ length: n }, (_, i) => `v${from + i}`)
// Backoff of the first retry: retry.backoff.ms (100) and at most 20 % more.
const RETRY_MS = 120

for (const code of [
  ErrorCode.ERR_NOT_LEADER_FOR_PARTITION,
  ErrorCode.ERR_LEADER_NOT_AVAILABLE,
  ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART,
  ErrorCode.ERR_KAFKA_STORAGE_ERROR,
  ErrorCode.ERR_NOT_ENOUGH_REPLICAS,
  ErrorCode.ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
  ErrorCode.ERR_REQUEST_TIMED_OUT,
  ErrorCode.ERR_INVALID_MSG,
]) {
  test(`a batch refused with code ${code} is retried after the backoff and then delivered`, async () => {
    const { cluster, clock, put, outcomes, nextAfter } = makeWorld()
    cluster.topic('t', [1])
    put({ topic: 't', value: 'a' })
    const first = await nextAfter(5)
    first.error(code)
    await clock.advance(79)
    assert.equal(cluster.unseen, 0)
    const second = await nextAfter(RETRY_MS)
    assert.deepEqual(second.values, { 't/0': ['a'] })
    second.ok(1)
    await settle()
    assert.deepEqual(outcomes(), { ok: ['a'] })
  })
}

for (const [code, status] of [
  [ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED, 'not-persisted'],
  [ErrorCode.ERR_INVALID_RECORD, 'not-persisted'],
  [ErrorCode.ERR_MSG_SIZE_TOO_LARGE, 'not-persisted'],
  [ErrorCode.ERR_INVALID_REQUIRED_ACKS, 'not-persisted'],
  [ErrorCode.ERR_UNKNOWN, 'possibly-persisted'],
] as const) {
  test(`a batch refused with code ${code} is reported at once, ${status}`, async () => {
    const { cluster, put, reports, nextAfter } = makeWorld()
    cluster.topic('t', [1])
    put({ topic: 't', value: 'a' })
    const request = await nextAfter(5)
    request.error(code, { errorMessage: 'because of this' })
    await settle()
    assert.equal(reports[0]?.error?.code, code)
    assert.match(reports[0].error.message, /t \[0\].*because of this/)
    assert.equal(reports[0].status, status)
    assert.equal(reports[0].offset, -1)
  })
}

test('messages in flight on a lost connection are retried, and in doubt when retries run out', async () => {
  const { cluster, put, reports, nextAfter } = makeWorld({ retries: 1 })
  cluster.topic('t', [1])
  put({ topic: 't', value: 'a' })
  ;(await nextAfter(5)).fail(ErrorCode.ERR__TRANSPORT, true)
  ;(await nextAfter(RETRY_MS)).fail(ErrorCode.ERR__TRANSPORT, true)
  await settle()
  assert.equal(reports[0]?.error?.code, ErrorCode.ERR__TRANSPORT)
  assert.equal(reports[0].status, 'possibly-persisted')
  assert.ok(cluster.refreshes.length >= 2)
})

test('attempts that never reached the broker do not count as retries', async () => {
  const { cluster, put, reports, nextAfter } = makeWorld({ retries: 0 })
  cluster.topic('t', [1])
  put({ topic: 't', value: 'a' })
  for (let i = 0; i < 5; i++) (await nextAfter(1200)).fail(ErrorCode.ERR__TRANSPORT, false)
  ;(await nextAfter(1200)).ok()
  await settle()
  assert.equal(reports[0]?.status, 'persisted')
})

test('refusals that wrote nothing do not count as retries either', async () => {
  const { cluster, put, reports, nextAfter } = makeWorld({ retries: 0 })
  cluster.topic('t', [1])
  put({ topic: 't', value: 'a' })
  for (let i = 0; i < 3; i++) (await nextAfter(1200)).error(ErrorCode.ERR_NOT_LEADER_FOR_PARTITION)
  ;(await nextAfter(1200)).ok()
  await settle()
  assert.equal(reports[0]?.status, 'persisted')
})

for (const [acks, status] of [
  ['all', 'possibly-persisted'],
  [1, 'not-persisted'],
] as const) {
  test(`messages on a broker that lost the partition are ${status} with acks=${acks}`, async () => {
    // With all, they are in its log while it waits for the replicas, one of which is the next leader.
    const { cluster, clock, put, reports, nextAfter } = makeWorld({ acks, 'message.timeout.ms': 1000 })
    cluster.topic('t', [1])
    put({ topic: 't', value: 'a' })
    ;(await nextAfter(5)).error(ErrorCode.ERR_NOT_LEADER_FOR_PARTITION)
    await settle()
    cluster.topic('t', [-1], {}, 1)
    await clock.advance(2000)
    assert.equal(reports[0]?.error?.code, ErrorCode.ERR__MSG_TIMED_OUT)
    assert.equal(reports[0].status, status)
  })
}

test('with retries=0 an attempt that may have been written is the last', async () => {
  const { cluster, put, outcomes, reports, nextAfter } = makeWorld({ retries: 0 })
  cluster.topic('t', [1])
  put({ topic: 't', value: 'a' })
  ;(await nextAfter(5)).error(ErrorCode.ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND)
  await settle()
  assert.deepEqual(outcomes(), { ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND: ['a'] })
  assert.equal(reports[0]?.status, 'possibly-persisted')
})

test('pauses between retries double up to retry.backoff.max.ms', async () => {
  const { cluster, clock, put, nextAfter } = makeWorld({ 'retry.backoff.ms': 100, 'retry.backoff.max.ms': 400 })
  cluster.topic('t', [1])
  put({ topic: 't', value: 'a' })
  let request = await nextAfter(5)
  for (const pause of [100, 200, 400, 400]) {
    request.error(ErrorCode.ERR_NOT_ENOUGH_REPLICAS)
    await clock.advance(pause * 0.79)
    assert.equal(cluster.unseen, 0)
    request = await nextAfter(pause * 0.42)
  }
})

test('retried batches go before younger ones, in the order of their messages', async () => {
  const { cluster, clock, put, outcomes, nextAfter } = makeWorld({ 'batch.num.messages': 2 })
  cluster.topic('t', [1])
  put({ topic: 't', value: 'warm' })
  ;(await nextAfter(5)).ok()
  await settle()
  for (const value of values(8)) put({ topic: 't', value })
  await settle()
  const [first, second, third, fourth] = [cluster.next(), cluster.next(), cluster.next(), cluster.next()]
  second.fail(ErrorCode.ERR__TRANSPORT, true)
  first.fail(ErrorCode.ERR__TRANSPORT, true)
  put({ topic: 't', value: 'young' })
  await clock.advance(RETRY_MS)
  assert.equal(cluster.unseen, 0, 'nothing leaves while the others are under way')
  fourth.ok(20)
  third.fail(ErrorCode.ERR__TRANSPORT, true)
  const order: string[] = []
  for (let i = 0; i < 4; i++) {
    const request = await nextAfter(RETRY_MS)
    order.push(...(request.values['t/0'] ?? []))
    request.ok(10)
  }
  await settle()
  assert.deepEqual(order, [...values(6), 'young'])
  assert.equal(outcomes()['ok']?.length, 10)
})

test('after a leader change nothing goes to the new leader before the old one has answered everything', async () => {
  const { cluster, put, outcomes, nextAfter } = makeWorld({ 'batch.num.messages': 1 })
  cluster.topic('t', [1])
  put({ topic: 't', value: 'a' })
  const old = await nextAfter(0)
  cluster.topic('t', [2], {}, 1)
  put({ topic: 't', value: 'b' })
  await settle()
  assert.equal(cluster.unseen, 0)
  old.error(ErrorCode.ERR_NOT_LEADER_FOR_PARTITION)
  // The new leader is known already: no backoff.
  const again = await nextAfter(0)
  assert.equal(again.brokerId, 2)
  assert.deepEqual(again.values, { 't/0': ['a'] })
  again.ok()
  const next = await nextAfter(0)
  assert.equal(next.brokerId, 2)
  assert.deepEqual(next.values, { 't/0': ['b'] })
  next.ok(1)
  await settle()
  assert.deepEqual(outcomes(), { ok: ['a', 'b'] })
})

test('a queue that waits for a slow broker moves to the new leader at once', async () => {
  const { cluster, put, nextAfter } = makeWorld({ 'linger.ms': 0 })
  cluster.topic('t', [1, 1])
  put({ topic: 't', partition: 0, value: 'stuck' })
  await nextAfter(0)
  put({ topic: 't', partition: 1, value: 'free' })
  await settle()
  assert.equal(cluster.unseen, 0, 'one request at a time to a broker that has not answered yet')
  cluster.topic('t', [1, 2], {}, 1)
  const moved = await nextAfter(0)
  assert.equal(moved.brokerId, 2)
  assert.deepEqual(moved.values, { 't/1': ['free'] })
})

test('a leader named in the response is used without backoff (KIP-951)', async () => {
  const { cluster, put, nextAfter } = makeWorld()
  cluster.topic('t', [1])
  put({ topic: 't', value: 'a' })
  const first = await nextAfter(5)
  first.answer(
    () => ({ errorCode: ErrorCode.ERR_NOT_LEADER_FOR_PARTITION, currentLeader: { leaderId: 9, leaderEpoch: 5 } }),
    { nodeEndpoints: [{ nodeId: 9, host: 'localhost', port: 9009, rack: null }] },
  )
  const second = await nextAfter(0)
  assert.equal(second.brokerId, 9)
})

test('a partition without a leader waits for one', async () => {
  const { cluster, clock, put, nextAfter } = makeWorld()
  cluster.topic('t', [-1])
  put({ topic: 't', partition: 0, value: 'a' })
  await clock.advance(1000)
  assert.equal(cluster.unseen, 0)
  cluster.topic('t', [3], {}, 1)
  assert.equal((await nextAfter(0)).brokerId, 3)
})

test('a leader that is not among the known brokers is waited for', async () => {
  const { cluster, put, nextAfter } = makeWorld()
  cluster.topic('t', [7])
  put({ topic: 't', value: 'a' })
  await assert.rejects(nextAfter(500), /no further/)
  cluster.brokers([1, 7])
  assert.equal((await nextAfter(1200)).brokerId, 7)
})

test('a message that waits for longer than message.timeout.ms is not persisted', async () => {
  const { cluster, clock, put, reports } = makeWorld({ 'message.timeout.ms': 1000 })
  cluster.topic('t', [-1])
  put({ topic: 't', partition: 0, value: 'a' })
  await clock.advance(999)
  assert.equal(reports.length, 0)
  await clock.advance(101)
  assert.equal(reports[0]?.error?.code, ErrorCode.ERR__MSG_TIMED_OUT)
  assert.equal(reports[0].error.isTimeout, true)
  assert.match(reports[0].error.message, /t \[0\].* 1000 ms/)
  assert.equal(reports[0].status, 'not-persisted')
})

test('old messages of a growing batch time out without the young ones', async () => {
  const { cluster, clock, put, outcomes, nextAfter } = makeWorld({ 'message.timeout.ms': 1000 })
  cluster.topic('t', [-1])
  for (let i = 0; i < 10; i++) {
    put({ topic: 't', partition: 0, value: `v${i}` })
    await clock.advance(200)
  }
  cluster.topic('t', [1], {}, 1)
  const request = await nextAfter(0)
  const sent = request.values['t/0'] ?? []
  const expired = outcomes()['ERR__MSG_TIMED_OUT'] ?? []
  assert.deepEqual([...expired, ...sent], values(10))
  assert.ok(expired.length >= 4 && expired.length <= 6, String(expired.length))
})

test('messages without a partition time out as well', async () => {
  const { clock, put, outcomes } = makeWorld({ 'message.timeout.ms': 1000 })
  put({ topic: 't', value: 'a' })
  await clock.advance(1200)
  assert.deepEqual(outcomes(), { ERR__MSG_TIMED_OUT: ['a'] })
})

test('a request does not outlive its messages; those in flight are in doubt', async () => {
  const { cluster, clock, put, reports, nextAfter } = makeWorld({ 'message.timeout.ms': 2000 })
  cluster.topic('t', [1])
  put({ topic: 't', value: 'a' })
  const request = await nextAfter(5)
  assert.equal(request.options.timeoutMs, 1995)
  await clock.advance(1990)
  assert.equal(reports.length, 0)
  await clock.advance(5)
  request.fail(ErrorCode.ERR__TIMED_OUT, true)
  await settle()
  assert.equal(reports[0]?.error?.code, ErrorCode.ERR__MSG_TIMED_OUT)
  assert.equal(reports[0].status, 'possibly-persisted')
  await clock.advance(1000)
  assert.equal(reports.length, 1)
})

test('without message.timeout.ms a request waits for socket.timeout.ms', async () => {
  const { cluster, put, nextAfter } = makeWorld({ 'message.timeout.ms': 0, 'request.timeout.ms': 70_000 })
  cluster.topic('t', [1])
  put({ topic: 't', value: 'a' })
  const request = await nextAfter(5)
  assert.equal(request.options.timeoutMs, 71_000)
  assert.equal(request.body.timeoutMs, 70_000)
})

test('a topic that is not created is given up after topic.metadata.propagation.max.ms', async () => {
  const { cluster, clock, put, outcomes } = makeWorld({ 'topic.metadata.propagation.max.ms': 2000 })
  put({ topic: 't', value: 'a' })
  put({ topic: 't', partition: 3, value: 'b' })
  cluster.missing('t')
  await clock.advance(1900)
  assert.deepEqual(outcomes(), {})
  await clock.advance(700)
  assert.deepEqual(outcomes(), { ERR__UNKNOWN_TOPIC: ['a', 'b'] })
  assert.throws(() => put({ topic: 't', value: 'c' }), /topic t does not exist/)
  cluster.topic('t', [1])
  put({ topic: 't', value: 'd' })
})

test('a topic that is created in time gets its messages', async () => {
  const { cluster, clock, put, nextAfter } = makeWorld()
  put({ topic: 't', value: 'a' })
  cluster.missing('t')
  await clock.advance(3000)
  cluster.topicError('t', ErrorCode.ERR_LEADER_NOT_AVAILABLE)
  await clock.advance(3000)
  cluster.topic('t', [2])
  assert.equal((await nextAfter(0)).brokerId, 2)
})

test('messages to a topic without authorization fail at once, and new ones until it is granted', async () => {
  const { cluster, put, outcomes, reports, nextAfter } = makeWorld()
  put({ topic: 't', value: 'a' })
  cluster.topicError('t', ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED)
  assert.deepEqual(outcomes(), { ERR_TOPIC_AUTHORIZATION_FAILED: ['a'] })
  assert.match(reports[0]?.error?.message ?? '', /topic t/)
  assert.throws(() => put({ topic: 't', value: 'b' }), /topic t/)
  cluster.topic('t', [1])
  put({ topic: 't', value: 'c' })
  assert.deepEqual((await nextAfter(5)).values, { 't/0': ['c'] })
})

test('a topic that is deleted and created again gets its messages under the new id', async () => {
  const { cluster, put, outcomes, nextAfter } = makeWorld()
  cluster.version = 13
  cluster.topic('t', [1], { topicId: 'AAAAAAAAAAAAAAAAAAAAAQ' })
  put({ topic: 't', value: 'a' })
  const first = await nextAfter(5)
  cluster.missing('t')
  first.error(ErrorCode.ERR_UNKNOWN_TOPIC_ID)
  await settle()
  cluster.topic('t', [2], { topicId: 'AAAAAAAAAAAAAAAAAAAAAg' })
  const second = await nextAfter(RETRY_MS)
  assert.equal(second.body.topicData[0]?.topicId, 'AAAAAAAAAAAAAAAAAAAAAg')
  second.ok()
  await settle()
  assert.deepEqual(outcomes(), { ok: ['a'] })
})

test('messages to a partition that the topic no longer has wait for it, those in flight included', async () => {
  const { cluster, clock, put, outcomes, nextAfter } = makeWorld({ 'batch.num.messages': 1 })
  cluster.topic('t', [1, 1])
  put({ topic: 't', partition: 1, value: 'a' })
  const request = await nextAfter(0)
  put({ topic: 't', partition: 1, value: 'b' })
  cluster.topic('t', [1], { topicId: 'AAAAAAAAAAAAAAAAAAAAAg' })
  assert.throws(() => put({ topic: 't', partition: 1, value: 'c' }), { code: ErrorCode.ERR__UNKNOWN_PARTITION })
  request.error(ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART)
  await clock.advance(RETRY_MS)
  assert.deepEqual(outcomes(), {})
  cluster.topic('t', [1, 1], { topicId: 'AAAAAAAAAAAAAAAAAAAAAg' })
  put({ topic: 't', partition: 1, value: 'c' })
  for (const value of ['a', 'b', 'c']) {
    const again = await nextAfter(RETRY_MS)
    assert.deepEqual(again.values, { 't/1': [value] })
    again.ok()
    await settle()
  }
  assert.deepEqual(outcomes(), { ok: ['a', 'b', 'c'] })
})

test('messages to a partition that does not come back time out, and their error says what is missing', async () => {
  const { cluster, clock, put, reports } = makeWorld({ 'message.timeout.ms': 5000 })
  cluster.topic('t', [1, -1])
  put({ topic: 't', partition: 1, value: 'a' })
  cluster.topic('t', [1])
  await clock.advance(7000)
  const { error } = reports[0] as DeliveryReport // one message was put in
  assert.equal(error?.name, 'ERR__MSG_TIMED_OUT')
  assert.match(error.message, /topic t has no partition 1: it has 1 partition/)
  assert.equal((error.cause as { name: string } | undefined)?.name, 'ERR__UNKNOWN_PARTITION')
})

test('a batch that the broker finds too large is divided until its messages fit', async () => {
  const { cluster, put, outcomes, nextAfter } = makeWorld({ 'compression.codec': 'gzip' })
  cluster.topic('t', [1])
  for (const value of values(5)) put({ topic: 't', key: 'k', value, headers: { h: value } })
  const sent: string[][] = []
  for (let request = await nextAfter(5); ; request = await nextAfter(0)) {
    const batch = request.values['t/0'] ?? []
    if (batch.length > 2) request.error(ErrorCode.ERR_MSG_SIZE_TOO_LARGE)
    else {
      sent.push(batch)
      request.ok(sent.length)
    }
    await settle()
    if (cluster.unseen === 0) break
  }
  assert.deepEqual(sent.flat(), values(5))
  assert.deepEqual(outcomes(), { ok: values(5) })
})

test('bad records of a batch fail with their reason, the others because they were in the same batch (KIP-467)', async () => {
  const { cluster, put, reports, nextAfter } = makeWorld()
  cluster.topic('t', [1])
  for (const value of values(4)) put({ topic: 't', value })
  const request = await nextAfter(5)
  request.error(ErrorCode.ERR_INVALID_TIMESTAMP, {
    recordErrors: [
      { batchIndex: 1, batchIndexErrorMessage: 'too old' },
      { batchIndex: 3, batchIndexErrorMessage: 'too new' },
    ],
  })
  await settle()
  assert.deepEqual(
    reports.map(r => r.error?.name),
    ['ERR__INVALID_DIFFERENT_RECORD', 'ERR_INVALID_RECORD', 'ERR__INVALID_DIFFERENT_RECORD', 'ERR_INVALID_RECORD'],
  )
  assert.match(reports[1]?.error?.message ?? '', /too old/)
  assert.match(reports[3]?.error?.message ?? '', /too new/)
})

test("a single bad record fails with the partition's own code", async () => {
  const { cluster, put, reports, nextAfter } = makeWorld()
  cluster.topic('t', [1])
  for (const value of values(2)) put({ topic: 't', value })
  const request = await nextAfter(5)
  request.error(ErrorCode.ERR_INVALID_RECORD, { recordErrors: [{ batchIndex: 0, batchIndexErrorMessage: 'no key' }] })
  await settle()
  assert.deepEqual(
    reports.map(r => r.error?.name),
    ['ERR_INVALID_RECORD', 'ERR__INVALID_DIFFERENT_RECORD'],
  )
})

test('a partition that the response lacks is retried', async () => {
  const { cluster, put, outcomes, nextAfter } = makeWorld()
  cluster.topic('t', [1])
  put({ topic: 't', value: 'a' })
  const request = await nextAfter(5)
  request.answer(() => ({ index: 99, baseOffset: 0 }))
  ;(await nextAfter(RETRY_MS)).ok()
  await settle()
  assert.deepEqual(outcomes(), { ok: ['a'] })
})

test('a request that cannot be encoded fails its messages', async () => {
  const { cluster, put, reports, nextAfter } = makeWorld()
  cluster.topic('t', [1])
  put({ topic: 't', value: 'a' })
  ;(await nextAfter(5)).fail(ErrorCode.ERR__UNSUPPORTED_FEATURE, false)
  await settle()
  assert.equal(reports[0]?.error?.code, ErrorCode.ERR__UNSUPPORTED_FEATURE)
  assert.equal(reports[0].status, 'not-persisted')
})

test('wrong credentials are waited out', async () => {
  const { cluster, put, outcomes, nextAfter } = makeWorld()
  cluster.topic('t', [1])
  put({ topic: 't', value: 'a' })
  ;(await nextAfter(5)).fail(ErrorCode.ERR__AUTHENTICATION, false)
  ;(await nextAfter(RETRY_MS)).ok()
  await settle()
  assert.deepEqual(outcomes(), { ok: ['a'] })
})

test('messages that waited and whose partitioner fails are reported, and the others sent', async () => {
  const { cluster, put, outcomes, nextAfter } = makeWorld({}, (_topic, key) => {
    if (String(key) === 'bad') throw new Error('no place for it')
    return 0
  })
  put({ topic: 't', key: 'good', value: 'a' })
  put({ topic: 't', key: 'bad', value: 'b' })
  put({ topic: 't', key: 'good', value: 'c' })
  cluster.topic('t', [1])
  const request = await nextAfter(5)
  assert.deepEqual(request.values, { 't/0': ['a', 'c'] })
  request.ok()
  await settle()
  assert.deepEqual(outcomes(), { ERR__INVALID_ARG: ['b'], ok: ['a', 'c'] })
})
