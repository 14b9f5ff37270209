import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isNear, racksMatter } from '../../../../src/consumer/group/assignors/racks.ts'
import { counts, member, racked } from './members.ts'

const on = (rackId: string | null) => ({ ...member('m', ['t']), rackId })

test('racks matter only if a member can be nearer to some partitions than to others', () => {
  const apart = racked(['a'], ['b'])
  assert.equal(racksMatter([on('a'), on(null)], [apart]), true)
  assert.equal(racksMatter([on(null), on('')], [apart]), false, 'no member has a rack')
  assert.equal(racksMatter([on('c')], [apart]), false, 'nothing is near to it')
  assert.equal(racksMatter([on('a')], [racked(['a', 'b'], ['b', 'a'])]), false, 'everything is everywhere')
  assert.equal(racksMatter([on('a')], counts({ t: 2 }).values()), false, 'no broker has a rack')
  assert.equal(racksMatter([on('a')], [racked(['a']), racked(['a', 'b'])]), true, 'over all topics')
})

test('a member without a rack is near everything, one with a rack only its replicas', () => {
  const topic = racked(['a'], ['b'])
  assert.deepEqual([isNear(on('a'), topic, 0), isNear(on('a'), topic, 1)], [true, false])
  assert.deepEqual([isNear(on(null), topic, 1), isNear(on(''), topic, 1)], [true, true])
  assert.equal(isNear(on('a'), topic, 9), false, 'a partition whose racks are not known')
})
