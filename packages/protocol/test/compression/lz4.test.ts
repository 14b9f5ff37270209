import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ProtocolError } from '@ottla/protocol'
import { loadNativeLz4, lz4Compress, lz4Decompress } from '../../src/compression/lz4.ts'
import { xxhash32 } from '../../src/compression/xxhash32.ts'

const natives = [null, loadNativeLz4()].filter((native, index) => index === 0 || native !== null)

interface FrameParts {
  flags?: number
  descriptor?: number
  extra?: Buffer
  hashesMagic?: boolean
  blocks: Buffer[]
  trailer?: Buffer
}

/** A frame from its parts; blocks carry their own size. */
function frame({ flags = 0x60, descriptor = 0x40, extra, hashesMagic = false, blocks, trailer }: FrameParts): Buffer {
  const head = Buffer.concat([Buffer.from([0x04, 0x22, 0x4d, 0x18, flags, descriptor]), extra ?? Buffer.alloc(0)])
  const checksum = (xxhash32(head, hashesMagic ? 0 : 4, head.length) >>> 8) & 0xff
  return Buffer.concat([head, Buffer.from([checksum]), ...blocks, Buffer.alloc(4), trailer ?? Buffer.alloc(0)])
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

function block(bytes: number[], isStored = false): Buffer {
  return Buffer.concat([uint32(bytes.length + (isStored ? 0x8000_0000 : 0)), Buffer.from(bytes)])
}

function text(value: string): number[] {
  return [...Buffer.from(value)]
}

const stored = block(text('hello'), true)
/** Five literals, then nine more bytes of them, then the five literals a block ends with. */
const packed = block([0x55, ...text('hello'), 5, 0, 0x50, ...text('world')])
const packedText = 'hellohellohellworld'

function bothRead(data: Buffer, expected: string, maxBytes = 1_000_000): void {
  for (const native of natives) assert.equal(lz4Decompress(native, data, maxBytes).toString(), expected)
}

function bothRefuse(data: Buffer, message: RegExp, maxBytes = 1_000_000): void {
  for (const native of natives) {
    assert.throws(
      () => lz4Decompress(native, data, maxBytes),
      error => error instanceof ProtocolError && message.test(error.message),
    )
  }
}

describe('an LZ4 frame', () => {
  test("written here starts like Java's", () => {
    for (const native of natives) {
      assert.equal(lz4Compress(native, Buffer.from('x'), 0).toString('hex', 0, 7), '04224d18604082')
    }
  })

  test('may hold plain and packed blocks', () => {
    bothRead(frame({ blocks: [stored, packed, stored] }), `hello${packedText}hello`)
    bothRead(frame({ blocks: [] }), '')
  })

  test('may have blocks that reach into those before', () => {
    const second = block([0x00, 5, 0, 0x50, ...text('world')])
    bothRead(frame({ flags: 0x40, blocks: [stored, second] }), 'hellohellworld')
    // Where the frame says that they do not, it is corrupt.
    bothRefuse(frame({ blocks: [stored, second] }), /corrupt/)
  })

  test('may contain its content size, which must be true', () => {
    const extra = (size: number): Buffer => Buffer.concat([uint32(size), uint32(0)])
    bothRead(frame({ flags: 0x68, extra: extra(19), blocks: [packed] }), packedText)
    bothRefuse(frame({ flags: 0x68, extra: extra(18), blocks: [packed] }), /length/)
  })

  test('may carry checksums of blocks and content; that of the content must be right', () => {
    const hash = uint32(xxhash32(Buffer.from(packedText), 0, packedText.length))
    const summed = Buffer.concat([packed, uint32(0)])
    bothRead(frame({ flags: 0x74, blocks: [summed], trailer: hash }), packedText)
    bothRefuse(frame({ flags: 0x64, blocks: [packed], trailer: uint32(1) }), /checksum/)
    bothRefuse(frame({ flags: 0x64, blocks: [packed] }), /truncated/)
  })

  test('may be followed by another, or by one to skip', () => {
    const skipped = Buffer.concat([uint32(0x184d_2a53), uint32(3), Buffer.from('abc')])
    bothRead(Buffer.concat([frame({ blocks: [stored] }), skipped, frame({ blocks: [packed] })]), `hello${packedText}`)
    bothRefuse(skipped.subarray(0, 10), /truncated/)
  })

  test('with the header checksum of Kafka 0.9 and before is read (KAFKA-3160)', () => {
    bothRead(frame({ hashesMagic: true, blocks: [packed] }), packedText)
    const wrong = frame({ blocks: [packed] })
    wrong[6] = (wrong[6] ?? 0) ^ 1
    bothRefuse(wrong, /header/)
  })

  test('of other versions, with a dictionary or an unknown block size is refused', () => {
    bothRefuse(frame({ flags: 0x20, blocks: [packed] }), /not supported/)
    bothRefuse(frame({ flags: 0x61, extra: uint32(1), blocks: [packed] }), /not supported/)
    bothRefuse(frame({ descriptor: 0x30, blocks: [packed] }), /unknown/)
  })

  test('that is truncated is refused', () => {
    const whole = frame({ blocks: [packed, stored] })
    for (let length = 0; length < whole.length; length++)
      bothRefuse(whole.subarray(0, length), /truncated|does not fit/)
  })

  test('with a block larger than it allows is refused', () => {
    const zeros = new Array<number>(300).fill(255)
    bothRefuse(frame({ blocks: [block([0x1f, 65, 1, 0, ...zeros, 0, 0x50, ...text('world')])] }), /larger|corrupt/)
    bothRefuse(frame({ blocks: [block(new Array<number>(65_537).fill(65), true)] }), /does not fit/)
  })

  test('with a broken block is refused', () => {
    const broken = [
      [0xf0],
      [0xf0, 255],
      [0x50, ...text('hell')],
      [0x11, 65, 0, 0, 0x50, ...text('world')],
      [0x11, 65, 2, 0, 0x50, ...text('world')],
      [0x11, 65, 1],
      [0x1f, 65, 1, 0, 255],
      [0x11, 65, 1, 0],
    ]
    for (const bytes of broken) bothRefuse(frame({ blocks: [block(bytes)] }), /corrupt/)
  })
})
