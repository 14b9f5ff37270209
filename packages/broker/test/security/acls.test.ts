import { test } from 'node:test'
import assert from 'node:assert/strict'
import { Authorizer, type AclBinding } from '../../src/security/acls.ts'

function binding(overrides: Partial<AclBinding> = {}): AclBinding {
  return {
    resourceType: 'topic',
    name: 'orders',
    resourcePatternType: 'literal',
    principal: 'User:alice',
    host: '*',
    permissionType: 'allow',
    operation: 'read',
    ...overrides,
  }
}

function may(bindings: AclBinding[], operation: AclBinding['operation'], name = 'orders', host = '127.0.0.1'): boolean {
  return new Authorizer(bindings, ['admin']).allows('User:alice', host, operation, 'topic', name)
}

test('without ACLs everything is allowed, with an empty list nothing is, except to super users', () => {
  assert.equal(new Authorizer(null, []).allows('User:x', '', 'delete', 'topic', 't'), true)
  assert.equal(may([], 'read'), false)
  assert.equal(new Authorizer([], ['admin']).allows('User:admin', '', 'delete', 'topic', 't'), true)
})

test('read, write, delete and alter imply describe', () => {
  for (const operation of ['read', 'write', 'delete', 'alter'] as const)
    assert.ok(may([binding({ operation })], 'describe'))
  assert.equal(may([binding({ operation: 'create' })], 'describe'), false)
  assert.equal(may([binding({ operation: 'read' })], 'write'), false)
  assert.equal(may([binding({ operation: 'all' })], 'write'), true)
})

test('one denial overrides every permission', () => {
  const denied = [binding({ operation: 'all' }), binding({ permissionType: 'deny', operation: 'write' })]
  assert.equal(may(denied, 'write'), false)
  assert.equal(may(denied, 'read'), true)
})

test('bindings match by pattern, by principal or everyone, and by host', () => {
  assert.equal(may([binding({ name: 'ord', resourcePatternType: 'prefixed' })], 'read'), true)
  assert.equal(may([binding({ name: 'ord' })], 'read'), false)
  assert.equal(may([binding({ name: '*' })], 'read', 'anything'), true)
  assert.equal(may([binding({ principal: 'User:*' })], 'read'), true)
  assert.equal(may([binding({ host: '10.0.0.1' })], 'read'), false)
})

test('filters find and remove bindings', () => {
  const authorizer = new Authorizer([binding(), binding({ name: 'or', resourcePatternType: 'prefixed' })], [])
  const open = { resourceType: null, name: null, principal: null, host: null, operation: null, permissionType: null }
  assert.equal(authorizer.find({ ...open, patternType: 'any' }).length, 2)
  assert.equal(authorizer.find({ ...open, patternType: 'match', name: 'orders' }).length, 2)
  assert.equal(authorizer.find({ ...open, patternType: 'literal', name: 'orders' }).length, 1)
  assert.equal(authorizer.remove({ ...open, patternType: 'prefixed' }).length, 1)
  authorizer.add(binding())
  assert.equal(authorizer.find({ ...open, patternType: 'any' }).length, 1)
})

test('what no ACL names is open to everyone if the authorizer says so', () => {
  const authorizer = new Authorizer([binding({ principal: 'User:bob' })], [], true)
  assert.equal(authorizer.allows('User:alice', 'h', 'write', 'topic', 'unnamed'), true)
  // Once an ACL names a resource, only those that it allows may use it.
  assert.equal(authorizer.allows('User:alice', 'h', 'read', 'topic', 'orders'), false)
  assert.equal(authorizer.allows('User:bob', 'h', 'read', 'topic', 'orders'), true)
  assert.equal(authorizer.allows('User:bob', 'h', 'write', 'topic', 'orders'), false)
  assert.equal(authorizer.allowsOnAny('User:alice', 'h', 'write', 'topic'), true)
  authorizer.add(binding({ name: '*', principal: 'User:bob' }))
  assert.equal(authorizer.allows('User:alice', 'h', 'write', 'topic', 'unnamed'), false)
})

test('an operation is allowed on any resource unless denials leave none', () => {
  const any = (...bindings: AclBinding[]): boolean =>
    new Authorizer(bindings, []).allowsOnAny('User:alice', 'h', 'write', 'topic')
  const write = binding({ operation: 'write' })
  const deny = (overrides: Partial<AclBinding> = {}): AclBinding =>
    binding({ ...overrides, permissionType: 'deny', operation: 'write' })
  assert.equal(any(), false)
  assert.equal(any(write), true)
  assert.equal(any(write, deny()), false)
  assert.equal(any(write, deny({ name: 'ord', resourcePatternType: 'prefixed' })), false)
  assert.equal(any(write, deny({ name: 'other' })), true)
  assert.equal(any(write, deny({ name: '*' })), false)
  assert.equal(any(binding({ operation: 'write', name: '*' }), deny()), true)
})
