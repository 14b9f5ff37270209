import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseUsers } from '../../src/broker/broker.ts'
import { UsageError } from '../../src/terminal/terminal.ts'

test('users come from USER:PASSWORD, the last of a name counts', () => {
  assert.deepEqual(parseUsers(['alice:a', 'bob:b:c', 'alice:d']), { alice: 'd', bob: 'b:c' })
  assert.throws(() => parseUsers(['alice']), UsageError)
})
