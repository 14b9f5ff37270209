import { test } from 'node:test'
import assert from 'node:assert/strict'
import { documentationOf } from '../../src/configs/documentation.ts'

test('a setting without a text of its own is described by its name and unit', () => {
  assert.equal(documentationOf(2, 'segment.ms'), 'A time in milliseconds: segment.ms of a topic, as in Kafka.')
  assert.equal(documentationOf(99, 'odd'), 'A value: odd of this resource, as in Kafka.')
  assert.match(documentationOf(2, 'retention.ms'), /-1 for no limit/)
})
