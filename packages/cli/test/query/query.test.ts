import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseQuery } from '../../src/query/query.ts'
import { UsageError } from '../../src/terminal/terminal.ts'

test('a query names a partition and a time; -1 is the end, -2 the beginning', () => {
  assert.deepEqual(parseQuery('a:b:3:1000'), { topic: 'a:b', partition: 3, spec: { timestamp: 1000 } })
  assert.deepEqual(parseQuery('a:0:-1').spec, 'latest')
  assert.deepEqual(parseQuery('a:0:-2').spec, 'earliest')
})

test('anything else is wrong usage', () => {
  for (const wrong of ['a', 'a:0', 'a:x:0', 'a:0:-3', ':0:0', 'a:0:now']) {
    assert.throws(() => parseQuery(wrong), UsageError, wrong)
  }
})
