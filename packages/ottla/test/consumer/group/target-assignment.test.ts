import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MetadataCache } from '../../../src/cluster/metadata.ts'
import { TargetAssignment } from '../../../src/consumer/group/target-assignment.ts'

function targetOf(names: Record<string, string>) {
  const topicNames = new Map(Object.entries(names))
  const target = new TargetAssignment({ snapshot: { topicNames } } as unknown as MetadataCache)
  return { target, topicNames }
}

const at = (topicId: string, topic: string, partition: number) => ({ topicId, topic, partition })

test('what the target lacks is to be revoked, what is not held to be assigned', () => {
  const { target } = targetOf({ 'id-a': 'a' })
  target.hold([at('id-a', 'a', 0), at('id-a', 'a', 1)])
  target.set([{ topicId: 'id-a', partitions: [1, 2] }])
  assert.deepEqual(target.toRevoke(), [at('id-a', 'a', 0)])
  assert.deepEqual(target.toAssign(), [at('id-a', 'a', 2)])
  assert.deepEqual(target.difference(), { hasRevoked: true, hasNew: true })
  target.release(target.toRevoke())
  target.hold(target.toAssign())
  assert.deepEqual(target.difference(), { hasRevoked: false, hasNew: false })
  assert.deepEqual(target.claimedByTopic([]), [{ topicId: 'id-a', partitions: [1, 2] }])
})

test('a topic without a known name waits for it, and holds up no other', () => {
  const { target, topicNames } = targetOf({ 'id-a': 'a' })
  target.set([
    { topicId: 'id-new', partitions: [0] },
    { topicId: 'id-a', partitions: [0] },
  ])
  assert.deepEqual([target.hasUnknown, target.toAssign()], [true, [at('id-a', 'a', 0)]])
  topicNames.set('id-new', 'new')
  assert.deepEqual([target.hasUnknown, target.toAssign().length], [false, 2])
})

test('it claims what it holds and what it will hold, once each, whatever the application is being told', () => {
  const { target } = targetOf({ 'id-a': 'a' })
  target.hold([at('id-a', 'a', 0)])
  target.set([
    { topicId: 'id-a', partitions: [1] },
    { topicId: 'id-new', partitions: [3] },
  ])
  const both = [at('id-a', 'a', 0), at('id-a', 'a', 1), at('id-a', 'a', 2)]
  assert.deepEqual(target.claimedByTopic(both), [
    { topicId: 'id-a', partitions: [0, 1, 2] },
    { topicId: 'id-new', partitions: [3] },
  ])
  target.release(target.toRevoke())
  target.clear()
  assert.deepEqual(target.claimedByTopic([]), [])
})

test('a recreated topic is another one: the old partition goes, the new one comes', () => {
  const { target } = targetOf({ 'id-2': 'a' })
  target.hold([at('id-1', 'a', 0)])
  target.set([{ topicId: 'id-2', partitions: [0] }])
  assert.deepEqual([target.toRevoke(), target.toAssign()], [[at('id-1', 'a', 0)], [at('id-2', 'a', 0)]])
})

test('without a target everything is to be revoked', () => {
  const { target } = targetOf({ 'id-a': 'a' })
  target.set([{ topicId: 'id-a', partitions: [0] }])
  target.hold(target.toAssign())
  target.clear()
  assert.deepEqual([target.toRevoke().length, target.toAssign().length], [1, 0])
})
