import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode, errorName } from '@ottla/protocol'
import { isRetriable } from '../../../src/cluster/retry.ts'
import {
  memberAnswer,
  memberAnswers,
  transientCode,
  type GroupApi,
} from '../../../src/consumer/group/membership-errors.ts'

const apis = Object.keys(memberAnswers) as GroupApi[]

test('whatever is sent again as it was is what the one retry loop sends again', () => {
  for (const api of apis) {
    for (const code of Object.values(ErrorCode)) {
      const passing = transientCode(api, code)
      // The group may rebalance for long: that is waited for by the member, which may be asked to leave meanwhile.
      if (passing === ErrorCode.ERR_NO_ERROR || code === ErrorCode.ERR_REBALANCE_IN_PROGRESS) continue
      const isLocal = code === ErrorCode.ERR__TIMED_OUT
      assert.ok(isLocal || isRetriable(code), `${api} ${errorName(code)}`)
    }
  }
})

test('an unknown error is reported and retried, or goes to the caller', () => {
  for (const api of apis) {
    const expected = api === 'OffsetCommit' ? 'caller' : api === 'LeaveGroup' ? 'done' : 'report'
    for (const code of [9999, ErrorCode.ERR_UNKNOWN]) assert.equal(memberAnswer(api, code), expected, api)
  }
})

test('a member that is no longer known joins as a new one, whichever request shows it', () => {
  const { ERR_UNKNOWN_MEMBER_ID, ERR_GROUP_ID_NOT_FOUND } = ErrorCode
  for (const api of [
    'Heartbeat',
    'SyncGroup',
    'OffsetCommit',
    'OffsetFetch',
    'ConsumerGroupHeartbeat',
    'ShareGroupHeartbeat',
  ] as const)
    for (const code of [ERR_UNKNOWN_MEMBER_ID, ERR_GROUP_ID_NOT_FOUND])
      assert.equal(memberAnswer(api, code), 'lost-membership', `${api} ${errorName(code)}`)
})

test('the first heartbeat of a membership has nothing to lose', () => {
  for (const api of ['ConsumerGroupHeartbeat', 'ShareGroupHeartbeat'] as const) {
    assert.equal(memberAnswer(api, ErrorCode.ERR_UNKNOWN_MEMBER_ID, true), 'retry')
    assert.equal(memberAnswer(api, ErrorCode.ERR_FENCED_MEMBER_EPOCH, true), 'retry')
    // There is a group of another kind by that name.
    assert.equal(memberAnswer(api, ErrorCode.ERR_GROUP_ID_NOT_FOUND, true), 'report')
  }
})
