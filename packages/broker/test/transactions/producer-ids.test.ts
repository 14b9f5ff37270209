import { test } from 'node:test'
import assert from 'node:assert/strict'
import { seededRandom } from '../../src/base/random.ts'
import { ProducerIdSource, type ProducerIds } from '../../src/transactions/producer-ids.ts'

function sourceOf(kind: ProducerIds, given: bigint[] = []): ProducerIdSource {
  return new ProducerIdSource(kind, seededRandom(1), { producerIdGiven: id => void given.push(id) })
}

test('sequential ids go on after a restart, and are made durable before they are given out', () => {
  const given: bigint[] = []
  const source = sourceOf('sequential', given)
  assert.deepEqual([source.next(), source.next()], [1000n, 1001n])
  source.restore(5000n)
  assert.equal(source.next(), 5000n)
  assert.deepEqual(given, [1000n, 1001n, 5000n])
})

test('random ids differ, and are not made durable', () => {
  const given: bigint[] = []
  const source = sourceOf('random', given)
  const ids = [source.next(), source.next(), source.next()]
  assert.equal(new Set(ids).size, 3)
  assert.ok(ids.every(id => id > 0n))
  assert.deepEqual(given, [])
})

test('the ids of a function are brought into the range of an int64', () => {
  assert.equal(sourceOf(() => 7n).next(), 7n)
  assert.equal(sourceOf(() => 2n ** 63n).next(), -(2n ** 63n))
})
