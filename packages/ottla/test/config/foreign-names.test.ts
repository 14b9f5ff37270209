import assert from 'node:assert/strict'
import { test } from 'node:test'
import { foreignHint } from '../../src/config/foreign-names.ts'
import { lookUp } from '../../src/config/names.ts'
import { aliases, properties } from '../../src/config/table.ts'

const foreign = ['brokers', 'clientId', 'kafkaHost', 'fromBeginning', 'ssl', 'sasl', 'buffer.memory', 'maxWaitTimeInMs']

test('the properties that a hint names exist', () => {
  for (const name of foreign) {
    const hint = foreignHint(name)
    assert.ok(hint !== null, name)
    for (const [, property = ''] of hint.matchAll(/'([a-z.]+\.[a-z.]+)'/g))
      assert.ok(lookUp(property) !== null, property)
  }
})

test('no hint is for a property of this library, nor for what every object has', () => {
  for (const name of [...Object.keys(properties), ...Object.keys(aliases), 'constructor', 'toString']) {
    assert.equal(foreignHint(name), null, name)
  }
})
