import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { codecByName, ProtocolError } from '@ottla/protocol'
import { readZstdFrame } from '../../src/compression/zstd-frame.ts'
import { decompressByWasm, loadZstdWasm, type ZstdWasm } from '../../src/compression/zstd.ts'

const MAGIC = [0x28, 0xb5, 0x2f, 0xfd]
const zstd = codecByName('zstd')
let decompressors: ((data: Buffer, maxBytes: number) => Buffer)[] = []
let wasm: ZstdWasm

before(async () => {
  await zstd.ready()
  wasm = await loadZstdWasm()
  decompressors = [
    (data, maxBytes) => zstd.decompress(data, maxBytes),
    (data, maxBytes) => decompressByWasm(wasm, data, maxBytes),
  ]
})

/** A block: last or not, its type, its size field and content. */
function block(isLast: boolean, type: number, size: number, ...content: number[]): number[] {
  const header = (isLast ? 1 : 0) | (type << 1) | (size << 3)
  return [header & 0xff, (header >>> 8) & 0xff, header >>> 16, ...content]
}

/** Without a content size, with a window of 1 KiB up to 128 KiB. */
function frame(...blocks: number[][]): Buffer {
  return Buffer.from([...MAGIC, 0x00, 0x38, ...blocks.flat()])
}

describe('zstd', () => {
  test('is read with raw and repeated blocks, without a content size', () => {
    for (const decompress of decompressors) {
      const data = frame(block(false, 0, 3, 97, 98, 99), block(true, 1, 5, 120))
      assert.equal(decompress(data, 8).toString(), 'abcxxxxx')
      assert.throws(() => decompress(data, 7), ProtocolError)
    }
  })

  test('is read in joined frames, skippable ones included', () => {
    const skipped = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 1, 2])
    const part = zstd.compress(Buffer.from('some text'))
    for (const decompress of decompressors) {
      assert.equal(decompress(Buffer.concat([part, skipped, part]), 100).toString(), 'some textsome text')
      assert.throws(() => decompress(Buffer.concat([part, part]), 17), ProtocolError)
    }
  })

  test('that claims a content larger than the limit or its blocks is refused', () => {
    const claims = (size: number): Buffer =>
      Buffer.from([
        ...MAGIC,
        0xa0,
        size & 0xff,
        (size >>> 8) & 0xff,
        (size >>> 16) & 0xff,
        size >>> 24,
        ...block(true, 0, 1, 97),
      ])
    assert.equal(zstd.decompress(claims(1), 10).toString(), 'a')
    for (const decompress of decompressors) {
      for (const size of [0, 2, 0x7fff_ffff, 0xffff_fff0]) {
        assert.throws(() => decompress(claims(size), 0x7fff_ffff), ProtocolError)
      }
    }
  })

  test('with a wrong checksum or block is refused', () => {
    for (const decompress of decompressors) {
      assert.throws(() => decompress(frame(block(true, 3, 0)), 100), ProtocolError)
      assert.throws(() => decompress(frame(block(true, 2, 5, 1, 2, 3, 4, 5)), 100), ProtocolError)
      assert.throws(() => decompress(Buffer.from('not zstd at all'), 100), ProtocolError)
      assert.throws(() => decompress(frame(block(false, 0, 1, 97)), 100), ProtocolError)
    }
  })

  test('has in its outline where a frame ends and the largest possible output', () => {
    const data = Buffer.concat([
      Buffer.from('..'),
      frame(block(false, 1, 1000, 1), block(true, 0, 2, 1, 2)),
      Buffer.from('..'),
    ])
    const outline = readZstdFrame(data, 2)
    assert.deepEqual(outline, { end: data.length - 2, isSkippable: false, contentBytes: -1, mostBytes: 1002 })
    const large = readZstdFrame(Buffer.from(wasm.compress(Buffer.alloc(300_000, 'text'), 3)), 0)
    assert.equal(large.contentBytes, 300_000)
    assert.ok(large.mostBytes >= 300_000)
  })
})
