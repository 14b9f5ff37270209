import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode } from '@ottla/protocol'
import {
  initialState as begin,
  isMember,
  step,
  type ClassicEvent,
  type ClassicState,
} from '../../../src/consumer/group/classic.ts'

const initialState = begin(false)

/** Applies events; what the last one asked for, and the state it led to. */
function after(...events: ClassicEvent[]): { state: ClassicState; actions: string[] } {
  return from(initialState, ...events)
}

function from(first: ClassicState, ...events: ClassicEvent[]): { state: ClassicState; actions: string[] } {
  let state = first
  let actions: string[] = []
  for (const event of events) {
    const next = step(state, event)
    state = next.state
    actions = next.actions.map(action => action.do)
  }
  return { state, actions }
}

const joining: ClassicEvent = { type: 'join', reason: 'subscribed', hasPartitions: false, hasForeign: false }
const leader: ClassicEvent = { type: 'joined', memberId: 'm', generation: 5, isLeader: true }
const follower: ClassicEvent = { type: 'joined', memberId: 'm', generation: 5, isLeader: false }
const computed: ClassicEvent = { type: 'computed' }
const synced: ClassicEvent = { type: 'synced', hasRevoked: false }
const assigned: ClassicEvent = { type: 'assign-called', hasPartitions: true, hasForeign: false }
const unassigned: ClassicEvent = { type: 'unassign-called', hasPartitions: false }
const rebalancing: ClassicEvent = {
  type: 'join',
  reason: 'the group is rebalancing',
  hasPartitions: true,
  hasForeign: false,
}
const steady = [joining, follower, synced, assigned]

test('a leader assigns the partitions before it synchronises', () => {
  assert.deepEqual(after(joining).actions, ['join'])
  assert.deepEqual(after(joining, leader).actions, ['compute'])
  assert.equal(after(joining, leader).state.join, 'wait-metadata')
  assert.deepEqual(after(joining, leader, computed).actions, ['sync'])
})

test('a follower synchronises at once, and the callback gets its partitions', () => {
  assert.deepEqual(after(joining, follower).actions, ['sync'])
  assert.deepEqual(after(joining, follower, synced).actions, ['assign'])
  const { state } = after(...steady)
  assert.equal(state.join, 'steady')
  assert.equal(state.generation, 5)
  assert.equal(isMember(state), true)
})

test('a member id that the coordinator asks for is used for the next try', () => {
  const { state, actions } = after(joining, {
    type: 'join-refused',
    code: ErrorCode.ERR_MEMBER_ID_REQUIRED,
    memberId: 'given',
    hasPartitions: false,
  })
  assert.equal(state.memberId, 'given')
  assert.deepEqual(actions, ['join'])
})

test('a rebalance revokes the partitions before the group is joined again', () => {
  assert.deepEqual(after(...steady, rebalancing).actions, ['revoke'])
  const again = after(...steady, rebalancing, unassigned)
  assert.deepEqual(again.actions, ['join'])
  assert.equal(again.state.memberId, 'm')
})

test('a rebalance joins at once when the application holds nothing', () => {
  assert.deepEqual(after(...steady, joining).actions, ['join'])
})

test('a rebalance that is noticed during a callback follows it', () => {
  const waiting = after(joining, follower, synced, rebalancing)
  assert.deepEqual(waiting.actions, [])
  assert.deepEqual(after(joining, follower, synced, rebalancing, assigned).actions, ['revoke'])
})

test('a member that is not known any more loses its partitions and joins under a new id', () => {
  const { state, actions } = after(...steady, lost)
  assert.deepEqual(actions, ['lose'])
  assert.equal(state.memberId, '')
  assert.equal(state.generation, -1)
  assert.equal(isMember(state), false)
  assert.deepEqual(after(...steady, lost, unassigned).actions, ['join'])
})

test('a loss while partitions are being assigned takes them away right after', () => {
  const lost: ClassicEvent = { type: 'lost', forgetMember: true, hasPartitions: false }
  assert.deepEqual(after(joining, follower, synced, lost, assigned).actions, ['lose'])
})

test('partitions that are being revoked can still be lost', () => {
  const lost: ClassicEvent = { type: 'lost', forgetMember: true, hasPartitions: true }
  assert.deepEqual(after(...steady, rebalancing, lost).actions, ['lose'])
})

test('leaving gives the partitions up first, then sends the leave request with the known member id', () => {
  const leave: ClassicEvent = { type: 'leave', hasPartitions: true }
  assert.deepEqual(after(...steady, leave).actions, ['revoke'])
  const { state } = after(...steady, leave)
  assert.deepEqual(step(state, unassigned).actions, [{ do: 'leave', memberId: 'm' }])
  assert.deepEqual(step(state, unassigned).state, initialState)
})

test('leaving in the middle of joining needs no callback', () => {
  const leave: ClassicEvent = { type: 'leave', hasPartitions: false }
  assert.deepEqual(after(joining, leave).actions, ['leave'])
  assert.deepEqual(after(joining, follower, leave).actions, ['leave'])
})

test('a member that subscribes again while leaving stays in the group', () => {
  const leave: ClassicEvent = { type: 'leave', hasPartitions: true }
  assert.deepEqual(after(...steady, leave, joining, unassigned).actions, ['join'])
})

test('an answer that comes after the group was left changes nothing', () => {
  const leave: ClassicEvent = { type: 'leave', hasPartitions: false }
  for (const event of [follower, synced, computed, assigned]) {
    const { state, actions } = after(joining, leave, event)
    assert.deepEqual(actions, [])
    assert.deepEqual(state, initialState)
  }
})

test('a transient refusal is retried in silence, another one is reported', () => {
  const refused = (code: number): ClassicEvent => ({ type: 'join-refused', code, memberId: '', hasPartitions: false })
  assert.deepEqual(after(joining, refused(ErrorCode.ERR_COORDINATOR_LOAD_IN_PROGRESS)).actions, ['join-later'])
  assert.deepEqual(after(joining, refused(ErrorCode.ERR__TIMED_OUT)).actions, ['join-later'])
  assert.deepEqual(after(joining, refused(ErrorCode.ERR_GROUP_AUTHORIZATION_FAILED)).actions, ['raise', 'join-later'])
})

test('a fenced instance is the end', () => {
  const refused: ClassicEvent = {
    type: 'join-refused',
    code: ErrorCode.ERR_FENCED_INSTANCE_ID,
    memberId: '',
    hasPartitions: false,
  }
  const { state, actions } = step(after(joining).state, refused)
  assert.equal(state.join, 'init')
  assert.deepEqual(actions, [{ do: 'raise', code: ErrorCode.ERR_FENCED_INSTANCE_ID, fatal: true }])
})

test('a synchronisation that the rebalance overtook joins again, without an id that is not known any more', () => {
  const rebalance = after(joining, follower, {
    type: 'sync-refused',
    code: ErrorCode.ERR_REBALANCE_IN_PROGRESS,
    hasPartitions: false,
  })
  assert.deepEqual(rebalance.actions, ['join'])
  assert.equal(rebalance.state.memberId, 'm')
  const unknown = after(joining, leader, {
    type: 'sync-refused',
    code: ErrorCode.ERR_UNKNOWN_MEMBER_ID,
    hasPartitions: false,
  })
  assert.deepEqual(unknown.actions, ['join'])
  assert.equal(unknown.state.memberId, '')
})

const keeping = begin(true)
const taken: ClassicEvent = { type: 'synced', hasRevoked: true }
const someLeft: ClassicEvent = { type: 'unassign-called', hasPartitions: true }
const lost: ClassicEvent = { type: 'lost', forgetMember: true, hasPartitions: true }

test('a cooperative member keeps its partitions while it joins again, unless it does not subscribe to them any more', () => {
  assert.deepEqual(from(keeping, ...steady, rebalancing).actions, ['join'])
  const foreign: ClassicEvent = { ...rebalancing, type: 'join', hasForeign: true }
  assert.deepEqual(from(keeping, ...steady, foreign).actions, ['revoke'])
  assert.deepEqual(from(keeping, ...steady, foreign, someLeft).actions, ['join'])
})

test('a cooperative member gives up what a change of its mind has made foreign while it was about to join', () => {
  const changed: ClassicEvent = { type: 'foreign-held' }
  assert.deepEqual(from(keeping, ...steady, rebalancing, changed).actions, ['revoke'])
  assert.deepEqual(from(keeping, ...steady, rebalancing, changed, someLeft).actions, ['join'])
  assert.deepEqual(from(keeping, ...steady, rebalancing, follower, changed).actions, [])
})

test('a cooperative member gives up revoked partitions, gets new ones, and joins once more', () => {
  const again = [...steady, rebalancing, follower]
  assert.deepEqual(from(keeping, ...again, taken).actions, ['revoke'])
  assert.deepEqual(from(keeping, ...again, taken, someLeft).actions, ['assign'])
  assert.deepEqual(from(keeping, ...again, taken, someLeft, assigned).actions, ['join'])
  assert.deepEqual(from(keeping, ...again, synced).actions, ['assign'])
  assert.deepEqual(from(keeping, ...again, synced, assigned).actions, [])
})

test('a cooperative member that turns out to be unknown while it joins loses what it kept', () => {
  const unknown: ClassicEvent = {
    type: 'join-refused',
    code: ErrorCode.ERR_UNKNOWN_MEMBER_ID,
    memberId: '',
    hasPartitions: true,
  }
  const { state, actions } = from(keeping, ...steady, rebalancing, unknown)
  assert.deepEqual(actions, ['lose'])
  assert.equal(state.memberId, '')
  assert.deepEqual(step(state, unassigned).actions, [{ do: 'join' }])
})

test('a synchronisation that a rebalance overtook leaves a cooperative member what it has', () => {
  const overtaken: ClassicEvent = {
    type: 'sync-refused',
    code: ErrorCode.ERR_REBALANCE_IN_PROGRESS,
    hasPartitions: true,
  }
  const { state, actions } = from(keeping, ...steady, rebalancing, follower, overtaken)
  assert.deepEqual(actions, ['join'])
  assert.equal(state.generation, 5)
})

test('what is left is lost when the group moves on while some partitions are being given up', () => {
  const { state, actions } = from(keeping, ...steady, rebalancing, follower, taken, lost, someLeft)
  assert.deepEqual(actions, ['lose'])
  assert.deepEqual(step(state, unassigned).actions, [{ do: 'join' }])
})

test('a cooperative member that leaves while it joins gives up what it kept, then leaves', () => {
  const leave: ClassicEvent = { type: 'leave', hasPartitions: true }
  assert.deepEqual(from(keeping, ...steady, rebalancing, leave).actions, ['revoke'])
  assert.deepEqual(from(keeping, ...steady, rebalancing, leave, unassigned).actions, ['leave'])
  assert.deepEqual(from(keeping, ...steady, rebalancing, follower, taken, leave, someLeft).actions, ['revoke'])
})

test('a cooperative member that is fenced loses what it has, for good', () => {
  const fenced: ClassicEvent = {
    type: 'join-refused',
    code: ErrorCode.ERR_FENCED_INSTANCE_ID,
    memberId: '',
    hasPartitions: true,
  }
  const { state, actions } = from(keeping, ...steady, rebalancing, fenced)
  assert.deepEqual(actions, ['lose', 'raise'])
  assert.equal(step(state, unassigned).state.join, 'init')
})

test('no sequence of events leads to a move that the table does not know', () => {
  const events: ClassicEvent[] = [
    joining,
    rebalancing,
    leader,
    follower,
    computed,
    { type: 'foreign-held' },
    synced,
    assigned,
    unassigned,
    { type: 'assign-called', hasPartitions: false, hasForeign: false },
    taken,
    someLeft,
    { type: 'join', reason: 'other topics', hasPartitions: true, hasForeign: true },
    { type: 'join-refused', code: ErrorCode.ERR_UNKNOWN_MEMBER_ID, memberId: '', hasPartitions: true },
    { type: 'join-refused', code: ErrorCode.ERR_FENCED_INSTANCE_ID, memberId: '', hasPartitions: true },
    { type: 'sync-refused', code: ErrorCode.ERR_ILLEGAL_GENERATION, hasPartitions: true },
    { type: 'sync-refused', code: ErrorCode.ERR_REBALANCE_IN_PROGRESS, hasPartitions: true },
    { type: 'lost', forgetMember: true, hasPartitions: true },
    { type: 'lost', forgetMember: false, hasPartitions: false },
    { type: 'leave', hasPartitions: true },
    { type: 'leave', hasPartitions: false },
    { type: 'join-refused', code: ErrorCode.ERR_UNKNOWN_MEMBER_ID, memberId: '', hasPartitions: false },
    { type: 'join-refused', code: ErrorCode.ERR_GROUP_AUTHORIZATION_FAILED, memberId: '', hasPartitions: false },
    { type: 'sync-refused', code: ErrorCode.ERR_ILLEGAL_GENERATION, hasPartitions: false },
    { type: 'sync-refused', code: ErrorCode.ERR_FENCED_INSTANCE_ID, hasPartitions: false },
  ]
  // Every state that can be reached, with every event in each of them.
  const first = [initialState, keeping]
  const seen = new Map(first.map(state => [JSON.stringify(state), state]))
  const open = [...first]
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
