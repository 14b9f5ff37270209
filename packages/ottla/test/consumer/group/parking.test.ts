import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RunningJobs } from '../../../src/consumer/read/running-jobs.ts'
import { Parking } from '../../../src/consumer/group/parking.ts'
import { FakeClock } from '../../base/fake-clock.ts'

const never = (): Promise<void> => new Promise(() => undefined)

test('the group is left after what has to be done before, but at the latest after some seconds', async () => {
  const clock = new FakeClock()
  const parking = new Parking(clock, new RunningJobs(clock, 1000))
  let left = 0
  void parking.park(never, () => left++)
  void parking.park(never, () => left++)
  await clock.advance(4999)
  assert.equal(left, 0)
  await clock.advance(1)
  assert.equal(left, 1)
  assert.equal(clock.pendingTimers, 0)
})

test('a subscription that ends meanwhile leaves no timer, and the next one is not left', async () => {
  const clock = new FakeClock()
  const parking = new Parking(clock, new RunningJobs(clock, 1000))
  let left = 0
  void parking.park(never, () => left++)
  parking.forget()
  assert.equal(clock.pendingTimers, 0)
  await clock.advance(10_000)
  assert.equal(left, 0)
  // Another one may have to be left, too.
  void parking.park(never, () => left++)
  await clock.advance(5000)
  assert.equal(left, 1)
})
