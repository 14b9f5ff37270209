import { test } from 'node:test'
import assert from 'node:assert/strict'
import { ErrorCode } from '@ottla/protocol'
import { checkConsumerHeartbeat, type ConsumerHeartbeat } from '../../src/groups/consumer-heartbeat.ts'
import { GroupRefusal } from '../../src/groups/refusal.ts'

const joining: ConsumerHeartbeat = {
  groupId: 'g',
  memberId: 'm',
  memberEpoch: 0,
  instanceId: null,
  rackId: null,
  rebalanceTimeoutMs: 1000,
  topics: ['t'],
  regex: null,
  assignor: null,
  owned: new Set(),
}
const staying = { memberEpoch: 3, rebalanceTimeoutMs: -1, topics: null, owned: null }

/** The error code of a heartbeat, 0 if it is valid. */
function check(more: Partial<ConsumerHeartbeat>, namesItself = true): number {
  try {
    checkConsumerHeartbeat({ ...joining, ...more }, namesItself)
    return 0
  } catch (error) {
    return error instanceof GroupRefusal ? error.errorCode : assert.fail(String(error))
  }
}

test('in version 0 a new member has no id yet, later ones need theirs', () => {
  assert.equal(check({ memberId: '' }, false), 0)
  assert.equal(check({ memberId: '' }), ErrorCode.ERR_INVALID_REQUEST)
  assert.equal(check({ ...staying, memberId: '' }, false), ErrorCode.ERR_INVALID_REQUEST)
  assert.equal(check({ ...staying, memberEpoch: -1, memberId: '' }, false), ErrorCode.ERR_INVALID_REQUEST)
})

test('a member that stays need not repeat anything', () => {
  assert.equal(check(staying), 0)
  assert.equal(check({ ...staying, owned: new Set(['t/0']) }), 0)
})

test('a member that joins owns nothing and subscribes to topics or a pattern', () => {
  assert.equal(check({ topics: null, regex: 't.*' }), 0)
  assert.equal(check({ topics: [] }), 0)
  assert.equal(check({ owned: new Set(['t/0']) }), ErrorCode.ERR_INVALID_REQUEST)
})

test('only static members leave for a while', () => {
  assert.equal(check({ ...staying, memberEpoch: -2, instanceId: 'i' }), 0)
  assert.equal(check({ ...staying, memberEpoch: -2 }), ErrorCode.ERR_INVALID_REQUEST)
  assert.equal(check({ ...staying, memberEpoch: -1 }), 0)
})

test('unknown assignors and invalid patterns have error codes of their own', () => {
  assert.equal(check({ assignor: 'range' }), 0)
  assert.equal(check({ assignor: 'sticky' }), ErrorCode.ERR_UNSUPPORTED_ASSIGNOR)
  assert.equal(check({ regex: '[' }), ErrorCode.ERR_INVALID_REGULAR_EXPRESSION)
  assert.equal(check({ regex: '' }), 0, 'no pattern')
})
