import assert from 'node:assert/strict'
import { test } from 'node:test'
import { filtersOf, rulesOf } from '../../src/admin/acls.ts'
import { parseDuration, parsePair, parsePartition, parseTime, parseTopicPartitions } from '../../src/admin/arguments.ts'
import { lagOf } from '../../src/admin/groups.ts'
import { goalOf, planReset, type ResetGoal } from '../../src/admin/group-reset.ts'
import { entityOf } from '../../src/admin/quotas.ts'
import { fromKcat } from '../../src/kcat-modes.ts'
import { UsageError } from '../../src/terminal/terminal.ts'

test('partitions are written TOPIC:PARTITION, a topic’s name may have colons in it', () => {
  assert.deepEqual(parsePartition('a:b:3'), { topic: 'a:b', partition: 3 })
  assert.throws(() => parsePartition('a'), UsageError)
  assert.deepEqual(parseTopicPartitions('a'), { topic: 'a', partitions: undefined })
  assert.deepEqual(parseTopicPartitions('a:0,3'), { topic: 'a', partitions: [0, 3] })
  assert.deepEqual(parsePair('a=b=c'), ['a', 'b=c'])
  assert.deepEqual(parsePair('a='), ['a', ''])
  assert.throws(() => parsePair('=b'), UsageError)
})

test('times are ms or ISO 8601, without a zone in UTC; durations are ISO 8601', () => {
  assert.equal(parseTime('1000'), 1000)
  assert.equal(parseTime('1970-01-01T00:00:01Z'), 1000)
  assert.equal(parseTime('1970-01-01T00:00:01.500'), 1500)
  assert.equal(parseTime('1970-01-01T01:00:01+01:00'), 1000)
  assert.equal(parseTime('1970-01-02'), 86_400_000)
  assert.throws(() => parseTime('yesterday'), UsageError)
  assert.equal(parseDuration('P1DT2H'), 93_600_000)
  assert.equal(parseDuration('PT1M0.5S'), 60_500)
  for (const wrong of ['P', 'PT', '1D', 'P1M', 'PT1D']) assert.throws(() => parseDuration(wrong), UsageError, wrong)
})

const facts = { topic: 'a', partition: 0, committed: 50, earliest: 10, latest: 100, atTime: 70 }

test('a reset goes where it is told to, and never beyond what there is', () => {
  const to = (goal: ResetGoal): number => planReset(facts, goal).to
  assert.equal(to({ to: 'earliest' }), 10)
  assert.equal(to({ to: 'latest' }), 100)
  assert.equal(to({ to: 'current' }), 50)
  assert.equal(to({ to: 'offset', offset: 60 }), 60)
  assert.equal(to({ to: 'offset', offset: 0 }), 10)
  assert.equal(to({ to: 'time', timestamp: 1 }), 70)
  assert.equal(to({ to: 'shift', by: -5 }), 45)
  assert.equal(to({ to: 'shift', by: 500 }), 100)
})

test('a partition without a committed offset goes on at the end, and cannot be shifted', () => {
  const never = { ...facts, committed: null, atTime: -1 }
  assert.deepEqual(planReset(never, { to: 'current' }), { topic: 'a', partition: 0, from: null, to: 100 })
  assert.equal(planReset(never, { to: 'time', timestamp: 1 }).to, 100)
  assert.throws(() => planReset(never, { to: 'shift', by: 1 }), UsageError)
})

test('a reset has exactly one goal', () => {
  assert.deepEqual(goalOf({ byDuration: 'PT1S' }, 5000), { to: 'time', timestamp: 4000 })
  assert.deepEqual(goalOf({ shiftBy: -3 }), { to: 'shift', by: -3 })
  assert.throws(() => goalOf({}), UsageError)
  assert.throws(() => goalOf({ toEarliest: true, toLatest: true }), UsageError)
})

test('lag is what is between the committed offset and the end, and null where one of them is not known', () => {
  const zero = { topic: 'a', partition: 0 }
  const nobody = { memberId: null, clientId: null, host: null }
  assert.deepEqual(lagOf(zero, 4, 10, undefined), { ...zero, offset: 4, endOffset: 10, lag: 6, ...nobody })
  assert.equal(lagOf(zero, -1001, 10, undefined).lag, null)
  assert.equal(lagOf(zero, 4, undefined, undefined).lag, null)
  assert.equal(lagOf(zero, 4, 2, undefined).lag, 0)
})

const nothing = {
  topic: [],
  group: [],
  transactionalId: [],
  delegationToken: [],
  user: [],
  principal: [],
  operation: [],
}

test('rules are made for every combination, and need all three parts', () => {
  const options = { ...nothing, topic: ['a', 'b'], cluster: true, principal: ['User:x'], operation: ['read', 'write'] }
  const rules = rulesOf({ ...options, prefixed: true, deny: true })
  assert.equal(rules.length, 6)
  assert.deepEqual(rules[5], {
    resourceType: 'cluster',
    name: 'kafka-cluster',
    resourcePatternType: 'prefixed',
    principal: 'User:x',
    host: '*',
    operation: 'write',
    permissionType: 'deny',
  })
  for (const missing of ['topic', 'principal', 'operation']) {
    assert.throws(() => rulesOf({ ...options, cluster: false, [missing]: [] }), UsageError)
  }
})

test('filters leave open what is not said', () => {
  assert.deepEqual(filtersOf(nothing), [{}])
  assert.deepEqual(filtersOf({ ...nothing, topic: ['a'], principal: ['User:x', 'User:y'], pattern: 'match' }), [
    { resourcePatternType: 'match', resourceType: 'topic', name: 'a', principal: 'User:x' },
    { resourcePatternType: 'match', resourceType: 'topic', name: 'a', principal: 'User:y' },
  ])
})

test('a quota is for somebody, or for the default, not both', () => {
  assert.deepEqual(entityOf({ user: 'x', defaultClient: true }), { user: 'x', 'client-id': null })
  assert.throws(() => entityOf({ ip: '1.2.3.4', defaultIp: true }), UsageError)
})

test('kcat’s letters for what it is to do are the commands', () => {
  assert.deepEqual(fromKcat(['-b', 'x', '-L', '-J']), ['meta', '-b', 'x', '-J'])
  assert.deepEqual(fromKcat(['-Q', '-b', 'x', '-t', 'a:0:1']), ['query', '-b', 'x', '-t', 'a:0:1'])
  assert.deepEqual(fromKcat(['-b', 'x', '-G', 'g', 't']), ['consume', '-b', 'x', '-G', 'g', 't'])
  assert.deepEqual(fromKcat(['produce', '-t', '-P']), ['produce', '-t', '-P'])
  assert.deepEqual(fromKcat(['--help']), ['--help'])
})
