import { test } from 'node:test'
import assert from 'node:assert/strict'
import { dashedUuid, newUuid, randomProducerId, seededRandom, type Random } from '../../src/base/random.ts'

/** Bytes that all have the same value. */
function constant(byte: number): Random {
  return { bytes: count => Buffer.alloc(count, byte) }
}

test('the same seed gives the same bytes, whatever their portions', () => {
  const whole = seededRandom(7).bytes(12)
  const random = seededRandom(7)
  assert.deepEqual(Buffer.concat([random.bytes(5), random.bytes(7)]), whole)
  assert.notDeepEqual(seededRandom(8).bytes(12), whole)
})

test('random producer ids are positive, since negative ones stand for no producer', () => {
  assert.equal(randomProducerId(constant(0xff)), 2n ** 63n - 1n)
  assert.equal(randomProducerId(constant(0)), 1n)
})

test('a UUID has 22 digits in Kafka’s form and four dashes in the usual one', () => {
  assert.equal(newUuid(constant(0)), 'A'.repeat(22))
  assert.equal(dashedUuid(constant(0xab)), 'abababab-abab-abab-abab-abababababab')
})
