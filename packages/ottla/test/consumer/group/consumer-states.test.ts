import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  isMember,
  outside,
  step,
  type MemberEvent,
  type MemberState,
} from '../../../src/consumer/group/consumer-states.ts'

/** Applies events; what the last one asked for, and the state it led to. */
function after(...events: MemberEvent[]): { state: MemberState; actions: string[] } {
  let state = outside
  let actions: string[] = []
  for (const event of events) {
    const next = step(state, event)
    state = next.state
    actions = next.actions.map(action => action.do)
  }
  return { state, actions }
}

const subscribe: MemberEvent = { type: 'subscribe' }
const nothing: MemberEvent = { type: 'answered', epoch: 3, hasRevoked: false, hasNew: false }
const gives: MemberEvent = { type: 'answered', epoch: 3, hasRevoked: false, hasNew: true }
const takes: MemberEvent = { type: 'answered', epoch: 4, hasRevoked: true, hasNew: true }
const assigned: MemberEvent = { type: 'assign-called', hasPartitions: true }
const someLeft: MemberEvent = { type: 'unassign-called', hasPartitions: true, hasRevoked: false, hasNew: false }
const noneLeft: MemberEvent = { type: 'unassign-called', hasPartitions: false, hasRevoked: false, hasNew: false }
const fenced: MemberEvent = { type: 'fenced', hasPartitions: true }
const fencedEmpty: MemberEvent = { type: 'fenced', hasPartitions: false }
const refused: MemberEvent = { type: 'refused', hasPartitions: true }
const leave: MemberEvent = { type: 'leave', hasPartitions: true }
const leaveEmpty: MemberEvent = { type: 'leave', hasPartitions: false }
const stable = [subscribe, gives, assigned, nothing]

test('a member reports new partitions at once', () => {
  assert.deepEqual(after(subscribe).actions, ['heartbeat'])
  assert.deepEqual(after(subscribe, gives).actions, ['assign'])
  assert.deepEqual(after(subscribe, gives, assigned).actions, ['heartbeat'])
  const { state, actions } = after(...stable)
  assert.deepEqual(actions, [])
  assert.deepEqual([state.phase, state.epoch, isMember(state)], ['stable', 3, true])
})

test('a member gives up revoked partitions before it takes new ones', () => {
  assert.deepEqual(after(...stable, takes).actions, ['revoke'])
  assert.deepEqual(after(...stable, takes, someLeft).actions, ['heartbeat'])
  const andMore: MemberEvent = { ...someLeft, type: 'unassign-called', hasNew: true }
  assert.deepEqual(after(...stable, takes, andMore).actions, ['assign'])
})

test('a response during a callback changes the epoch and nothing else', () => {
  const { state, actions } = after(...stable, takes, { ...takes, type: 'answered', epoch: 9 })
  assert.deepEqual(actions, [])
  assert.deepEqual([state.phase, state.epoch], ['revoking', 9])
})

test('a topic that has come to be known brings its partitions', () => {
  assert.deepEqual(after(...stable, { type: 'topics-known', hasRevoked: false, hasNew: true }).actions, ['assign'])
})

test('a fenced member loses what it has and joins as a new one', () => {
  assert.deepEqual(after(...stable, fenced).actions, ['lose'])
  const { state, actions } = after(...stable, fenced, noneLeft)
  assert.deepEqual(actions, ['heartbeat'])
  assert.deepEqual([state.phase, state.epoch, isMember(state)], ['joining', 0, false])
  assert.deepEqual(after(subscribe, nothing, fencedEmpty).actions, ['heartbeat'])
})

test('a response to a membership that has ended does not count for the next one', () => {
  assert.equal(after(...stable, fenced, gives).state.epoch, 0)
})

test('a member that is fenced while it gives some up loses the rest after that', () => {
  assert.deepEqual(after(...stable, takes, fenced).actions, ['lose'])
  assert.deepEqual(after(...stable, takes, fenced, someLeft).actions, ['lose'])
  assert.deepEqual(after(...stable, takes, fenced, someLeft, noneLeft).actions, ['heartbeat'])
  assert.deepEqual(after(...stable, takes, fenced, noneLeft).actions, ['heartbeat'])
})

test('a member that is fenced while it is given partitions loses them right after', () => {
  assert.deepEqual(after(subscribe, gives, fencedEmpty).actions, [])
  assert.deepEqual(after(subscribe, gives, fencedEmpty, assigned).actions, ['lose'])
})

test('a member that is refused for good loses what it has and stays out', () => {
  assert.deepEqual(after(...stable, refused).actions, ['lose'])
  const { state, actions } = after(...stable, refused, noneLeft)
  assert.deepEqual([state, actions], [outside, []])
})

test('leaving gives everything up first', () => {
  assert.deepEqual(after(...stable, leave).actions, ['revoke'])
  assert.deepEqual(after(...stable, leave, noneLeft).actions, ['leave'])
  assert.deepEqual(after(...stable, leave, noneLeft).state, outside)
  assert.deepEqual(after(subscribe, leaveEmpty).actions, ['leave'])
})

test('a member leaves after the pending callback', () => {
  assert.deepEqual(after(...stable, takes, leave).actions, [])
  assert.deepEqual(after(...stable, takes, leave, someLeft).actions, ['revoke'])
  assert.deepEqual(after(...stable, takes, leave, noneLeft).actions, ['leave'])
})

test('a member that subscribes again while leaving stays, without partitions', () => {
  assert.deepEqual(after(...stable, leave, subscribe, noneLeft).actions, ['heartbeat'])
  assert.equal(after(...stable, leave, subscribe, noneLeft).state.phase, 'acknowledging')
})

test('no sequence of events leads to a move that the table does not know', () => {
  const events: MemberEvent[] = [subscribe, nothing, gives, takes, assigned, someLeft, noneLeft, fenced, fencedEmpty]
  events.push(refused, leave)
  events.push(leaveEmpty, { type: 'refused', hasPartitions: false }, { type: 'assign-called', hasPartitions: false })
  events.push(
    { type: 'topics-known', hasRevoked: true, hasNew: false },
    { ...someLeft, type: 'unassign-called', hasNew: true },
  )
  const seen = new Map([[JSON.stringify(outside), outside]])
  const open = [outside]
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    for (const event of events) {
      const next = step(state, event).state
      const key = JSON.stringify(next)
      if (seen.has(key)) continue
      seen.set(key, next)
      open.push(next)
    }
  }
  assert.ok(seen.size > 10)
})
