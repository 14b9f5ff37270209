import { test } from 'node:test'
import assert from 'node:assert/strict'
import { ErrorCode } from '@ottla/protocol'
import { newMember, type ClassicMember, type JoinInput, type JoinOutput } from '../../src/groups/classic-member.ts'
import { ClassicRoster } from '../../src/groups/classic-roster.ts'
import { FakeClock } from '../fake-clock.ts'

const input: JoinInput = {
  memberId: '',
  groupInstanceId: null,
  clientId: 'c',
  host: '/127.0.0.1',
  protocolType: 'consumer',
  protocols: [{ name: 'range', metadata: Buffer.from('m') }],
  sessionTimeoutMs: 1000,
  rebalanceTimeoutMs: 1000,
  requiresMemberId: false,
  canSkipAssignment: false,
}

function member(id: string, groupInstanceId: string | null = null, join: ClassicMember['join'] = null): ClassicMember {
  return newMember(id, { ...input, groupInstanceId }, join)
}

function rosterOf(...members: ClassicMember[]): { roster: ClassicRoster; clock: FakeClock } {
  const clock = new FakeClock()
  const roster = new ClassicRoster(clock)
  for (const each of members) roster.add(each)
  return { roster, clock }
}

test('the first member leads, and the next one after it has left', () => {
  const [a, b] = [member('a'), member('b')]
  const { roster } = rosterOf(a, b)
  assert.equal(roster.leader, 'a')
  roster.remove(a)
  assert.equal(roster.leader, 'b')
  roster.remove(b)
  assert.equal(roster.leader, null)
})

test('a leader that has not rejoined gives way to a member that has', () => {
  const { roster } = rosterOf(
    member('a'),
    member('b'),
    member('c', null, () => undefined),
  )
  assert.equal(roster.electLeader(), true)
  assert.equal(roster.leader, 'c')
  const { roster: idle } = rosterOf(member('a'))
  assert.deepEqual([idle.electLeader(), idle.leader], [false, 'a'])
})

test('a new instance of a static member takes its place in the order, and its lead', () => {
  const old = member('a', 'i')
  const { roster } = rosterOf(old, member('b'))
  roster.replace(old, member('a2', 'i'))
  assert.deepEqual([...roster.members.keys()], ['a2', 'b'])
  assert.equal(roster.leader, 'a2')
  assert.equal(roster.identify('a', 'i'), ErrorCode.ERR_FENCED_INSTANCE_ID)
  assert.equal(roster.identify('a2', 'i'), ErrorCode.ERR_NO_ERROR)
  roster.remove(old)
  assert.equal(roster.holderOf('i'), 'a2', 'the old one does not take the instance id along')
})

test('members are identified by instance id first', () => {
  const { roster } = rosterOf(member('a', 'i'), member('b'))
  assert.equal(roster.identify('b', null), ErrorCode.ERR_NO_ERROR)
  assert.equal(roster.identify('x', null), ErrorCode.ERR_UNKNOWN_MEMBER_ID)
  assert.equal(roster.identify('b', 'i'), ErrorCode.ERR_FENCED_INSTANCE_ID)
  assert.equal(roster.identify('b', 'other'), ErrorCode.ERR_UNKNOWN_MEMBER_ID)
})

test('an id that was given out keeps the group waiting until it is used or expires', () => {
  const { roster, clock } = rosterOf(member('a', null, () => undefined))
  let expired = 0
  roster.expect('b', 1000, () => expired++)
  assert.deepEqual([roster.isExpected('b'), roster.everyoneHasJoined], [true, false])
  assert.equal(roster.forget('b'), true)
  assert.equal(roster.forget('b'), false)
  clock.advance(2000)
  assert.deepEqual([expired, roster.everyoneHasJoined], [0, true])
})

test('a closed roster has answered everyone and runs no timer', () => {
  const answers: JoinOutput[] = []
  const waiting = member('a', null, output => answers.push(output))
  const { roster, clock } = rosterOf(waiting)
  roster.keepAlive(waiting, 1000, () => assert.fail('expired'))
  roster.expect('b', 1000, () => assert.fail('expired'))
  roster.close(ErrorCode.ERR_COORDINATOR_NOT_AVAILABLE)
  assert.equal(clock.pending, 0)
  assert.deepEqual(
    answers.map(({ errorCode, memberId }) => [errorCode, memberId]),
    [[ErrorCode.ERR_COORDINATOR_NOT_AVAILABLE, 'a']],
  )
})
