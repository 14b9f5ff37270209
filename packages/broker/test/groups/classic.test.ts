import { test } from 'node:test'
import assert from 'node:assert/strict'
import { ErrorCode } from '@ottla/protocol'
import { ClassicGroup } from '../../src/groups/classic.ts'
import type { ClassicSettings, JoinInput, JoinOutput, SyncOutput } from '../../src/groups/classic-member.ts'
import { FakeClock } from '../fake-clock.ts'

const SESSION_MS = 10_000
const REBALANCE_MS = 30_000

function input(overrides: Partial<JoinInput> = {}): JoinInput {
  return {
    memberId: '',
    groupInstanceId: null,
    clientId: 'c',
    host: '/127.0.0.1',
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: Buffer.from('m') }],
    sessionTimeoutMs: SESSION_MS,
    rebalanceTimeoutMs: REBALANCE_MS,
    requiresMemberId: false,
    canSkipAssignment: true,
    ...overrides,
  }
}

function newGroup(clock: FakeClock, settings: Partial<ClassicSettings> = {}): ClassicGroup {
  return new ClassicGroup('g', clock, { initialRebalanceDelayMs: 0, maxSize: Infinity, ...settings })
}

/** Joins and keeps the response. */
function join(group: ClassicGroup, overrides: Partial<JoinInput> = {}): { answer: JoinOutput | null } {
  const result: { answer: JoinOutput | null } = { answer: null }
  group.join(input(overrides), output => (result.answer = output))
  return result
}

function sync(
  group: ClassicGroup,
  member: JoinOutput,
  assignments: Record<string, string> = {},
): { answer: SyncOutput | null } {
  const result: { answer: SyncOutput | null } = { answer: null }
  const list = Object.entries(assignments).map(([memberId, text]) => ({ memberId, assignment: Buffer.from(text) }))
  group.sync(
    {
      memberId: member.memberId,
      generationId: member.generationId,
      groupInstanceId: null,
      protocolType: null,
      protocolName: null,
      assignments: list,
    },
    output => (result.answer = output),
  )
  return result
}

function answerOf<T>(result: { answer: T | null }): T {
  assert.ok(result.answer !== null, 'it has been answered')
  return result.answer
}

test('the first member leads, and gets its own assignment', () => {
  const group = newGroup(new FakeClock())
  const member = answerOf(join(group))
  assert.equal(member.errorCode, 0)
  assert.equal(member.generationId, 1)
  assert.equal(member.leader, member.memberId)
  assert.equal(member.members.length, 1)
  const synced = answerOf(sync(group, member, { [member.memberId]: 'all' }))
  assert.equal(synced.assignment.toString(), 'all')
  assert.equal(group.state, 'Stable')
})

test('a second member waits until the first has rejoined', () => {
  const group = newGroup(new FakeClock())
  const first = answerOf(join(group))
  sync(group, first, { [first.memberId]: 'all' })
  const second = join(group)
  assert.equal(second.answer, null)
  assert.equal(group.heartbeat(first.memberId, 1, null), ErrorCode.ERR_REBALANCE_IN_PROGRESS)
  const again = answerOf(join(group, { memberId: first.memberId }))
  assert.equal(again.generationId, 2)
  assert.equal(answerOf(second).leader, first.memberId)
  assert.equal(answerOf(second).members.length, 0, 'only the leader is told who the others are')
  const waiting = sync(group, answerOf(second))
  assert.equal(waiting.answer, null)
  sync(group, again, { [first.memberId]: 'one', [answerOf(second).memberId]: 'two' })
  assert.equal(answerOf(waiting).assignment.toString(), 'two')
})

test('a member that does not rejoin in time is dropped', () => {
  const clock = new FakeClock()
  const group = newGroup(clock)
  const first = answerOf(join(group, { sessionTimeoutMs: 60_000 }))
  sync(group, first, {})
  const second = join(group)
  clock.advance(REBALANCE_MS)
  assert.equal(answerOf(second).leader, answerOf(second).memberId)
  assert.equal(group.heartbeat(first.memberId, 1, null), ErrorCode.ERR_UNKNOWN_MEMBER_ID)
})

test('a member without heartbeats is dropped, and the group becomes empty', () => {
  const clock = new FakeClock()
  const group = newGroup(clock)
  const member = answerOf(join(group))
  sync(group, member, {})
  clock.advance(SESSION_MS - 1)
  assert.equal(group.heartbeat(member.memberId, 1, null), 0)
  clock.advance(SESSION_MS - 1)
  assert.equal(group.state, 'Stable')
  clock.advance(1)
  assert.equal(group.state, 'Empty')
  assert.equal(group.generation, 2)
})

test('a new member gets its id first if the version requires it', () => {
  const group = newGroup(new FakeClock())
  const told = answerOf(join(group, { requiresMemberId: true }))
  assert.equal(told.errorCode, ErrorCode.ERR_MEMBER_ID_REQUIRED)
  const joined = answerOf(join(group, { requiresMemberId: true, memberId: told.memberId }))
  assert.equal(joined.errorCode, 0)
  assert.equal(answerOf(join(group, { memberId: 'made-up' })).errorCode, ErrorCode.ERR_UNKNOWN_MEMBER_ID)
})

test('the protocol is one that all members support', () => {
  const group = newGroup(new FakeClock())
  const both = [
    { name: 'range', metadata: Buffer.from('') },
    { name: 'roundrobin', metadata: Buffer.from('') },
  ]
  const first = answerOf(join(group, { protocols: both }))
  assert.equal(first.protocolName, 'range')
  const second = join(group, { protocols: [{ name: 'roundrobin', metadata: Buffer.from('') }] })
  join(group, { memberId: first.memberId, protocols: both })
  assert.equal(answerOf(second).protocolName, 'roundrobin')
  const misfit = join(group, { protocols: [{ name: 'other', metadata: Buffer.from('') }] })
  assert.equal(answerOf(misfit).errorCode, ErrorCode.ERR_INCONSISTENT_GROUP_PROTOCOL)
})

test('an old generation can neither sync nor commit', () => {
  const group = newGroup(new FakeClock())
  const member = answerOf(join(group))
  sync(group, member, {})
  assert.equal(group.checkCommit(member.memberId, 1, null), 0)
  assert.equal(group.checkCommit(member.memberId, 0, null), ErrorCode.ERR_ILLEGAL_GENERATION)
  assert.equal(
    group.checkCommit('', -1, null),
    ErrorCode.ERR_UNKNOWN_MEMBER_ID,
    'not from outside while there are members',
  )
  assert.equal(answerOf(sync(group, { ...member, generationId: 0 })).errorCode, ErrorCode.ERR_ILLEGAL_GENERATION)
  assert.deepEqual(group.leave([{ memberId: member.memberId, groupInstanceId: null }]), [0])
  assert.equal(group.checkCommit('', -1, null), 0)
})

test('a returning static member keeps its assignment without a rebalance', () => {
  const group = newGroup(new FakeClock())
  const member = answerOf(join(group, { groupInstanceId: 'i' }))
  sync(group, member, { [member.memberId]: 'kept' })
  const back = answerOf(join(group, { groupInstanceId: 'i' }))
  assert.notEqual(back.memberId, member.memberId)
  assert.equal(back.generationId, 1)
  assert.equal(group.heartbeat(member.memberId, 1, 'i'), ErrorCode.ERR_FENCED_INSTANCE_ID)
})

test('a returning static leader skips the assignment; before version 9 it does not learn that it leads', () => {
  const group = newGroup(new FakeClock())
  const member = answerOf(join(group, { groupInstanceId: 'i' }))
  sync(group, member, { [member.memberId]: 'kept' })
  const back = answerOf(join(group, { groupInstanceId: 'i' }))
  assert.deepEqual([back.leader, back.skipAssignment, back.members.length], [back.memberId, true, 1])
  const older = answerOf(join(group, { groupInstanceId: 'i', canSkipAssignment: false }))
  assert.deepEqual([older.leader, older.skipAssignment, older.members.length], [back.memberId, false, 0])
  assert.equal(answerOf(sync(group, older)).assignment.toString(), 'kept')
})

test('a returning static member with another protocol starts a rebalance', () => {
  const group = newGroup(new FakeClock())
  const member = answerOf(join(group, { groupInstanceId: 'i' }))
  sync(group, member)
  const back = join(group, { groupInstanceId: 'i', protocols: [{ name: 'range', metadata: Buffer.from('n') }] })
  assert.equal(answerOf(back).generationId, 1, 'other metadata alone does not')
  const both = [
    { name: 'sticky', metadata: Buffer.from('n') },
    { name: 'range', metadata: Buffer.from('n') },
  ]
  assert.equal(answerOf(join(group, { groupInstanceId: 'i', protocols: both })).generationId, 2)
})

test('a rebalance waits for an absent static member until its session expires', () => {
  const clock = new FakeClock()
  const group = newGroup(clock)
  const still = answerOf(join(group, { groupInstanceId: 'i', sessionTimeoutMs: 100_000 }))
  sync(group, still)
  const other = join(group, { groupInstanceId: 'j' })
  clock.advance(REBALANCE_MS)
  const second = answerOf(other)
  assert.equal(second.generationId, 2)
  assert.equal(second.leader, second.memberId, 'one that is there leads')
  assert.equal(second.members.length, 2)
})

test('a rebalance waits for a member that has an id but has yet to join', () => {
  const clock = new FakeClock()
  const group = newGroup(clock)
  const first = answerOf(join(group))
  sync(group, first)
  const told = answerOf(join(group, { requiresMemberId: true }))
  const again = join(group, { memberId: first.memberId })
  assert.equal(again.answer, null)
  join(group, { requiresMemberId: true, memberId: told.memberId })
  assert.equal(answerOf(again).members.length, 2)
})

test('an unused member id is forgotten after the session timeout', () => {
  const clock = new FakeClock()
  const group = newGroup(clock)
  const told = answerOf(join(group, { requiresMemberId: true }))
  clock.advance(SESSION_MS)
  const late = answerOf(join(group, { requiresMemberId: true, memberId: told.memberId }))
  assert.equal(late.errorCode, ErrorCode.ERR_UNKNOWN_MEMBER_ID)
})

test('a new group waits again after each new member, up to the rebalance timeout', () => {
  const clock = new FakeClock()
  const group = newGroup(clock, { initialRebalanceDelayMs: 3000 })
  const first = join(group)
  clock.advance(2000)
  join(group)
  clock.advance(2000)
  assert.equal(first.answer, null)
  clock.advance(2000)
  assert.equal(answerOf(first).members.length, 2)

  const busy = newGroup(clock, { initialRebalanceDelayMs: 3000 })
  const patient = join(busy, { rebalanceTimeoutMs: 6000 })
  for (let second = 0; second < 6; second++) {
    join(busy, { rebalanceTimeoutMs: 6000 })
    clock.advance(1000)
  }
  assert.equal(answerOf(patient).members.length, 7)
})

test('a group has a maximum size', () => {
  const group = newGroup(new FakeClock(), { maxSize: 1 })
  const first = answerOf(join(group))
  sync(group, first)
  assert.equal(answerOf(join(group)).errorCode, ErrorCode.ERR_GROUP_MAX_SIZE_REACHED)
  assert.equal(answerOf(join(group, { memberId: first.memberId })).errorCode, 0)
})

test('members that do not sync in time are dropped', () => {
  const clock = new FakeClock()
  const group = newGroup(clock)
  const first = answerOf(join(group, { sessionTimeoutMs: 100_000 }))
  const second = join(group, { sessionTimeoutMs: 100_000 })
  const again = answerOf(join(group, { memberId: first.memberId, sessionTimeoutMs: 100_000 }))
  sync(group, again)
  clock.advance(REBALANCE_MS)
  assert.equal(group.state, 'PreparingRebalance')
  assert.equal(group.heartbeat(answerOf(second).memberId, 2, null), ErrorCode.ERR_UNKNOWN_MEMBER_ID)
  assert.equal(group.heartbeat(first.memberId, 2, null), ErrorCode.ERR_REBALANCE_IN_PROGRESS)
})

test('several members can leave at once, each with an error code of its own', () => {
  const group = newGroup(new FakeClock())
  const first = answerOf(join(group, { groupInstanceId: 'i' }))
  sync(group, first)
  assert.deepEqual(
    group.leave([
      { memberId: 'other', groupInstanceId: 'i' },
      { memberId: '', groupInstanceId: 'nobody' },
      { memberId: 'unknown', groupInstanceId: null },
      { memberId: '', groupInstanceId: 'i' },
    ]),
    [
      ErrorCode.ERR_FENCED_INSTANCE_ID,
      ErrorCode.ERR_UNKNOWN_MEMBER_ID,
      ErrorCode.ERR_UNKNOWN_MEMBER_ID,
      ErrorCode.ERR_NO_ERROR,
    ],
  )
  assert.equal(group.state, 'Empty')
})

test('a transaction may commit offsets during a rebalance', () => {
  const group = newGroup(new FakeClock())
  const member = answerOf(join(group))
  assert.equal(group.state, 'CompletingRebalance')
  assert.equal(group.checkCommit(member.memberId, 1, null), ErrorCode.ERR_REBALANCE_IN_PROGRESS)
  assert.equal(group.checkCommit(member.memberId, 1, null, true), 0)
})
