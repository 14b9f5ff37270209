import { test } from 'node:test'
import assert from 'node:assert/strict'
import { ErrorCode } from '@ottla/protocol'
import { GroupConfigs } from '../../src/groups/configs.ts'
import { newConsumerMember } from '../../src/groups/consumer-member.ts'
import { Group, offsetKey } from '../../src/groups/group.ts'
import { GroupRefusal } from '../../src/groups/refusal.ts'
import { TopicStore } from '../../src/topics/topics.ts'
import { FakeClock } from '../fake-clock.ts'

const OUTSIDE = { memberId: '', epoch: -1, groupInstanceId: null }

function make(): Group {
  const topics = new TopicStore(
    () => [1],
    1,
    () => true,
  )
  const classic = { initialRebalanceDelayMs: 0, maxSize: Infinity }
  return new Group('g', { clock: new FakeClock(), topics, configs: new GroupConfigs(), maxSize: Infinity, classic })
}

/** A consumer group with the member `m` of epoch 5, which has `t/0` since epoch 3. */
function consumerGroup(isClassic = false): Group {
  const group = make()
  group.asConsumer(true).admit({
    ...newConsumerMember('m'),
    epoch: 5,
    assigned: new Map([['t/0', 3]]),
    classic: isClassic ? { protocols: [], sessionTimeoutMs: 1000 } : null,
  })
  return group
}

test('only an empty group takes commits from outside, but for those in transactions', () => {
  assert.equal(make().checkCommit(OUTSIDE, false), ErrorCode.ERR_NO_ERROR)
  const group = consumerGroup()
  assert.equal(group.checkCommit(OUTSIDE, false), ErrorCode.ERR_UNKNOWN_MEMBER_ID)
  assert.equal(group.checkCommit(OUTSIDE, true), ErrorCode.ERR_NO_ERROR)
})

test('a commit with an epoch that the member does not have yet is refused in the words of its protocol', () => {
  const by = (epoch: number): { memberId: string; epoch: number; groupInstanceId: null } => ({
    memberId: 'm',
    epoch,
    groupInstanceId: null,
  })
  const modern = consumerGroup()
  assert.equal(modern.checkCommit(by(5), false), ErrorCode.ERR_NO_ERROR)
  assert.equal(modern.checkCommit(by(6), false), ErrorCode.ERR_STALE_MEMBER_EPOCH)
  assert.equal(modern.checkCommit(by(6), true), ErrorCode.ERR_ILLEGAL_GENERATION)
  assert.equal(modern.checkCommit(by(5), false, 8), ErrorCode.ERR_UNSUPPORTED_VERSION)
  const classic = consumerGroup(true)
  assert.equal(classic.checkCommit(by(6), false), ErrorCode.ERR_ILLEGAL_GENERATION)
  assert.equal(classic.checkCommit(by(5), false, 8), ErrorCode.ERR_NO_ERROR)
})

test('an older epoch may commit for a partition that the member has had since then', () => {
  const commit = (epoch: number, partition: number, isTransactional = false, group = consumerGroup()): number =>
    group.checkCommitFor({ memberId: 'm', epoch, groupInstanceId: null }, isTransactional, 't', partition)
  assert.equal(commit(5, 9), ErrorCode.ERR_NO_ERROR)
  assert.equal(commit(3, 0), ErrorCode.ERR_NO_ERROR)
  assert.equal(commit(2, 0), ErrorCode.ERR_STALE_MEMBER_EPOCH)
  assert.equal(commit(4, 1), ErrorCode.ERR_STALE_MEMBER_EPOCH)
  assert.equal(commit(4, 1, true), ErrorCode.ERR_ILLEGAL_GENERATION)
  assert.equal(commit(4, 1, false, consumerGroup(true)), ErrorCode.ERR_ILLEGAL_GENERATION)
})

test('offsets are read by anyone, or by a member with its current epoch', () => {
  const group = consumerGroup()
  assert.equal(group.checkFetch(null, -1), ErrorCode.ERR_NO_ERROR)
  assert.equal(group.checkFetch('m', 5), ErrorCode.ERR_NO_ERROR)
  assert.equal(group.checkFetch('m', 4), ErrorCode.ERR_STALE_MEMBER_EPOCH)
  assert.equal(group.checkFetch('x', 5), ErrorCode.ERR_UNKNOWN_MEMBER_ID)
  assert.equal(consumerGroup(true).checkFetch('m', 4), ErrorCode.ERR_ILLEGAL_GENERATION)
})

test('a share group has neither committed offsets nor members of another protocol', () => {
  const group = make()
  group.asShare(true)
  assert.equal(group.type, 'share')
  assert.equal(group.checkCommit(OUTSIDE, false), ErrorCode.ERR_GROUP_ID_NOT_FOUND)
  assert.equal(group.checkOffsetDelete(), ErrorCode.ERR_GROUP_ID_NOT_FOUND)
  assert.equal(
    group.asClassic(true, () => true),
    null,
  )
  assert.throws(() => group.asConsumer(true), GroupRefusal)
  assert.equal(group.expire(), false)
})

test('without a joining member a classic group stays one', () => {
  assert.throws(() => make().asShare(false), GroupRefusal)
  assert.throws(() => make().asConsumer(false), GroupRefusal)
})

test('a coordinator that forgets the members of a group knows what the group has committed', () => {
  for (const group of [consumerGroup(), consumerGroup(true)]) {
    group.offsets.set(offsetKey('t', 0), { offset: 7, leaderEpoch: -1, metadata: null })
    group.forgetMembers()
    assert.ok(group.isEmpty)
    assert.throws(
      () => group.asConsumer(false),
      error => error instanceof GroupRefusal && error.errorCode === ErrorCode.ERR_GROUP_ID_NOT_FOUND,
    )
    const by = { memberId: 'm', epoch: 5, groupInstanceId: null }
    assert.equal(group.checkCommit(by, false), ErrorCode.ERR_UNKNOWN_MEMBER_ID)
    assert.equal(group.asConsumer(true).members.size, 0)
    assert.equal(group.offsets.get(offsetKey('t', 0))?.offset, 7)
  }
})

test('a coordinator that forgets the members of a share group knows what was delivered', () => {
  const group = make()
  const share = group.asShare(true)
  const heartbeat = { groupId: 'g', memberId: 'm', memberEpoch: 0, rackId: null, topics: ['t'] }
  const client = { clientId: 'c', host: '/h', canDescribe: () => true }
  const { memberEpoch } = share.heartbeat(heartbeat, client)
  group.forgetMembers()
  assert.equal(group.share, share)
  assert.throws(
    () => share.heartbeat({ ...heartbeat, memberEpoch, topics: null }, client),
    error => error instanceof GroupRefusal && error.errorCode === ErrorCode.ERR_UNKNOWN_MEMBER_ID,
  )
  assert.equal(share.heartbeat(heartbeat, client).memberId, 'm')
})
