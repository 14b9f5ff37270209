import { test } from 'node:test'
import assert from 'node:assert/strict'
import { ProtocolError } from '@ottla/protocol'
import { seededRandom } from '../../../../tools/golden/random-messages.ts'
import { fromJson, goldenCases, read, toJson, write } from './golden.ts'

function label(name: string, version: number): string {
  return `${name} version ${version}`
}

test("every message and version reads what Kafka's own classes wrote", () => {
  for (const { name, version, json, bytes } of goldenCases) {
    const { value, remaining } = read(name, Buffer.from(bytes, 'hex'), version)
    assert.equal(remaining, 0, label(name, version))
    assert.deepEqual(toJson(name, value, json), json, label(name, version))
  }
})

test("every message and version is written as Kafka's own classes write it", () => {
  for (const { name, version, json, bytes } of goldenCases) {
    assert.equal(write(name, fromJson(name, json), version), bytes, label(name, version))
  }
})

test('what was read is written again byte for byte', () => {
  for (const { name, version, bytes } of goldenCases) {
    const { value } = read(name, Buffer.from(bytes, 'hex'), version)
    assert.equal(write(name, value, version), bytes, label(name, version))
  }
})

test('a tagged field that nobody knows is skipped', () => {
  let count = 0
  for (const { name, version, json, withUnknownTag } of goldenCases) {
    if (withUnknownTag === undefined) continue
    count++
    const { value, remaining } = read(name, Buffer.from(withUnknownTag, 'hex'), version)
    assert.equal(remaining, 0, label(name, version))
    assert.deepEqual(toJson(name, value, json), json, label(name, version))
  }
  assert.ok(count > 500)
})

test('a message that is cut off anywhere raises a ProtocolError', () => {
  for (const { name, version, bytes } of goldenCases) {
    const whole = Buffer.from(bytes, 'hex')
    const step = Math.max(1, Math.floor(whole.length / 40))
    for (let length = 0; length < whole.length; length += step) {
      assert.throws(() => read(name, whole.subarray(0, length), version), ProtocolError, label(name, version))
    }
  }
})

test('bytes that were changed at random give a value or a ProtocolError, never anything else', () => {
  const random = seededRandom(7)
  for (const { name, version, bytes } of goldenCases) {
    for (let i = 0; i < 10; i++) {
      const hostile = Buffer.from(bytes, 'hex')
      if (hostile.length === 0) continue
      for (let flips = 0; flips <= i % 3; flips++) {
        hostile[Math.floor(random() * hostile.length)] = Math.floor(random() * 256)
      }
      try {
        read(name, hostile, version)
      } catch (error) {
        assert.ok(error instanceof ProtocolError, `${label(name, version)}: ${String(error)}`)
      }
    }
  }
})
