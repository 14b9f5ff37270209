import assert from 'node:assert/strict'
import { test } from 'node:test'
import { entityOf } from '../../src/admin/quotas.ts'
import { UsageError } from '../../src/terminal/terminal.ts'

test('a quota is for a name or for the default, not both', () => {
  assert.deepEqual(entityOf({ user: 'x', defaultClient: true }), { user: 'x', 'client-id': null })
  assert.throws(() => entityOf({ ip: '1.2.3.4', defaultIp: true }), UsageError)
})
