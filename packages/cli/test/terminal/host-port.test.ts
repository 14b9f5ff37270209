import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hostPort } from '../../src/terminal/host-port.ts'

test('an IPv6 address is in brackets, so that -b accepts it', () => {
  assert.equal(hostPort('localhost', 9092), 'localhost:9092')
  assert.equal(hostPort('::1', 9092), '[::1]:9092')
})
