import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lagOf } from '../../src/admin/group-description.ts'

test('lag is the distance from the committed offset to the end, and null if either is unknown', () => {
  const zero = { topic: 'a', partition: 0 }
  const nobody = { memberId: null, clientId: null, host: null }
  assert.deepEqual(lagOf(zero, 4, 10, undefined), { ...zero, offset: 4, endOffset: 10, lag: 6, ...nobody })
  assert.equal(lagOf(zero, -1001, 10, undefined).lag, null)
  assert.equal(lagOf(zero, 4, undefined, undefined).lag, null)
  assert.equal(lagOf(zero, 4, 2, undefined).lag, 0)
})
