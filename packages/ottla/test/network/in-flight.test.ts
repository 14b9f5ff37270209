import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ApiVersions, type Api } from '@ottla/protocol'
import { Deadline } from '../../src/base/clock.ts'
import { Ring } from '../../src/base/ring.ts'
import { earliestExpiry, PendingRequest } from '../../src/network/in-flight.ts'
import { FakeClock } from '../base/fake-clock.ts'

const api = ApiVersions as Api<unknown, unknown> // never encoded here

test('the next request to expire is the one with the earliest deadline that is not abandoned', () => {
  const clock = new FakeClock()
  const inFlight = new Ring<PendingRequest>()
  assert.equal(earliestExpiry(inFlight), Infinity)
  const pending = [300, 100, 200].map((ms, i) => {
    const deadline = Deadline.after(clock, ms)
    return new PendingRequest(
      api,
      0,
      i,
      0,
      deadline,
      () => undefined,
      () => undefined,
    )
  })
  for (const request of pending) inFlight.push(request)
  const expiries = [1, 2, 0].map(abandonedNext => {
    const expiry = earliestExpiry(inFlight)
    const request = pending[abandonedNext]
    if (request !== undefined) request.abandoned = true
    return expiry
  })
  assert.deepEqual([...expiries, earliestExpiry(inFlight)], [100, 200, 300, Infinity])
})
