import { test } from 'node:test'
import assert from 'node:assert/strict'
import { ErrorCode } from '@ottla/protocol'
import { Group, type JoinInput, type JoinOutput, type SyncOutput } from '../src/groups.ts'
import { FakeClock } from './fake-clock.ts'

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
    ...overrides,
  }
}

/** Joins and keeps the answer. */
function join(group: Group, overrides: Partial<JoinInput> = {}): { answer: JoinOutput | null } {
  const result: { answer: JoinOutput | null } = { answer: null }
  group.join(input(overrides), output => (result.answer = output))
  return result
}

function sync(
  group: Group,
  member: JoinOutput,
  assignments: Record<string, string> = {},
): { answer: SyncOutput | null } {
  const result: { answer: SyncOutput | null } = { answer: null }
  const list = Object.entries(assignments).map(([memberId, text]) => ({ memberId, assignment: Buffer.from(text) }))
  group.sync(member.memberId, member.generationId, null, null, list, output => (result.answer = output))
  return result
}

function answerOf<T>(result: { answer: T | null }): T {
  assert.ok(result.answer !== null, 'it has been answered')
  return result.answer
}

test('the first member leads, and gets its own assignment', () => {
  const group = new Group('g', new FakeClock(), 0)
  const member = answerOf(join(group))
  assert.equal(member.errorCode, 0)
  assert.equal(member.generationId, 1)
  assert.equal(member.leader, member.memberId)
  assert.equal(member.members.length, 1)
  const synced = answerOf(sync(group, member, { [member.memberId]: 'all' }))
  assert.equal(synced.assignment.toString(), 'all')
  assert.equal(group.state, 'Stable')
})

test('a second member waits until the first has joined again', () => {
  const group = new Group('g', new FakeClock(), 0)
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

test('a member that does not join again in time is left behind', () => {
  const clock = new FakeClock()
  const group = new Group('g', clock, 0)
  const first = answerOf(join(group, { sessionTimeoutMs: 60_000 }))
  sync(group, first, {})
  const second = join(group)
  clock.advance(REBALANCE_MS)
  assert.equal(answerOf(second).leader, answerOf(second).memberId)
  assert.equal(group.heartbeat(first.memberId, 1, null), ErrorCode.ERR_UNKNOWN_MEMBER_ID)
})

test('a member without heartbeats is dropped, and the group becomes empty', () => {
  const clock = new FakeClock()
  const group = new Group('g', clock, 0)
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

test('a new member is told its id first, where the version asks for it', () => {
  const group = new Group('g', new FakeClock(), 0)
  const told = answerOf(join(group, { requiresMemberId: true }))
  assert.equal(told.errorCode, ErrorCode.ERR_MEMBER_ID_REQUIRED)
  const joined = answerOf(join(group, { requiresMemberId: true, memberId: told.memberId }))
  assert.equal(joined.errorCode, 0)
  assert.equal(answerOf(join(group, { memberId: 'made-up' })).errorCode, ErrorCode.ERR_UNKNOWN_MEMBER_ID)
})

test('the protocol is one that all members have', () => {
  const group = new Group('g', new FakeClock(), 0)
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
  const group = new Group('g', new FakeClock(), 0)
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
  assert.equal(group.leave(member.memberId, null), 0)
  assert.equal(group.checkCommit('', -1, null), 0)
})

test('a static member that comes back keeps its assignment without a rebalance', () => {
  const group = new Group('g', new FakeClock(), 0)
  const member = answerOf(join(group, { groupInstanceId: 'i' }))
  sync(group, member, { [member.memberId]: 'kept' })
  const back = answerOf(join(group, { groupInstanceId: 'i' }))
  assert.notEqual(back.memberId, member.memberId)
  assert.equal(back.generationId, 1)
  assert.equal(group.heartbeat(member.memberId, 1, 'i'), ErrorCode.ERR_FENCED_INSTANCE_ID)
})
