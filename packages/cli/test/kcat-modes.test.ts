import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromKcat } from '../src/kcat-modes.ts'

test('kcat’s mode letters become commands', () => {
  assert.deepEqual(fromKcat(['-b', 'x', '-L', '-J']), ['meta', '-b', 'x', '-J'])
  assert.deepEqual(fromKcat(['-Q', '-b', 'x', '-t', 'a:0:1']), ['query', '-b', 'x', '-t', 'a:0:1'])
  assert.deepEqual(fromKcat(['-b', 'x', '-G', 'g', 't']), ['consume', '-b', 'x', '-G', 'g', 't'])
  assert.deepEqual(fromKcat(['produce', '-t', '-P']), ['produce', '-t', '-P'])
  assert.deepEqual(fromKcat(['--help']), ['--help'])
})
