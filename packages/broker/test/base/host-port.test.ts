import { test } from 'node:test'
import assert from 'node:assert/strict'
import { hostPort } from '../../src/base/host-port.ts'

test('an IPv6 address is put in brackets, so that its port can be told apart', () => {
  assert.equal(hostPort('::1', 9092), '[::1]:9092')
  assert.equal(hostPort('127.0.0.1', 9092), '127.0.0.1:9092')
  assert.equal(hostPort('localhost', 1), 'localhost:1')
})
