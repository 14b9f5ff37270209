import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { type CodecName, codecById, codecByName, implementations, ProtocolError } from '@ottla/protocol'
import fc from 'fast-check'
import { loadNativeLz4, lz4Compress, lz4Decompress } from '../../src/compression/lz4.ts'
import { loadNativeSnappy, snappyCompress, snappyDecompress, snappyJavaScript } from '../../src/compression/snappy.ts'
import { decompressByWasm, loadZstdWasm, type ZstdWasm } from '../../src/compression/zstd.ts'
import { samples } from './samples.ts'

interface Implementation {
  name: CodecName
  by: string
  compress(data: Buffer): Buffer
  decompress(data: Buffer, maxBytes: number): Buffer
}

let wasm: ZstdWasm
before(async () => {
  await codecByName('zstd').ready()
  wasm = await loadZstdWasm()
})

const nativeLz4 = loadNativeLz4()
const nativeSnappy = loadNativeSnappy()

const implementationsHere: Implementation[] = [
  ...(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const).map(name => {
    const codec = codecByName(name)
    return {
      name,
      by: 'the codec',
      compress: (data: Buffer) => codec.compress(data),
      decompress: (data: Buffer, maxBytes: number) => codec.decompress(data, maxBytes),
    }
  }),
  {
    name: 'snappy',
    by: 'JavaScript',
    compress: data => snappyCompress(snappyJavaScript, data),
    decompress: (data, maxBytes) => snappyDecompress(snappyJavaScript, data, maxBytes),
  },
  {
    name: 'lz4',
    by: 'JavaScript',
    compress: data => lz4Compress(null, data, 0),
    decompress: (data, maxBytes) => lz4Decompress(null, data, maxBytes),
  },
  {
    name: 'lz4',
    by: 'JavaScript, thoroughly',
    compress: data => lz4Compress(null, data.subarray(0, 200_000), 3),
    decompress: (data, maxBytes) => lz4Decompress(null, data, maxBytes),
  },
  {
    name: 'zstd',
    by: 'WebAssembly',
    compress: data => Buffer.from(wasm.compress(data, 3)),
    decompress: (data, maxBytes) => decompressByWasm(wasm, data, maxBytes),
  },
]

if (nativeSnappy !== null) {
  implementationsHere.push({
    name: 'snappy',
    by: 'the native add-on',
    compress: data => snappyCompress(nativeSnappy, data),
    decompress: (data, maxBytes) => snappyDecompress(nativeSnappy, data, maxBytes),
  })
}
if (nativeLz4 !== null) {
  implementationsHere.push({
    name: 'lz4',
    by: 'the native add-on',
    compress: data => lz4Compress(nativeLz4, data, 0),
    decompress: (data, maxBytes) => lz4Decompress(nativeLz4, data, maxBytes),
  })
}

function plainOf({ by }: Implementation, data: Buffer): Buffer {
  return by.endsWith('thoroughly') ? data.subarray(0, 200_000) : data
}

describe('every implementation of a codec', () => {
  for (const ours of implementationsHere) {
    test(`${ours.name} by ${ours.by} is read by all of that codec, up to the limit and not past it`, () => {
      const readers = implementationsHere.filter(({ name }) => name === ours.name)
      for (const [name, data] of samples()) {
        const plain = plainOf(ours, data)
        const compressed = ours.compress(plain)
        for (const reader of readers) {
          const what = `${name} read by ${reader.by}`
          assert.ok(reader.decompress(compressed, plain.length).equals(plain), what)
          assert.ok(reader.decompress(compressed, 0x7fff_ffff).equals(plain), what)
          if (plain.length > 0) {
            assert.throws(() => reader.decompress(compressed, plain.length - 1), ProtocolError, what)
            assert.throws(() => reader.decompress(compressed, 0), ProtocolError, what)
          }
        }
      }
    })

    test(`${ours.name} by ${ours.by} gives back any bytes`, () => {
      const piece = fc.oneof(
        fc.uint8Array({ maxLength: 40 }),
        fc
          .tuple(fc.uint8Array({ minLength: 1, maxLength: 9 }), fc.nat(200))
          .map(([unit, times]) => repeat(unit, times)),
      )
      fc.assert(
        fc.property(fc.array(piece, { maxLength: 60 }), pieces => {
          const data = Buffer.concat(pieces)
          assert.ok(ours.decompress(ours.compress(data), data.length).equals(data))
        }),
      )
    })

    test(`${ours.name} by ${ours.by} raises nothing but ProtocolError on damaged data`, () => {
      const compressed = ours.compress(Buffer.from('{"a":1,"b":"some text"}'.repeat(300)))
      const attempt = (data: Buffer): void => {
        try {
          assert.ok(ours.decompress(data, 100_000).length <= 100_000)
        } catch (error) {
          assert.ok(error instanceof ProtocolError, String(error))
        }
      }
      for (let length = 0; length < Math.min(compressed.length, 500); length++) attempt(compressed.subarray(0, length))
      const flips = fc.array(fc.tuple(fc.nat(), fc.nat(7)), { minLength: 1, maxLength: 4 })
      fc.assert(
        fc.property(flips, places => {
          const damaged = Buffer.from(compressed)
          for (const [place, bit] of places) {
            const at = place % damaged.length
            damaged[at] = (damaged[at] ?? 0) ^ (1 << bit)
          }
          attempt(damaged)
        }),
        { numRuns: 1000 },
      )
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 100 }), bytes => {
          attempt(Buffer.from(bytes))
          attempt(Buffer.concat([compressed.subarray(0, 20), bytes]))
        }),
        { numRuns: 1000 },
      )
    })
  }

  function repeat(unit: Uint8Array, times: number): Buffer {
    return Buffer.alloc(unit.length * times, unit)
  }
})

describe('a bomb', () => {
  const zeros = Buffer.alloc(8_000_000)

  test('is refused without an allocation of its size', () => {
    for (const implementation of implementationsHere) {
      if (implementation.name === 'none' || implementation.by.endsWith('thoroughly')) continue
      const part = implementation.compress(zeros)
      // All of these formats allow streams to be joined.
      const bomb = implementation.name === 'gzip' ? gzipBomb() : Buffer.concat(new Array<Buffer>(100).fill(part))
      const before = process.memoryUsage().arrayBuffers
      assert.throws(() => implementation.decompress(bomb, 1_000_000), /more than|limit/, implementation.by)
      const claimed = process.memoryUsage().arrayBuffers - before
      assert.ok(claimed < 20_000_000, `${implementation.name} by ${implementation.by} claimed ${claimed} bytes`)
    }
  })

  function gzipBomb(): Buffer {
    return Buffer.concat(new Array<Buffer>(100).fill(gzipSync(zeros)))
  }
})

describe('levels', () => {
  const data = Buffer.from('{"id":1234,"name":"somebody","tags":["a","b"]}'.repeat(2_000))

  test('are all accepted, and those out of range become the nearest', () => {
    for (const name of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
      const codec = codecByName(name)
      for (let level = codec.minLevel; level <= codec.maxLevel; level++) {
        assert.ok(codec.decompress(codec.compress(data, level), data.length).equals(data), `${name} ${level}`)
      }
      assert.deepEqual(codec.compress(data, codec.maxLevel + 1), codec.compress(data, codec.maxLevel))
      assert.deepEqual(codec.compress(data, -1), codec.compress(data))
    }
  })

  test('that are higher make the data smaller', () => {
    const text = samples().get('json') ?? Buffer.alloc(0)
    for (const name of ['gzip', 'lz4', 'zstd'] as const) {
      const codec = codecByName(name)
      assert.ok(codec.compress(text, 9).length < codec.compress(text, 1).length, name)
    }
  })
})

describe('the table of codecs', () => {
  test('finds them by number and by name', () => {
    const names = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
    names.forEach((name, id) => {
      assert.equal(codecByName(name).id, id)
      assert.equal(codecById(id).name, name)
    })
    assert.throws(() => codecById(5), ProtocolError)
  })

  test('names the implementation of each', () => {
    const table = implementations()
    assert.deepEqual(Object.keys(table).sort(), ['crc32c', 'gzip', 'lz4', 'none', 'snappy', 'zstd'])
    assert.equal(table.lz4, nativeLz4 === null ? 'javascript' : 'lz4-napi')
    assert.equal(table.snappy, nativeSnappy === null ? 'javascript' : 'snappy')
  })
})
