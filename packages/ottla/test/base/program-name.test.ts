import assert from 'node:assert/strict'
import { test } from 'node:test'
import { programName } from '../../src/base/program-name.ts'

test('a program is called by its file, or by a folder that says more', () => {
  assert.equal(programName('/app/orders.js'), 'orders')
  assert.equal(programName('/app/orders.worker.mts'), 'orders.worker')
  assert.equal(programName('/srv/billing/dist/src/index.js'), 'billing')
  assert.equal(programName('/usr/bin/ottla'), 'ottla')
  assert.equal(programName('/main.js'), 'node')
  assert.notEqual(programName(), '')
})
