import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDuration, parsePair, parsePartition, parseTime, parseTopicPartitions } from '../../src/admin/arguments.ts'
import { UsageError } from '../../src/terminal/terminal.ts'

test('partitions are written TOPIC:PARTITION, and a topic’s name may contain colons', () => {
  assert.deepEqual(parsePartition('a:b:3'), { topic: 'a:b', partition: 3 })
  assert.throws(() => parsePartition('a'), UsageError)
  assert.deepEqual(parseTopicPartitions('a'), { topic: 'a', partitions: undefined })
  assert.deepEqual(parseTopicPartitions('a:0,3'), { topic: 'a', partitions: [0, 3] })
  assert.deepEqual(parsePair('a=b=c'), ['a', 'b=c'])
  assert.deepEqual(parsePair('a='), ['a', ''])
  assert.throws(() => parsePair('=b'), UsageError)
})

test('times are ms or ISO 8601, in UTC without a zone; durations are ISO 8601', () => {
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
