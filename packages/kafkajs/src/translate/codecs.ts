/** The registry of codecs: what a program plugs in there is used; without it `ottla`'s are. */
import { codecByName } from '@ottla/protocol'
import type { RecordCodec } from 'ottla'
import { CompressionTypes } from '../enums.ts'

/** What a codec compresses: a part of kafkajs's encoder. */
interface Encoded {
  readonly buffer: Buffer
  size(): number
}

/** A codec, as packages for kafkajs have it. */
interface Codec {
  compress(encoder: Encoded): Promise<Uint8Array> | Uint8Array
  decompress(buffer: Buffer): Promise<Uint8Array> | Uint8Array
}

/** As of `ottla`'s own; the brokers limit batches to much less. */
const MOST_BYTES = 0x7fff_ffff

function builtIn(name: RecordCodec['name']): () => Codec {
  const codec = codecByName(name)
  return () => ({
    compress: async ({ buffer }) => {
      await codec.ready()
      return Buffer.from(codec.compress(buffer))
    },
    decompress: async buffer => {
      await codec.ready()
      return codec.decompress(buffer, MOST_BYTES)
    },
  })
}

/** Functions that make codecs, by compression type. Assigning one replaces it for clients that connect from then on. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- kafkajs's own type
export const CompressionCodecs: Record<Exclude<CompressionTypes, CompressionTypes.None>, () => any> = {
  [CompressionTypes.GZIP]: builtIn('gzip'),
  [CompressionTypes.Snappy]: builtIn('snappy'),
  [CompressionTypes.LZ4]: builtIn('lz4'),
  [CompressionTypes.ZSTD]: builtIn('zstd'),
}

const builtInCodecs: Readonly<typeof CompressionCodecs> = { ...CompressionCodecs }

const names = [
  [CompressionTypes.GZIP, 'gzip'],
  [CompressionTypes.Snappy, 'snappy'],
  [CompressionTypes.LZ4, 'lz4'],
  [CompressionTypes.ZSTD, 'zstd'],
] as const

/** Those that a program has put in place of ours. */
export function pluggedInCodecs(): RecordCodec[] {
  return names.flatMap(([type, name]) => {
    const make: unknown = CompressionCodecs[type]
    if (make === builtInCodecs[type] || typeof make !== 'function') return []
    const codec = make as () => Codec
    return [
      {
        name,
        compress: records => codec().compress({ buffer: records, size: () => records.length }),
        decompress: records => codec().decompress(records),
      },
    ]
  })
}
