import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FetchQueue } from '../../../src/consumer/fetch/fetch-queue.ts'
import { Cursor } from '../../../src/consumer/partition/cursor.ts'
import { BatchDecoder } from '../../../src/consumer/read/batch-decoder.ts'
import { decodingOf } from '../../../src/consumer/read/decoding.ts'
import { RunningJobs } from '../../../src/consumer/read/running-jobs.ts'
import { ErrorCode, type KafkaError } from '../../../src/errors.ts'
import { FakeClock } from '../../base/fake-clock.ts'
import { batch } from '../batches.ts'

const nothing = (): void => undefined

/** Offsets 0 to 3, deserialized as the test says. */
function decoderOf(deserialize: (value: string) => string | Promise<string>) {
  const clock = new FakeClock()
  const observer = { onReady: nothing, onRoom: nothing, onEnd: nothing, onGap: nothing, onCorrupt: nothing }
  const queue = new FetchQueue({ maxBytes: 1e6, minMessages: 1e5, checkCrcs: true, maxBatchBytes: 1e6 }, observer)
  const cursor = new Cursor('t', 0)
  cursor.moveTo(0)
  queue.push(cursor, [batch(0, 4)], null)
  const taken = queue.takeBatch(100, 1e6)
  const decoding = decodingOf({ value: (bytes: Buffer) => deserialize(String(bytes)) })
  assert.ok(taken && decoding)
  let wakes = 0
  const runningJobs = new RunningJobs(clock, 1000)
  const decoder = new BatchDecoder<Buffer, string>(taken, decoding, { clock, runningJobs, wake: () => (wakes += 1) })
  const take = (): string | null =>
    decoder
      .take()
      ?.messages.map(({ value }) => value)
      .join() ?? null
  return { clock, cursor, decoder, runningJobs, take, wakes: () => wakes }
}

test('what deserializers make at once is delivered at once', () => {
  const { decoder, cursor, take } = decoderOf(value => value.toUpperCase())
  assert.equal(take(), 'V0,V1,V2,V3')
  assert.deepEqual([decoder.isOver, cursor.undelivered, take()], [true, null, null])
})

test('promises are awaited one after the other, and the batch is whole when all are there', async () => {
  const { clock, decoder, cursor, runningJobs, take, wakes } = decoderOf(value => Promise.resolve(value))
  assert.deepEqual([take(), cursor.undelivered === decoder], [null, true])
  assert.equal(runningJobs.oldestSince, 0, 'the time counts')
  await clock.advance(0)
  assert.deepEqual([wakes(), runningJobs.oldestSince, take()], [1, Infinity, 'v0,v1,v2,v3'])
})

test('a message that takes long does not hold up the ones before it', async () => {
  let go: (value: string) => void = nothing
  const slow = new Promise<string>(resolve => (go = resolve))
  const { clock, decoder, take } = decoderOf(value => (value === 'v2' ? slow : Promise.resolve(value)))
  await clock.advance(0)
  decoder.watch()
  await clock.advance(499)
  assert.equal(take(), null)
  await clock.advance(1)
  assert.equal(take(), 'v0,v1')
  assert.deepEqual([decoder.offset, decoder.rest.firstOffset, decoder.rest.count], [2, 2, 2])
  go('late')
  await clock.advance(0)
  assert.equal(take(), 'late,v3')
  decoder.unwatch()
  assert.equal(clock.pendingTimers, 0)
})

test('a message that cannot be deserialized comes after the ones before it, as an error', async () => {
  const { clock, decoder, take } = decoderOf(value => {
    if (value === 'v2') throw new Error('not JSON')
    return value
  })
  const failedOffset = (): number | undefined => decoder.failed?.message.offset
  await clock.advance(0)
  assert.equal(failedOffset(), undefined)
  assert.equal(take(), 'v0,v1')
  assert.equal(failedOffset(), 2)
  assert.equal((decoder.failed?.cause as KafkaError).code, ErrorCode.ERR__VALUE_DESERIALIZATION)
})

test('a batch that its reader has left takes no more of the deserializers', async () => {
  const seen: string[] = []
  const { clock, decoder, cursor, runningJobs } = decoderOf(value => {
    seen.push(value)
    return Promise.resolve(value)
  })
  decoder.watch()
  decoder.leave()
  await clock.advance(1000)
  assert.deepEqual(
    [seen, cursor.undelivered, runningJobs.oldestSince, clock.pendingTimers],
    [['v0'], null, Infinity, 0],
  )
})

test('after a move of the position nothing of the batch is delivered', () => {
  const { decoder, cursor } = decoderOf(value => value)
  assert.equal(decoder.isOver, false)
  cursor.moveTo(0)
  assert.equal(decoder.isOver, true)
})
