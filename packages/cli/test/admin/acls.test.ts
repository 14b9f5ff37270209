import assert from 'node:assert/strict'
import { test } from 'node:test'
import { filtersOf, rulesOf } from '../../src/admin/acls.ts'
import { UsageError } from '../../src/terminal/terminal.ts'

const nothing = {
  topic: [],
  group: [],
  transactionalId: [],
  delegationToken: [],
  user: [],
  principal: [],
  operation: [],
}

test('ACLs are made for every combination, and need all three parts', () => {
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

test('a filter matches anything that is not named', () => {
  assert.deepEqual(filtersOf(nothing), [{}])
  assert.deepEqual(filtersOf({ ...nothing, topic: ['a'], principal: ['User:x', 'User:y'], pattern: 'match' }), [
    { resourcePatternType: 'match', resourceType: 'topic', name: 'a', principal: 'User:x' },
    { resourcePatternType: 'match', resourceType: 'topic', name: 'a', principal: 'User:y' },
  ])
})
