import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ProtocolError } from '@ottla/protocol'
import { readZstdFrame } from '../../src/compression/zstd-frame.ts'

const MAGIC = [0x28, 0xb5, 0x2f, 0xfd]
const WINDOW = 0x38
// Last blocks: two raw bytes, and a byte that is repeated 1000 times.
const RAW = [0x11, 0, 0, 1, 2]
const REPEATED = [((1000 << 3) | 3) & 0xff, (1000 << 3) >>> 8, 0, 120]

const frame = (...bytes: number[]): Buffer => Buffer.from([...MAGIC, ...bytes])

test('the size of the content has one, two, four or eight bytes, after the dictionary id', () => {
  const sizes: [number[], number][] = [
    [[0x20, 200], 200],
    [[0x40, WINDOW, 0, 0], 256],
    [[0x80, WINDOW, 1, 0, 0, 0x80], 0x8000_0001],
    [[0xc0, WINDOW, 0, 0, 0, 0, 1, 0, 0, 0], 2 ** 32],
    [[0x00, WINDOW], -1],
    [[0x23, 7, 7, 7, 7, 200], 200],
  ]
  for (const [header, contentBytes] of sizes) {
    const data = frame(...header, ...RAW)
    assert.deepEqual(readZstdFrame(data, 0), { end: data.length, isSkippable: false, contentBytes, mostBytes: 2 })
  }
})

test('a repeated byte takes one byte of the frame, and the checksum follows the last block', () => {
  const data = frame(0x04, WINDOW, ...REPEATED, 9, 9, 9, 9, 55)
  assert.deepEqual(readZstdFrame(data, 0), {
    end: data.length - 1,
    isSkippable: false,
    contentBytes: -1,
    mostBytes: 1000,
  })
})

test('a frame that is cut anywhere is refused', () => {
  const skippable = Buffer.from([0x5f, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 1, 2])
  assert.equal(readZstdFrame(skippable, 0).end, skippable.length)
  for (const data of [skippable, frame(0x24, 2, ...RAW, 9, 9, 9, 9)]) {
    for (let length = 0; length < data.length; length++) {
      assert.throws(() => readZstdFrame(data.subarray(0, length), 0), ProtocolError, String(length))
    }
  }
})

test('blocks of the reserved type, or larger than the format allows, are refused', () => {
  assert.throws(() => readZstdFrame(frame(0, WINDOW, 0x07, 0, 0), 0), /impossible block/)
  const tooLarge = ((128 * 1024 + 1) << 3) | 3
  const header = [tooLarge & 0xff, (tooLarge >>> 8) & 0xff, tooLarge >>> 16]
  assert.throws(() => readZstdFrame(frame(0, WINDOW, ...header, 0), 0), /impossible block/)
})
