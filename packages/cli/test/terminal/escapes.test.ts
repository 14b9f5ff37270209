import assert from 'node:assert/strict'
import { test } from 'node:test'
import { unescapeBytes } from '../../src/terminal/escapes.ts'
import { UsageError } from '../../src/terminal/terminal.ts'

test('escapes stand for bytes, all other text for its UTF-8', () => {
  assert.deepEqual(unescapeBytes('\\n\\r\\t\\0\\\\', '-D'), Buffer.from('\n\r\t\0\\'))
  assert.deepEqual(unescapeBytes('a\\x1Fb\\xaü', '-D'), Buffer.from('a\x1fb\nü'))
  assert.deepEqual(unescapeBytes('\\xff', '-D'), Buffer.from([0xff]))
  assert.deepEqual(unescapeBytes('', '-D'), Buffer.alloc(0))
})

test('an escaped backslash does not begin another escape', () => {
  assert.deepEqual(unescapeBytes('\\\\n', '-D'), Buffer.from('\\n'))
})

test('an unknown or unfinished escape is wrong usage and names its option', () => {
  for (const wrong of ['a\\', '\\q', '\\x', '\\xg']) {
    assert.throws(
      () => unescapeBytes(wrong, '-K'),
      (error: unknown) => error instanceof UsageError && error.message.startsWith('-K:'),
      wrong,
    )
  }
})
