import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode } from '@ottla/protocol'
import { type KafkaError } from '../../../src/errors.ts'
import { chooserFor, type PartitionView } from '../../../src/producer/queue/partitioner.ts'
import { seeded } from '../seeded.ts'

const view = (partitionCount: number, unavailable: readonly number[] = []): PartitionView => ({
  topic: 't',
  partitionCount,
  isAvailable: p => !unavailable.includes(p),
})
const message = { topic: 't' }

test('every partitioner of the table puts keys where librdkafka puts them', () => {
  // librdkafka's test 0048: null, empty, short, long and ordinary keys, on 17 partitions; -1 is "any".
  const long = 'this is another string with more length to it perhaps'
  const keys = [null, '', '23456', long, 'hejsan']
  const expected: Record<string, number[]> = {
    consistent: [0, 0, 0xb1b451d7, 0xb0150df7, 0xd077037e],
    consistent_random: [-1, -1, 0xb1b451d7, 0xb0150df7, 0xd077037e],
    murmur2: [0x106e08d9, 0x106e08d9, 0x058d780f, 0x4f7703da, 0x5ec19395],
    murmur2_random: [-1, 0x106e08d9, 0x058d780f, 0x4f7703da, 0x5ec19395],
    fnv1a: [0x7ee3623b, 0x7ee3623b, 0x27e6f469, 0x155e3e5f, 0x17b1e27a],
    fnv1a_random: [-1, 0x7ee3623b, 0x27e6f469, 0x155e3e5f, 0x17b1e27a],
  }
  for (const [name, hashes] of Object.entries(expected)) {
    for (const [i, key] of keys.entries()) {
      const chooser = chooserFor(name, 0, seeded(i))
      const wanted = hashes[i] ?? -1
      const bytes = key === null ? null : Buffer.from(key)
      for (const form of [key, bytes]) {
        const chosen = chooser.choose(view(17), form, message, 0)
        if (wanted >= 0) assert.equal(chosen, wanted % 17, `${name} ${String(key)}`)
        else assert.ok(chosen >= 0 && chosen < 17)
      }
    }
  }
})

test('a string key lands where its UTF-8 bytes land, however long it is', () => {
  const chooser = chooserFor('murmur2', 0, seeded(1))
  for (const key of ['é', '漢字', 'a'.repeat(60) + 'é', 'x'.repeat(5000), '€'.repeat(2000), '😀']) {
    const bytes = Buffer.from(key)
    assert.equal(
      chooser.choose(view(1009), key, message, 0),
      chooser.choose(view(1009), bytes, message, 0),
      key.slice(0, 9),
    )
  }
})

test('messages without a key go to one partition for the sticky time, then to another', () => {
  const chooser = chooserFor('consistent_random', 10, seeded(7))
  const at = (now: number): number => chooser.choose(view(100), null, message, now)
  const first = at(0)
  for (let now = 0; now < 10; now++) assert.equal(at(now), first)
  const later = new Set([10, 20, 30, 40].map(at))
  assert.ok(later.size > 1)
  assert.equal(chooser.choose(view(100), '', message, 45), at(40), 'an empty key counts as none')
})

test('with a sticky time of 0 every message without a key gets a partition at random', () => {
  const chooser = chooserFor('murmur2_random', 0, seeded(3))
  const chosen = new Set(Array.from({ length: 50 }, () => chooser.choose(view(10), null, message, 0)))
  assert.ok(chosen.size > 5)
})

test('a sticky partition that loses its leader is left', () => {
  const chooser = chooserFor('consistent_random', 1000, seeded(5))
  const first = chooser.choose(view(4), null, message, 0)
  const others = new Set<number>()
  for (let i = 0; i < 20; i++) others.add(chooser.choose(view(4, [first]), null, message, 1))
  assert.ok(!others.has(first) || others.size > 1)
})

test('a partitioner of the application gets the key as bytes and must choose an existing partition', () => {
  const seen: unknown[] = []
  const chooser = chooserFor(
    (topic, key, count, given) => {
      seen.push([topic, key, count, given])
      return Number(key)
    },
    0,
    seeded(1),
  )
  assert.equal(chooser.choose(view(3), '2', message, 0), 2)
  assert.deepEqual(seen, [['t', Buffer.from('2'), 3, message]])
  for (const bad of ['3', '-1', '0.5', 'x']) {
    const isRefused = (error: KafkaError): boolean => error.code === ErrorCode.ERR__UNKNOWN_PARTITION
    assert.throws(() => chooser.choose(view(3), bad, message, 0), isRefused)
  }
  const throwing = chooserFor(
    () => {
      throw new Error('no idea')
    },
    0,
    seeded(1),
  )
  assert.throws(
    () => throwing.choose(view(3), null, message, 0),
    (error: KafkaError) => error.code === ErrorCode.ERR__INVALID_ARG && /no idea/.test(error.message),
  )
})
