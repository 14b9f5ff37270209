import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AtWork } from '../../src/consumer/at-work.ts'
import { Parking } from '../../src/consumer/group/parking.ts'
import { FakeClock } from '../base/fake-clock.ts'

const place = { topic: 't', partition: 0, name: 't [0]' }
const quiet = (): void => undefined

test('what has been at work for longest comes first, and is in words', async () => {
  const clock = new FakeClock()
  const atWork = new AtWork(clock, 1000)
  const first = atWork.begin(place, 5, 'handler', quiet)
  await clock.advance(700)
  atWork.begin(place, 6, 'reader', quiet)
  await clock.advance(700)
  assert.equal(atWork.oldestSince, 0)
  assert.equal(atWork.isStuck, true)
  assert.deepEqual(
    atWork.longerThan(500).map(({ offset }) => offset),
    [5, 6],
  )
  assert.match(atWork.exceeded(1000), /t \[0\]: its handler has been at work on offset 5 for 1 s, longer than 1000 ms/)
  atWork.end(first)
  assert.equal(atWork.isStuck, false)
  assert.match(atWork.exceeded(1000), /poll was not called for 1000 ms/)
})

test('whoever asks for the end from within is known, after awaits and within other consumers, and nobody else', async () => {
  const clock = new FakeClock()
  const [outer, inner] = [new AtWork(clock, 1000), new AtWork(clock, 1000)]
  const told: string[] = []
  const [a, b] = [
    outer.begin(place, 1, 'handler', () => told.push('a')),
    outer.begin(place, 2, 'handler', () => told.push('b')),
  ]
  await outer.ending(() => Promise.resolve())
  assert.equal(told.length, 0)
  await outer.call(a, async () => {
    await new Promise(resolve => setImmediate(resolve))
    const within = inner.begin(place, 1, 'handler', () => told.push('within'))
    await inner.call(within, () => outer.ending(async () => assert.equal(a.isEnding, true)))
  })
  assert.deepEqual([told, a.isEnding, a.hasAsked, b.hasAsked], [['a'], false, true, false])
})

test('whoever waits for a promise from within is known', async () => {
  const atWork = new AtWork(new FakeClock(), 1000)
  const job = atWork.begin(place, 1, 'handler', quiet)
  const promise = atWork.waitedFor(Promise.resolve(7))
  assert.equal(await promise, 7)
  assert.equal(job.isEnding, false)
  assert.equal(
    await atWork.call(job, async () => {
      await new Promise(resolve => setImmediate(resolve))
      return promise
    }),
    7,
  )
  assert.equal(job.isEnding, true)
})

test('a member that has left joins again when nothing takes too long any more', async () => {
  const clock = new FakeClock()
  const atWork = new AtWork(clock, 1000)
  const parking = new Parking(clock, atWork)
  const job = atWork.begin(place, 1, 'handler', quiet)
  await clock.advance(1100)
  let left = 0
  const parked = parking.park(
    () => new Promise(quiet),
    () => left++,
  )
  void parking.park(
    () => Promise.resolve(),
    () => left++,
  )
  await clock.advance(4000)
  assert.equal(left, 0)
  await clock.advance(2000)
  await parked
  assert.equal(left, 1)
  parking.polled()
  assert.equal(parking.isParked, true, 'a run polls all the time')
  let joins = 0
  assert.equal(
    parking.mayJoin(() => joins++),
    false,
  )
  assert.equal(parking.onEnded(), null)
  atWork.end(job)
  parking.onEnded()?.()
  assert.equal(joins, 1)
  parking.polled()
  assert.equal(parking.isParked, false)
})
