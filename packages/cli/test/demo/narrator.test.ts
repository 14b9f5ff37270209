import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { Narrator } from '../../src/demo/narrator.ts'

test('steps are numbered, and claims that do not hold are collected', () => {
  const out = new PassThrough()
  const narrator = new Narrator(out)
  narrator.step('first')
  narrator.check('holds', true)
  narrator.check('does not', false)
  narrator.step('second')
  assert.deepEqual(narrator.failed, ['does not'])
  assert.equal(String(out.read()), '\n  1  first\n     ✓ holds\n     ✗ does not\n\n  2  second\n')
})
