import { test } from 'node:test'
import assert from 'node:assert/strict'
import { FrameReader, ProtocolError } from '@ottla/protocol'

function framed(payload: Buffer): Buffer {
  const size = Buffer.alloc(4)
  size.writeInt32BE(payload.length)
  return Buffer.concat([size, payload])
}

/** Writes the stream into the reader's buffer like a socket: at most `step` bytes at a time. */
function feed(reader: FrameReader, stream: Buffer, step: number, onFrame: (frame: Buffer) => void): void {
  for (let at = 0; at < stream.length;) {
    const count = stream.copy(reader.target(), 0, at, Math.min(stream.length, at + step))
    assert.ok(count > 0, 'there is always room')
    reader.advance(count, onFrame)
    at += count
  }
}

const payloads = [
  Buffer.from('one'),
  Buffer.alloc(0),
  Buffer.alloc(100_000, 'large '),
  Buffer.from('small'),
  Buffer.alloc(20_000, 'middling '),
  Buffer.alloc(1500, 'x'),
]
const stream = Buffer.concat(payloads.map(framed))

test('frames are complete, however the stream was split', () => {
  for (const step of [1, 3, 5, 1000, 16_384, 65_536, stream.length]) {
    const frames: Buffer[] = []
    const reader = new FrameReader(1_000_000)
    feed(reader, stream, step, frame => frames.push(frame))
    // Only now: a frame must not have been overwritten since.
    assert.deepEqual(frames, payloads, `in steps of ${step}`)
  }
})

test('chunks in other memory are accepted as well', () => {
  for (const step of [1, 7, 4096, stream.length]) {
    const frames: Buffer[] = []
    const reader = new FrameReader(1_000_000)
    for (let at = 0; at < stream.length; at += step) {
      reader.push(stream.subarray(at, at + step), frame => frames.push(frame))
    }
    assert.deepEqual(frames, payloads, `in steps of ${step}`)
  }
})

test('the rest of a large frame is read straight into its place', () => {
  const reader = new FrameReader(1_000_000)
  const large = framed(Buffer.alloc(50_000, 7))
  const frames: Buffer[] = []
  const first = large.copy(reader.target(), 0, 0, 10_000)
  reader.advance(first, frame => frames.push(frame))
  const target = reader.target()
  assert.equal(target.length, 50_000 + 4 - 10_000)
  large.copy(target, 0, first)
  reader.advance(target.length, frame => frames.push(frame))
  assert.equal(frames[0]?.buffer, target.buffer)
})

test('a frame over the limit or of negative size is refused before anything is allocated', () => {
  const push = (size: number) => () => {
    const bytes = Buffer.alloc(4)
    bytes.writeInt32BE(size)
    new FrameReader(1000).push(bytes, () => undefined)
  }
  assert.throws(push(1001), ProtocolError)
  assert.throws(push(-1), ProtocolError)
  // "HTTP" read as a size.
  assert.throws(() => new FrameReader(1e8).push(Buffer.from('HTTP/1.1 400'), () => undefined), /1213486160 bytes/)
})
