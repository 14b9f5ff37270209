import assert from 'node:assert/strict'
import { test } from 'node:test'
import { collect, integer, parseCredentials } from '../../src/terminal/parsers.ts'
import { UsageError } from '../../src/terminal/terminal.ts'

test('a repeatable option collects its values in order', () => {
  const before = ['a']
  assert.deepEqual(collect('b', before), ['a', 'b'])
  assert.deepEqual(before, ['a'])
})

test('a whole number is accepted within its range only', () => {
  const port = integer(0, 65_535)
  assert.equal(port('0'), 0)
  assert.equal(port('65535'), 65_535)
  for (const wrong of ['', ' ', '-1', '65536', '1.5', 'x', '1e99']) {
    assert.throws(() => port(wrong), /whole number from 0 to 65535/, wrong)
  }
  assert.throws(() => integer(1)('0'), /whole number of at least 1/)
})

test('a password may contain colons, a user must not be empty', () => {
  assert.deepEqual(parseCredentials('alice:a:b', '--sasl'), { user: 'alice', password: 'a:b' })
  assert.deepEqual(parseCredentials('alice:', '--sasl'), { user: 'alice', password: '' })
})

test('wrong credentials are not quoted in the error', () => {
  for (const wrong of [':secret', 'secret']) {
    assert.throws(
      () => parseCredentials(wrong, '--sasl'),
      (error: unknown) => error instanceof UsageError && !error.message.includes('secret'),
    )
  }
})
