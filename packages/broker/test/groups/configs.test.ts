import { test } from 'node:test'
import assert from 'node:assert/strict'
import { GroupConfigs, durationMs, groupConfigDefaults, groupConfigProblem } from '../../src/groups/configs.ts'

test('every default is valid, and null goes back to it', () => {
  for (const [name, value] of groupConfigDefaults) assert.equal(groupConfigProblem(name, value), null, name)
  assert.equal(groupConfigProblem('share.auto.offset.reset', null), null)
  assert.equal(groupConfigProblem('nonsense', null), 'Unknown group config name: nonsense')
})

test('values outside their limits are refused', () => {
  assert.equal(groupConfigProblem('share.delivery.count.limit', '2'), null)
  assert.match(groupConfigProblem('share.delivery.count.limit', '1') ?? '', /from 2 to 10/)
  assert.notEqual(groupConfigProblem('share.delivery.count.limit', '2.5'), null)
  assert.notEqual(groupConfigProblem('share.isolation.level', 'READ_COMMITTED'), null)
  assert.equal(groupConfigProblem('share.auto.offset.reset', 'by_duration:PT1H'), null)
  assert.notEqual(groupConfigProblem('share.auto.offset.reset', 'by_duration:1h'), null)
})

test('durations are those of ISO 8601', () => {
  assert.equal(durationMs('PT1H30M'), 5_400_000)
  assert.equal(durationMs('P2DT0.5S'), 172_800_500)
  assert.equal(durationMs('p1d'), 86_400_000)
  for (const text of ['P', 'PT', 'P1DT', '1H', 'PT1X', 'PT-1S', '']) assert.equal(durationMs(text), null, text)
})

test('a group is forgotten with its last setting', () => {
  const configs = new GroupConfigs()
  configs.set('g', 'share.delivery.count.limit', '3')
  assert.equal(configs.number('g', 'share.delivery.count.limit'), 3)
  assert.equal(configs.number('other', 'share.delivery.count.limit'), 5)
  configs.set('g', 'share.delivery.count.limit', null)
  configs.set('other', 'share.delivery.count.limit', null)
  assert.deepEqual(configs.groupIds(), [])
})

test('what brokers were started with is the default of groups', () => {
  const configs = new GroupConfigs(new Map([['group.share.record.lock.duration.ms', '1000']]))
  assert.equal(configs.number('g', 'share.record.lock.duration.ms'), 1000)
  configs.set('g', 'share.record.lock.duration.ms', '2000')
  assert.equal(configs.number('g', 'share.record.lock.duration.ms'), 2000)
  assert.equal(configs.number('other', 'share.record.lock.duration.ms'), 1000)
  assert.equal(configs.number('other', 'share.delivery.count.limit'), 5)
})
