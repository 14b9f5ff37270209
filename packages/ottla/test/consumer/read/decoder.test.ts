import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RunningJobs } from '../../../src/consumer/read/running-jobs.ts'
import { Decoder, eventOf } from '../../../src/consumer/read/decoder.ts'
import { KafkaError } from '../../../src/errors.ts'
import { FakeClock } from '../../base/fake-clock.ts'

interface Fetched {
  readonly offset: number
  isWithdrawn?: boolean
  isLost?: boolean
}

/** What passes. */
const notNow = new Error('not now')

/** Decodes what the test queues, by what it says. */
function decoderOf(queue: Fetched[], deserialize: (offset: number) => string | Promise<string>) {
  const runningJobs = new RunningJobs(new FakeClock(), 1000)
  const kept = new Set<Fetched>()
  const postponed: Fetched[] = []
  let wakes = 0
  const source = {
    take: () => queue.shift() ?? null,
    deserialize: ({ offset }: Fetched) => deserialize(offset),
    finish: (_: Fetched, message: string) => `${message}!`,
    keep: (origin: Fetched) => void kept.add(origin),
    unkeep: (origin: Fetched) => void kept.delete(origin),
    isWithdrawn: (origin: Fetched) => origin.isWithdrawn === true,
    isLost: (origin: Fetched) => origin.isLost === true,
    putBack: (origin: Fetched) => {
      if (origin.isLost !== true) queue.unshift(origin)
    },
    postpone: (origin: Fetched, error: unknown) => {
      if (error !== notNow) return false
      postponed.push(origin)
      return true
    },
    placeOf: () => ({ topic: 't', partition: 0, name: 't [0]' }),
  }
  const decoder = new Decoder(source, { runningJobs, wake: () => (wakes += 1) })
  return { runningJobs, decoder, kept, postponed, wakes: () => wakes }
}

test('messages come in order, each as it is delivered', () => {
  const { decoder } = decoderOf([{ offset: 1 }, { offset: 2 }], offset => `m${offset}`)
  assert.deepEqual([decoder.take()?.message, decoder.take()?.message, decoder.take()], ['m1!', 'm2!', null])
})

test('deserializers that take their time hold up what follows, and nothing is lost', async () => {
  let resolve: (text: string) => void = () => undefined
  const first = new Promise<string>(settle => (resolve = settle))
  const { decoder, kept, wakes } = decoderOf([{ offset: 1 }, { offset: 2 }], offset => (offset === 1 ? first : 'm2'))
  assert.equal(decoder.take(), null)
  assert.equal(decoder.take(), null)
  assert.equal(kept.size, 1)
  resolve('m1')
  await first
  await Promise.resolve()
  assert.equal(wakes(), 1)
  assert.deepEqual([decoder.take()?.message, decoder.take()?.message], ['m1!', 'm2!'])
  assert.equal(kept.size, 0)
})

test('only a long wait counts as time of the application', async () => {
  const never = new Promise<string>(() => undefined)
  const { runningJobs, decoder } = decoderOf([{ offset: 1 }], () => never)
  decoder.take()
  assert.deepEqual([decoder.isFresh, runningJobs.oldestSince], [true, Infinity])
  await decoder.waitBriefly()
  assert.deepEqual([decoder.isFresh, runningJobs.oldestSince], [false, 0])
  decoder.giveBack()
  assert.equal(runningJobs.oldestSince, Infinity)
})

test('what is given back comes again, unless it is lost', () => {
  const queue: Fetched[] = [{ offset: 1 }]
  const never = new Promise<string>(() => undefined)
  const { decoder, kept } = decoderOf(queue, () => never)
  decoder.take()
  decoder.giveBack()
  assert.deepEqual([queue.length, kept.size], [1, 0])
  decoder.take()
  const lost = [...kept][0]
  assert.ok(lost)
  lost.isWithdrawn = lost.isLost = true
  assert.equal(decoder.take(), null)
  assert.deepEqual([queue.length, kept.size], [0, 0])
})

test('what cannot be deserialized now is postponed, and what follows it comes', async () => {
  const { decoder, kept, postponed } = decoderOf([{ offset: 1 }, { offset: 2 }, { offset: 3 }], offset => {
    if (offset === 1) throw notNow
    return offset === 2 ? Promise.reject(notNow) : 'm3'
  })
  assert.equal(decoder.take(), null)
  await decoder.waitBriefly()
  assert.equal(decoder.take()?.message, 'm3!')
  assert.deepEqual(
    postponed.map(({ offset }) => offset),
    [1, 2],
  )
  assert.equal(kept.size, 0)
  assert.equal(decoder.take(), null)
})

test('what a deserializer throws comes in place of the message', async () => {
  const bad = new KafkaError(-160, 'no such format')
  const { decoder } = decoderOf([{ offset: 1 }, { offset: 2 }], offset => {
    if (offset === 1) throw bad
    return Promise.reject(bad)
  })
  assert.deepEqual(decoder.take(), { origin: { offset: 1 }, message: null, error: bad })
  decoder.take()
  await decoder.waitBriefly()
  assert.equal(decoder.take()?.error, bad)
})

test('as an event, a KafkaError is an error; anything else is thrown', () => {
  const origin = { offset: 1 }
  const error = new KafkaError(-160, 'no such format')
  const other = new Error('a bug')
  assert.deepEqual(eventOf({ origin, message: 'm', error: null }), { type: 'message', message: 'm' })
  assert.deepEqual(eventOf({ origin, message: null, error }), { type: 'error', error })
  assert.throws(() => eventOf({ origin, message: null, error: other }), other)
})
