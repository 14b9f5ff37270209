/** A restarted leader knows only the last of a producer's batches, and calls the others out of order. */
import { ErrorCode, type Decoded, type ProduceRequest } from '@ottla/protocol'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FakeRequest } from '../fake-cluster.ts'
import { SequencedLog } from './sequenced-log.ts'
import { makeWorld, settle, type World } from '../world.ts'

const COUNT = 4
const RETRY_MS = 1000
const values = Array.from({ length: COUNT }, (_, i) => `v${i}`)
const recordsOf = (body: Decoded<ProduceRequest>): Buffer | null => body.topicData[0]?.partitionData[0]?.records ?? null

interface Scene extends World {
  readonly log: SequencedLog
  /** Appends requests to the log and answers them, until no more come. */
  readonly serve: () => Promise<void>
}

/** @param written how many of the messages in doubt are in the log */
async function inDoubt(written: number, config: object = {}): Promise<Scene> {
  const world = makeWorld({ 'enable.idempotence': true, 'batch.num.messages': 1, ...config })
  const { cluster, clock, put, ids } = world
  const log = new SequencedLog()
  const answer = (request: FakeRequest): void => request.answer(() => log.append(recordsOf(request.body)))
  cluster.topic('t', [1])
  ids[0]?.answer(0, 7n, 0)
  put({ topic: 't', value: 'first' })
  answer(await world.nextAfter(0))
  await settle()
  for (const value of values) put({ topic: 't', value })
  await settle()
  const sent = values.map(() => cluster.next())
  for (const request of sent.slice(0, written)) log.append(recordsOf(request.body))
  for (const request of sent) request.fail(ErrorCode.ERR__TRANSPORT, true)
  const serve = async (): Promise<void> => {
    for (let idle = 0; idle < 3; idle++) {
      await clock.advance(RETRY_MS)
      for (; cluster.unseen > 0; idle = 0) {
        answer(cluster.next())
        await settle()
      }
    }
  }
  return { ...world, log, serve }
}

for (let written = 0; written <= COUNT; written++) {
  test(`with ${written} of ${COUNT} in its log, each is there once, in order, and reported as persisted in that order`, async () => {
    const { log, serve, reports, ids } = await inDoubt(written)
    log.restart()
    await serve()
    assert.deepEqual(log.values, ['first', ...values])
    assert.deepEqual(
      reports.map(({ value, status }) => [String(value), status]),
      log.values.map(value => [value, 'persisted']),
    )
    assert.equal(ids.length, 1)
  })
}

test('a batch lost together with acknowledged messages before it is retried with the next epoch', async () => {
  const { serve, reports, cluster, clock, log } = await inDoubt(0)
  for (let i = 0; i < COUNT; i++) {
    await clock.advance(RETRY_MS)
    cluster.next().error(ErrorCode.ERR_OUT_OF_ORDER_SEQUENCE_NUMBER)
    await settle()
  }
  await serve()
  assert.deepEqual(log.values, ['first', ...values])
  assert.ok(reports.every(({ status }) => status === 'persisted'))
})

test('when the leader changes, the new one gets the batches from the first on', async () => {
  const { serve, reports, cluster, clock, log } = await inDoubt(2)
  await clock.advance(RETRY_MS)
  cluster.next().error(ErrorCode.ERR_OUT_OF_ORDER_SEQUENCE_NUMBER)
  await settle()
  cluster.topic('t', [2], {}, 1)
  cluster.next().error(ErrorCode.ERR_NOT_LEADER_FOR_PARTITION)
  await serve()
  assert.deepEqual(log.values, ['first', ...values])
  assert.ok(reports.every(({ status }) => status === 'persisted'))
})

test('one that is given up in the meantime is not written with another sequence, nor are those behind it', async () => {
  const { serve, reports, cluster, clock, log, put } = await inDoubt(COUNT, { 'message.timeout.ms': 5000 })
  log.restart()
  for (let at = 0; at < 20; at++) {
    await clock.advance(RETRY_MS)
    while (cluster.unseen > 0) cluster.next().error(ErrorCode.ERR_OUT_OF_ORDER_SEQUENCE_NUMBER)
    if (at === 10) put({ topic: 't', value: 'last' })
  }
  await serve()
  assert.equal(new Set(log.values).size, log.values.length)
  for (const { value, status } of reports) {
    if (status === 'not-persisted') assert.ok(!log.values.includes(String(value)), `${String(value)} is in the log`)
  }
})

test('a batch before one that has been acknowledged is in the log', async () => {
  const world = makeWorld({ 'enable.idempotence': true, 'batch.num.messages': 1 })
  const { cluster, clock, put, ids, reports } = world
  cluster.topic('t', [1])
  ids[0]?.answer(0, 7n, 0)
  put({ topic: 't', value: 'first' })
  ;(await world.nextAfter(0)).ok()
  await settle()
  for (const value of ['a', 'b']) put({ topic: 't', value })
  await settle()
  const [a, b] = [cluster.next(), cluster.next()]
  a.error(ErrorCode.ERR_REQUEST_TIMED_OUT)
  b.ok()
  await clock.advance(RETRY_MS)
  cluster.next().error(ErrorCode.ERR_OUT_OF_ORDER_SEQUENCE_NUMBER)
  await settle()
  assert.equal(cluster.unseen, 0)
  assert.deepEqual(
    reports.map(({ value, status }) => [String(value), status]),
    [
      ['first', 'persisted'],
      ['b', 'persisted'],
      ['a', 'persisted'],
    ],
  )
})

test('a batch in doubt that became too large is not divided: its halves would not be recognised', async () => {
  const { cluster, clock, put, ids, reports } = makeWorld({ 'enable.idempotence': true, 'batch.num.messages': 2 })
  cluster.topic('t', [1])
  ids[0]?.answer(0, 7n, 0)
  for (const value of ['a', 'b']) put({ topic: 't', value })
  await clock.advance(10)
  cluster.next().fail(ErrorCode.ERR__TRANSPORT, true)
  await clock.advance(RETRY_MS)
  cluster.next().error(ErrorCode.ERR_MSG_SIZE_TOO_LARGE)
  await clock.advance(RETRY_MS)
  assert.equal(cluster.unseen, 0)
  assert.deepEqual(
    reports.map(({ status, error }) => [status, error?.name]),
    Array(2).fill(['possibly-persisted', 'ERR_MSG_SIZE_TOO_LARGE']),
  )
})
