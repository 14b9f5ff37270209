import { test } from 'node:test'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { outside, step, type ShareMemberEvent } from '../../../src/consumer/share/share-states.ts'

function after(...events: ShareMemberEvent[]): { phase: string; epoch: number; actions: readonly string[] } {
  let state = outside
  let actions: readonly string[] = []
  for (const event of events) ({ state, actions } = step(state, event))
  return { ...state, actions }
}

const joined: ShareMemberEvent[] = [{ type: 'subscribe' }, { type: 'answered', epoch: 3 }]

test('a member joins, gets changes, and leaves', () => {
  assert.deepEqual(after({ type: 'subscribe' }), { phase: 'joining', epoch: 0, actions: ['heartbeat'] })
  assert.deepEqual(after(...joined), { phase: 'member', epoch: 3, actions: [] })
  assert.deepEqual(after(...joined, { type: 'subscribe' }).actions, ['heartbeat'])
  assert.deepEqual(after(...joined, { type: 'leave' }), {
    phase: 'out',
    epoch: 0,
    actions: ['drop-assignment', 'leave'],
  })
})

test('a member without which the group has moved on joins again', () => {
  assert.deepEqual(after(...joined, { type: 'fenced' }), { phase: 'joining', epoch: 0, actions: ['drop-assignment'] })
})

test('an application that does not poll is out until it does', () => {
  assert.deepEqual(after(...joined, { type: 'poll-exceeded' }), {
    phase: 'parked',
    epoch: 0,
    actions: ['drop-assignment', 'leave'],
  })
  assert.equal(after(...joined, { type: 'poll-exceeded' }, { type: 'subscribe' }).phase, 'parked')
  assert.deepEqual(after(...joined, { type: 'poll-exceeded' }, { type: 'polled' }).actions, ['heartbeat'])
})

test('a member that is refused for good stays out until it leaves', () => {
  const refused = after(...joined, { type: 'refused' }, { type: 'subscribe' }, { type: 'polled' })
  assert.equal(refused.phase, 'refused')
  assert.deepEqual(after(...joined, { type: 'refused' }, { type: 'leave' }).actions, ['drop-assignment'])
})

test('no order of events is illegal', () => {
  const event: fc.Arbitrary<ShareMemberEvent> = fc.oneof(
    fc.constantFrom<ShareMemberEvent>(
      { type: 'subscribe' },
      { type: 'fenced' },
      { type: 'refused' },
      { type: 'poll-exceeded' },
      { type: 'polled' },
      { type: 'leave' },
    ),
    fc.integer({ min: 1, max: 9 }).map(epoch => ({ type: 'answered' as const, epoch })),
  )
  fc.assert(
    fc.property(fc.array(event), events => {
      const { phase, epoch } = after(...events)
      assert.equal(epoch > 0, phase === 'member')
    }),
  )
})
