import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newMemberId } from '../../../src/consumer/group/member-id.ts'

test('a member id is a UUID of version 4 in 22 characters of base64', () => {
  for (const random of [() => 0, () => 0.5, () => 0.999]) {
    const id = newMemberId(random)
    assert.match(id, /^[\w-]{22}$/)
    const hex = Buffer.from(id, 'base64url').toString('hex')
    assert.equal(hex.length, 32)
    assert.equal(hex[12], '4', 'the version')
    assert.match(hex[16] ?? '', /[89ab]/, 'the variant')
  }
})

test('a member id that would look like an option is drawn again', () => {
  // The first byte decides about the first character: 0xf8 makes it a hyphen.
  let calls = 0
  const id = newMemberId(() => (calls++ === 0 ? 0xf8 / 256 : 0))
  assert.equal(calls, 32)
  assert.match(id, /^A/)
})
