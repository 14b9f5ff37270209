import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Cursor } from '../../../src/consumer/partition/cursor.ts'
import { FetchedMessage } from '../../../src/consumer/partition/message.ts'
import { decodingOf } from '../../../src/consumer/read/decoding.ts'
import { RunningJobs } from '../../../src/consumer/read/running-jobs.ts'
import { CursorStream } from '../../../src/consumer/run/cursor-stream.ts'
import type { RunnerHost } from '../../../src/consumer/run/host.ts'
import { WorkBudget } from '../../../src/consumer/run/work-budget.ts'
import { ErrorCode } from '../../../src/errors.ts'
import { FakeClock } from '../../base/fake-clock.ts'
import { batch } from '../batches.ts'

function scene(deserialize?: (value: string) => unknown) {
  const clock = new FakeClock()
  const cursor = new Cursor('t', 0)
  cursor.moveTo(0)
  const budget = new WorkBudget(1e6, () => 1)
  const runningJobs = new RunningJobs(clock, 1000)
  const decoding =
    deserialize === undefined ? null : decodingOf({ value: (bytes: Buffer) => deserialize(String(bytes)) })
  const host = { reader: { decoding, storesOffsets: true }, runningJobs } as unknown as RunnerHost<Buffer, unknown>
  let left = 0
  const stream = new CursorStream<Buffer, unknown>(cursor, {
    host,
    budget,
    onTaken: () => undefined,
    onLeft: () => (left += 1),
  })
  const push = (firstOffset: number, count: number): void => {
    const records = batch(firstOffset, count).records()
    while (records.next()) stream.push(new FetchedMessage(records, cursor, cursor.offsets.era))
  }
  const next = async (): Promise<number | null> => (await stream.next()).value?.offset ?? null
  return { clock, cursor, budget, runningJobs, stream, push, next, left: () => left }
}

test('asking for the next message stores the offset behind the one before', async () => {
  const { cursor, budget, stream, push, next } = scene()
  push(0, 2)
  assert.ok(stream.waitingBytes > 0 && budget.bytes === stream.waitingBytes)
  assert.equal(await next(), 0)
  assert.deepEqual([cursor.offsets.stored < 0, stream.doneTo, stream.lowest?.offset], [true, -1, 0])
  assert.equal(await next(), 1)
  assert.deepEqual([cursor.offsets.stored, stream.doneTo, stream.lowest?.offset, budget.bytes], [1, 1, 1, 0])
})

test('a call waits for the next message, and a second call is refused', async () => {
  const { stream, push, next } = scene()
  const waiting = next()
  await assert.rejects(stream.next(), { code: ErrorCode.ERR__STATE })
  push(5, 1)
  assert.equal(await waiting, 5)
})

test('a paused partition delivers nothing until it is resumed', async () => {
  const { clock, cursor, stream, push, next } = scene()
  cursor.pause(0)
  push(0, 1)
  let offset: number | null = -1
  void next().then(found => (offset = found))
  await clock.advance(0)
  assert.equal(offset, -1)
  cursor.resume()
  stream.wakeUp()
  await clock.advance(0)
  assert.equal(offset, 0)
})

test('after a move of the position what waits is forgotten', async () => {
  const { cursor, budget, stream, push, next } = scene()
  push(0, 2)
  await next()
  cursor.moveTo(50)
  push(50, 1)
  assert.equal(await next(), 50)
  assert.deepEqual([stream.lowest?.offset, stream.doneTo, budget.bytes], [50, -1, 0])
})

test('a revoke waits until the application is done with its message, and delivers no other', async () => {
  const { clock, cursor, stream, push, next } = scene()
  push(0, 2)
  await next()
  let isDrained = false
  void stream.drained().then(() => (isDrained = true))
  await clock.advance(0)
  assert.equal(isDrained, false)
  assert.equal(await next(), null)
  await clock.advance(0)
  assert.deepEqual([isDrained, cursor.offsets.stored], [true, 1])
})

test('the end of the partition is known by the signal', async () => {
  const { stream, push, next } = scene()
  const waiting = next()
  stream.end()
  assert.deepEqual([await waiting, stream.signal.aborted], [null, true])
  push(0, 1)
  assert.equal(await next(), null)
})

test('leaving the loop does not store the last message', async () => {
  const { cursor, stream, push, next, left, runningJobs } = scene()
  push(0, 2)
  await next()
  await stream.return()
  assert.deepEqual(
    [cursor.offsets.stored < 0, left(), await next(), runningJobs.oldestSince],
    [true, 1, null, Infinity],
  )
})

test('a message that cannot be deserialized ends the stream behind it', async () => {
  const { cursor, push, next, left } = scene(value => {
    if (value === 'v1') throw new Error('not JSON')
    return value
  })
  push(0, 3)
  assert.equal(await next(), 0)
  await assert.rejects(next(), { code: ErrorCode.ERR__VALUE_DESERIALIZATION })
  assert.deepEqual([cursor.offsets.stored, left(), await next()], [2, 1, null])
})

test('a wait for deserializers ends with the partition, and its message counts as not delivered', async () => {
  const { clock, cursor, stream, push, next } = scene(() => new Promise(() => undefined))
  push(0, 1)
  const waiting = next()
  await clock.advance(0)
  await stream.drained()
  assert.deepEqual([await waiting, cursor.offsets.stored < 0, stream.lowest], [null, true, undefined])
})
