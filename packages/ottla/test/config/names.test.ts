import assert from 'node:assert/strict'
import { test } from 'node:test'
import { closest, isProperty, lookUp } from '../../src/config/names.ts'

test('a misspelt name means the closest one, upper and lower case alike', () => {
  const candidates = ['linger.ms', 'retries', 'acks']
  assert.equal(closest('Linger.MS', candidates), 'linger.ms')
  assert.equal(closest('linger.mss', candidates), 'linger.ms')
  assert.equal(closest('retrys', candidates), 'retries')
})

test('a name that is close to none means none', () => {
  assert.equal(closest('group.id', ['linger.ms', 'retries', 'acks']), null)
  assert.equal(closest('x', []), null)
  assert.equal(closest('abcd', ['axyz']), null, 'three of four letters differ')
})

test('names that every object has are not properties', () => {
  for (const name of ['constructor', 'toString', '__proto__', '']) assert.equal(isProperty(name), false, name)
})

test('an alias leads to its property', () => {
  assert.equal(lookUp('bootstrap.servers'), 'metadata.broker.list')
  assert.equal(lookUp('metadata.broker.list'), 'metadata.broker.list')
})
