import { test } from 'node:test'
import assert from 'node:assert/strict'
import { ClientQuotas, throttled } from '../../src/quotas/client-quotas.ts'
import { FakeClock } from '../fake-clock.ts'

const alice = { brokerId: 1, principal: 'User:alice', clientId: 'c' }
const RATE = 'producer_byte_rate'

test('the most specific quota applies', () => {
  const quotas = new ClientQuotas(new FakeClock())
  const entities = [
    { 'client-id': null },
    { 'client-id': 'c' },
    { user: null },
    { user: null, 'client-id': null },
    { user: null, 'client-id': 'c' },
    { user: 'alice' },
    { user: 'alice', 'client-id': null },
    { user: 'alice', 'client-id': 'c' },
  ]
  for (const [i, entity] of entities.entries()) {
    quotas.set(entity, RATE, i + 1)
    assert.equal(quotas.maxAtOnce(RATE, alice), 10 * (i + 1), JSON.stringify(entity))
  }
})

test('a user’s quota is shared by all clients of the user, but not by other users or brokers', () => {
  const quotas = new ClientQuotas(new FakeClock())
  quotas.set({ user: null }, RATE, 10)
  assert.equal(quotas.charge(RATE, alice, 100), 0)
  assert.ok(quotas.charge(RATE, { ...alice, clientId: 'd' }, 10) > 0)
  assert.equal(quotas.charge(RATE, { ...alice, principal: 'User:bob' }, 100), 0)
  assert.equal(quotas.charge(RATE, { ...alice, brokerId: 2 }, 100), 0)
})

test('a refund takes a charge back', () => {
  const quotas = new ClientQuotas(new FakeClock())
  quotas.set({ user: 'alice' }, RATE, 10)
  assert.ok(quotas.charge(RATE, alice, 1000) > 0)
  quotas.refund(RATE, alice, 1000)
  assert.equal(quotas.charge(RATE, alice, 100), 0)
})

test('requests are throttled for a second at most', () => {
  const clock = new FakeClock()
  const quotas = new ClientQuotas(clock)
  quotas.set({ user: 'alice' }, 'request_percentage', 0.01)
  assert.equal(quotas.chargeRequest(alice), 0)
  for (let i = 0; i < 10; i++) quotas.chargeRequest(alice)
  assert.equal(quotas.chargeRequest(alice), 1000)
})

test('an entity is forgotten with its last quota', () => {
  const quotas = new ClientQuotas(new FakeClock())
  quotas.set({ user: 'alice' }, RATE, 10)
  quotas.set({ user: 'alice' }, RATE, null)
  quotas.set({ user: 'alice' }, RATE, null)
  assert.deepEqual([...quotas.all()], [])
  assert.equal(quotas.charge(RATE, alice, 1e9), 0)
})

test('a response keeps its own throttle time if that is longer', () => {
  assert.deepEqual(throttled({ throttleTimeMs: 5 }, 3), { throttleTimeMs: 5 })
  assert.deepEqual(throttled({ throttleTimeMs: 5 }, 8), { throttleTimeMs: 8 })
  assert.equal(throttled(null, 8), null)
})
