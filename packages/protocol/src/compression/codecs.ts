/** The table of the codecs for record batches. */

import { crc32cImplementation } from '../wire/crc32c.ts'
import { ProtocolError } from '../wire/protocol-error.ts'
import type { CodecName, CompressionCodec } from './codec.ts'
import { gzip } from './gzip.ts'
import { lz4 } from './lz4.ts'
import { none } from './none.ts'
import { snappy } from './snappy.ts'
import { zstd } from './zstd.ts'

/** By id. */
const codecs: readonly CompressionCodec[] = [none, gzip, snappy, lz4, zstd]

/**
 * The codec with this id, as in a batch's attributes.
 *
 * @throws ProtocolError if there is none
 * @since 0.1.0
 */
export function codecById(id: number): CompressionCodec {
  const codec = codecs[id]
  if (codec === undefined) throw new ProtocolError(`compression codec ${id} is unknown`)
  return codec
}

/**
 * The codec of this name.
 *
 * @since 0.1.0
 */
export function codecByName(name: CodecName): CompressionCodec {
  const codec = codecs.find(candidate => candidate.name === name)
  if (codec === undefined) throw new ProtocolError(`compression codec ${name} is unknown`)
  return codec
}

/**
 * The implementations of the codecs and of the checksum, for logs.
 *
 * @since 0.1.0
 */
export function implementations(): Record<CodecName | 'crc32c', string> {
  const table: Partial<Record<CodecName | 'crc32c', string>> = { crc32c: crc32cImplementation() }
  for (const codec of codecs) table[codec.name] = codec.implementation()
  return table as Record<CodecName | 'crc32c', string> // every codec is in the table above
}
