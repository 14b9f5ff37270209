import { test } from 'node:test'
import assert from 'node:assert/strict'
import { configProblem, isListConfig, topicConfigType, topicDefaults } from '../../src/configs/topic-configs.ts'

function accepts(name: string, ...values: string[]): void {
  for (const value of values) assert.equal(configProblem(name, value), null, `${name}=${value}`)
}

function refuses(name: string, ...values: (string | null)[]): void {
  for (const value of values) assert.notEqual(configProblem(name, value), null, `${name}=${String(value)}`)
}

test('every default is valid', () => {
  for (const [name, value] of topicDefaults) accepts(name, value)
})

test('numbers are checked against their limits, and int64 ones exactly', () => {
  accepts('retention.ms', '-1', '0', '9223372036854775807', ' 5 ', '+5')
  refuses('retention.ms', '-2', '9223372036854775808', '1.5', '', 'x')
  accepts('segment.bytes', '1048576', '2147483647')
  refuses('segment.bytes', '1048575', '2147483648')
  accepts('retention.bytes', '-9223372036854775808')
})

test('gzip has levels 1 to 9 and a default, but no level 0', () => {
  accepts('compression.gzip.level', '-1', '1', '9')
  refuses('compression.gzip.level', '0', '10', '-2')
})

test('a ratio is from 0 to 1', () => {
  accepts('min.cleanable.dirty.ratio', '0', '1', '0.25')
  refuses('min.cleanable.dirty.ratio', '1.01', '-0.1', '', 'x')
})

test('lists may be empty, but every word has to be known', () => {
  accepts('cleanup.policy', 'compact', 'compact, delete', '')
  refuses('cleanup.policy', 'compact,forget')
  accepts('leader.replication.throttled.replicas', '*', '', '0:1', '0:1, 1:2')
  refuses('leader.replication.throttled.replicas', '0', '0:1,', 'a:b')
  assert.ok(isListConfig('cleanup.policy'))
  assert.equal(isListConfig('retention.ms'), false)
})

test('tiered storage cannot be enabled', () => {
  accepts('remote.storage.enable', 'false', 'FALSE')
  refuses('remote.storage.enable', 'true', ' True ', 'perhaps')
})

test('unknown names and null are refused', () => {
  assert.equal(configProblem('retention', '1'), 'Unknown topic config name: retention')
  refuses('retention.ms', null)
  assert.equal(topicConfigType('retention'), 0)
})
