import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemAttributes } from '../src/names.ts'

test('the system has the older name, the newer one by OTEL_SEMCONV_STABILITY_OPT_IN, or both', () => {
  const older = { 'messaging.system': 'kafka' }
  const newer = { 'messaging.system.name': 'kafka' }
  assert.deepEqual(systemAttributes(''), older)
  assert.deepEqual(systemAttributes('http,database'), older)
  assert.deepEqual(systemAttributes('http, messaging'), newer)
  assert.deepEqual(systemAttributes('messaging,messaging/dup'), { ...older, ...newer })
})
