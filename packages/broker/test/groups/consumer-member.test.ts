import { test } from 'node:test'
import assert from 'node:assert/strict'
import { newConsumerMember, reconcile, type ConsumerMember, type Target } from '../../src/groups/consumer-member.ts'

const all = (): boolean => true
const none = (): boolean => false

function member(epoch: number, assigned: string[], more: Partial<ConsumerMember> = {}): ConsumerMember {
  return { ...newConsumerMember('m'), epoch, assigned: new Map(assigned.map(key => [key, epoch])), ...more }
}

function target(epoch: number, partitions: string[], more: Partial<Target> = {}): Target {
  return {
    epoch,
    partitions: new Set(partitions),
    reads: all,
    isTaken: none,
    owned: null,
    subscriptionChanged: false,
    ...more,
  }
}

function step(from: ConsumerMember, to: Target): unknown[] {
  const { state, epoch, assigned, revoking } = reconcile(from, to)
  return [state, epoch, [...assigned], [...revoking.keys()]]
}

test('a member that has reached its target does not move', () => {
  const settled = member(5, ['t/0'])
  assert.equal(reconcile(settled, target(5, ['t/0', 't/1'])).assigned, settled.assigned)
})

test('a member gives up first, and stays in its epoch until it has', () => {
  const old = member(5, ['t/0', 't/1'])
  assert.deepEqual(step(old, target(6, ['t/1', 't/2'])), ['unrevoked', 5, [['t/1', 5]], ['t/0']])
  const revoking = member(5, ['t/1'], { state: 'unrevoked', revoking: new Map([['t/0', 5]]) })
  const still = target(6, ['t/1', 't/2'], { owned: new Set(['t/0', 't/1']) })
  assert.deepEqual(step(revoking, still), ['unrevoked', 5, [['t/1', 5]], ['t/0']])
  assert.deepEqual(step(revoking, target(6, ['t/1', 't/2'])), ['unrevoked', 5, [['t/1', 5]], ['t/0']], 'no report')
})

test('what was kept keeps its epoch, what is new gets that of the target', () => {
  const revoking = member(5, ['t/1'], { state: 'unrevoked', revoking: new Map([['t/0', 5]]) })
  const done = target(6, ['t/1', 't/2'], { owned: new Set(['t/1']) })
  assert.deepEqual(step(revoking, done), [
    'stable',
    6,
    [
      ['t/1', 5],
      ['t/2', 6],
    ],
    [],
  ])
})

test('a member waits for partitions that others still have, and gets them later', () => {
  const waiting = step(member(5, []), target(6, ['t/0', 't/1'], { isTaken: key => key === 't/0' }))
  assert.deepEqual(waiting, ['unreleased', 6, [['t/1', 6]], []])
  const unreleased = member(6, ['t/1'], { state: 'unreleased' })
  assert.deepEqual(step(unreleased, target(6, ['t/0', 't/1']))[0], 'stable')
})

test('partitions of a topic that is no longer read are revoked before the next assignment', () => {
  const reads = (key: string): boolean => key.startsWith('t/')
  const changed = { reads, subscriptionChanged: true }
  const settled = member(5, ['t/0', 'u/0'])
  assert.deepEqual(step(settled, target(5, ['t/0', 'u/0'], changed)), ['unrevoked', 5, [['t/0', 5]], ['u/0']])
  const owned = new Set(['t/0'])
  assert.deepEqual(step(settled, target(5, ['t/0', 'u/0'], { ...changed, owned })), ['stable', 5, [['t/0', 5]], []])
})

test('a partition whose topic the member does not read is not assigned, even if it is in the target', () => {
  assert.deepEqual(step(member(5, []), target(6, ['t/0'], { reads: none })), ['stable', 6, [], []])
})
