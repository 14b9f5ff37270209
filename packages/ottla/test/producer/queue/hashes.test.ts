import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32, fnv1a, murmur2 } from '../../../src/producer/queue/hashes.ts'

const hash = (f: (bytes: Uint8Array, length: number) => number, text: string): number => {
  const bytes = Buffer.from(text)
  return f(bytes, bytes.length) >>> 0
}

test('murmur2 gives what the Java client gives', () => {
  // From librdkafka's unit test, whose values Java's Utils.murmur2 made.
  const expected: Record<string, number> = {
    kafka: 0xd067cf64,
    giberish123456789: 0x8f552b0c,
    '1234': 0x9fc97b14,
    '234': 0xe7c009ca,
    '34': 0x873930da,
    '4': 0x5a4b5ca1,
    'PreAmbleWillBeRemoved,ThePrePartThatIs': 0x78424f1c,
    'reAmbleWillBeRemoved,ThePrePartThatIs': 0x4a62b377,
    'eAmbleWillBeRemoved,ThePrePartThatIs': 0xe0e4e09e,
    'AmbleWillBeRemoved,ThePrePartThatIs': 0x62b8b43f,
    '': 0x106e08d9,
  }
  for (const [text, value] of Object.entries(expected)) assert.equal(hash(murmur2, text), value, text)
})

test('fnv1a gives what Sarama gives', () => {
  const expected: Record<string, number> = {
    kafka: 0xd33c4e1,
    giberish123456789: 0x77a58295,
    '1234': 0x23bdd03,
    '234': 0x2dea3cd2,
    '34': 0x740fa83e,
    '4': 0x310ca263,
    'PreAmbleWillBeRemoved,ThePrePartThatIs': 0x65cbd69c,
    'reAmbleWillBeRemoved,ThePrePartThatIs': 0x6e49c79a,
    'eAmbleWillBeRemoved,ThePrePartThatIs': 0x69eed356,
    'AmbleWillBeRemoved,ThePrePartThatIs': 0x6abcc023,
    '': 0x7ee3623b,
  }
  for (const [text, value] of Object.entries(expected)) assert.equal(hash(fnv1a, text), value, text)
})

test('only the first bytes are hashed', () => {
  const bytes = Buffer.from('12345')
  for (const f of [murmur2, fnv1a, crc32]) assert.equal(f(bytes, 4) >>> 0, hash(f, '1234'), f.name)
})

test('crc32 gives what librdkafka gives', () => {
  assert.equal(hash(crc32, '123456789'), 0xcbf43926)
  assert.equal(hash(crc32, '23456'), 0xb1b451d7)
  assert.equal(hash(crc32, 'this is another string with more length to it perhaps'), 0xb0150df7)
  assert.equal(hash(crc32, 'hejsan'), 0xd077037e)
  assert.equal(hash(crc32, ''), 0)
})
