import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode } from '@ottla/protocol'
import { initialIdempotence, step, type IdempotenceState } from '../../../src/producer/idempotence/states.ts'

test('an id is requested once, used when it comes, and its epoch rises after a gap without a request', () => {
  let { state, actions } = step(initialIdempotence, { is: 'start' })
  assert.deepEqual([state.name, actions], ['waitPid', [{ do: 'request' }]])
  assert.deepEqual(step(state, { is: 'gap' }).actions, [])
  ;({ state, actions } = step(state, { is: 'granted', producerId: 7n, producerEpoch: 0 }))
  assert.deepEqual([state.name, actions], ['assigned', [{ do: 'use', producerId: 7n, producerEpoch: 0 }]])
  ;({ state, actions } = step(state, { is: 'gap' }))
  assert.deepEqual([state.name, actions], ['assigned', [{ do: 'use', producerId: 7n, producerEpoch: 1 }]])
})

test('after the last epoch comes another id', () => {
  const last: IdempotenceState = { name: 'assigned', producerId: 7n, producerEpoch: 32_767 }
  const { state, actions } = step(last, { is: 'gap' })
  assert.deepEqual([state.name, actions], ['waitPid', [{ do: 'request' }]])
})

test('a refused id is requested again after a backoff', () => {
  const waiting: IdempotenceState = { name: 'waitPid', producerId: 7n, producerEpoch: 3 }
  const passing = step(waiting, { is: 'refused', code: ErrorCode.ERR_COORDINATOR_NOT_AVAILABLE, message: '' })
  assert.deepEqual([passing.state.name, passing.actions], ['reqPid', [{ do: 'back-off' }]])
  assert.deepEqual(step(passing.state, { is: 'retry' }).actions, [{ do: 'request' }])
})

test('without the permission for ids the producer fails for good', () => {
  const waiting: IdempotenceState = { name: 'waitPid', producerId: -1n, producerEpoch: -1 }
  const code = ErrorCode.ERR_CLUSTER_AUTHORIZATION_FAILED
  const refused = step(waiting, { is: 'refused', code, message: 'no' })
  assert.deepEqual([refused.state.name, refused.actions], ['fatalError', [{ do: 'fail', code, message: 'no' }]])
  assert.equal(step(refused.state, { is: 'start' }).state.name, 'fatalError')
})

test('a fenced id is replaced, and events that do not apply change nothing', () => {
  const assigned: IdempotenceState = { name: 'assigned', producerId: 7n, producerEpoch: 3 }
  const fenced = step(assigned, { is: 'fenced' })
  assert.deepEqual([fenced.state.name, fenced.actions], ['waitPid', [{ do: 'request' }]])
  for (const event of [
    { is: 'start' },
    { is: 'retry' },
    { is: 'granted', producerId: 8n, producerEpoch: 0 },
  ] as const) {
    assert.deepEqual(step(assigned, event), { state: assigned, actions: [] })
  }
  assert.deepEqual(step(initialIdempotence, { is: 'gap' }).actions, [])
})
