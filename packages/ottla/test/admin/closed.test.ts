import { test } from 'node:test'
import assert from 'node:assert/strict'
import { AdminClient } from '../../src/admin/admin.ts'
import { ErrorCode } from '../../src/errors.ts'

test('repeated calls of a closed admin client delay no timer', async () => {
  const admin = new AdminClient({ 'bootstrap.servers': '127.0.0.1:1' }, { logger: () => undefined })
  await admin.close()
  let isOver = false as boolean
  setTimeout(() => (isOver = true), 5)
  for (let i = 0; i < 100_000 && !isOver; i++) {
    await assert.rejects(admin.describeCluster(), { code: ErrorCode.ERR__STATE })
  }
  assert.ok(isOver)
})
