import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ProtocolError } from '@ottla/protocol'
import { loadNativeSnappy, snappyCompress, snappyDecompress, snappyJavaScript } from '../../src/compression/snappy.ts'

const implementations = [snappyJavaScript, loadNativeSnappy()].filter(found => found !== null)

const HEADER = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1])

function framed(...blocks: Buffer[]): Buffer {
  const parts: Buffer[] = [HEADER]
  for (const block of blocks) {
    const size = Buffer.alloc(4)
    size.writeInt32BE(block.length)
    parts.push(size, block)
  }
  return Buffer.concat(parts)
}

function literal(text: string): Buffer {
  return Buffer.from([(text.length - 1) << 2, ...Buffer.from(text)])
}

function plain(length: number, ...elements: (Buffer | number[])[]): Buffer {
  assert.ok(length < 128)
  return Buffer.concat([Buffer.from([length]), ...elements.map(element => Buffer.from(element))])
}

function allRead(data: Buffer, expected: string): void {
  for (const using of implementations)
    assert.equal(snappyDecompress(using, data, 1000).toString(), expected, using.name)
}

function allRefuse(data: Buffer, maxBytes = 1000): void {
  for (const using of implementations) {
    assert.throws(() => snappyDecompress(using, data, maxBytes), ProtocolError, using.name)
  }
}

describe('snappy', () => {
  test("is written in Java's framing, in blocks of 32 KiB", () => {
    for (const using of implementations) {
      const framedData = snappyCompress(using, Buffer.alloc(100_000, 'some text '))
      assert.deepEqual(framedData.subarray(0, 16), HEADER)
      let blocks = 0
      for (let at = 16; at < framedData.length; at += 4 + framedData.readInt32BE(at)) blocks++
      assert.equal(blocks, 4)
    }
  })

  test('is read framed, framed and joined, and plain as librdkafka writes it', () => {
    const hello = plain(5, literal('hello'))
    const world = plain(6, literal(' world'))
    allRead(hello, 'hello')
    allRead(framed(hello, world), 'hello world')
    allRead(Buffer.concat([framed(hello), framed(world)]), 'hello world')
    allRead(framed(), '')
    allRead(Buffer.from([0]), '')
  })

  test('is read with every kind of element', () => {
    allRead(plain(9, literal('abcde'), [(0 << 2) | 1, 5]), 'abcdeabcd')
    allRead(plain(8, literal('abcde'), [(2 << 2) | 2, 5, 0]), 'abcdeabc')
    allRead(plain(8, literal('abcde'), [(2 << 2) | 3, 5, 0, 0, 0]), 'abcdeabc')
    allRead(plain(65, literal('a'), [(63 << 2) | 2, 1, 0]), 'a'.repeat(65))
    for (const extra of [
      [60 << 2, 69],
      [61 << 2, 69, 0],
      [62 << 2, 69, 0, 0],
      [63 << 2, 69, 0, 0, 0],
    ]) {
      allRead(plain(70, extra, Buffer.alloc(70, 'x')), 'x'.repeat(70))
    }
  })

  test('with a false length is refused', () => {
    allRefuse(Buffer.alloc(0))
    allRefuse(Buffer.from([0x80]))
    allRefuse(Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0x01]))
    allRefuse(plain(6, literal('hello')))
    allRefuse(plain(4, literal('hello')))
    allRefuse(plain(5, literal('hello').subarray(0, 4)))
    allRefuse(plain(9, literal('abcde'), [(0 << 2) | 1, 0]))
    allRefuse(plain(9, literal('abcde'), [(0 << 2) | 1, 6]))
    for (const tag of [1, 2, 3]) allRefuse(plain(9, literal('abcde'), [tag]))
    // A literal of 2^32 bytes: read as a negative number it would send a decoder back forever.
    allRefuse(plain(5, [63 << 2, 0xff, 0xff, 0xff, 0xff], Buffer.from('hello')))
    allRefuse(plain(5, [63 << 2, 0xff, 0xff]))
  })

  test('with false lengths of blocks is refused', () => {
    const hello = plain(5, literal('hello'))
    const whole = framed(hello, hello)
    for (const length of [17, 19, 20, 25, 28, 30]) allRefuse(whole.subarray(0, length))
    for (const size of [0, -1, 100, 0x7fff_ffff]) {
      const lying = Buffer.from(whole)
      lying.writeInt32BE(size, 16)
      allRefuse(lying)
    }
  })

  test('that claims more than its bytes can contain is refused before anything is allocated', () => {
    allRefuse(Buffer.from([0x80, 0x80, 0x80, 0x40, 0]), 0x7fff_ffff)
  })
})

test('the header is known without a comparison of ranges, which Deno makes with the wrong buffer', () => {
  const proto: { compare: unknown } = Buffer.prototype as Buffer
  const { compare } = proto
  proto.compare = () => 1
  try {
    allRead(framed(plain(5, literal('hello'))), 'hello')
    allRead(Buffer.concat([framed(plain(3, literal('abc'))), framed(plain(3, literal('def')))]), 'abcdef')
  } finally {
    proto.compare = compare
  }
})
