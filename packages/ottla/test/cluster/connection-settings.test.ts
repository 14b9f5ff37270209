import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AdminClient } from '../../src/admin/admin.ts'
import { ErrorCode } from '../../src/errors.ts'

test('a network that is passed in has no TLS: a client that needs it is refused, not connected past it', () => {
  const network = {
    connect: () => assert.fail('it must not connect'),
    lookup: () => assert.fail('it must not look up names'),
  }
  const config = { 'bootstrap.servers': 'localhost:9093', 'security.protocol': 'ssl' } as const
  assert.throws(() => new AdminClient(config, { network }), {
    code: ErrorCode.ERR__INVALID_ARG,
    message: 'the option network cannot be combined with security.protocol=ssl: it has no TLS',
  })
})
