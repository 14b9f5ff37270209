import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ring } from '../../src/base/ring.ts'

test('a ring keeps the order while it grows and wraps around', () => {
  const ring = new Ring<number>()
  let next = 0
  let expected = 0
  for (let round = 0; round < 100; round++) {
    for (let i = 0; i < 7; i++) ring.push(next++)
    for (let i = 0; i < 5; i++) assert.equal(ring.shift(), expected++)
  }
  ring.unshift(-1)
  assert.equal(ring.peek(), -1)
  assert.equal(ring.peek(1), expected)
  assert.equal(ring.length, 201)
  ring.clear()
  assert.equal(ring.shift(), undefined)
})
