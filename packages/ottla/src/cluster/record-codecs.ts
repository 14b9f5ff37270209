/** Codecs of the application's own for the records of batches, in place of built-in ones. */
import { codecByName, ProtocolError, type CodecName, type CompressionCodec, type RecordBatch } from '@ottla/protocol'
import { messageOf } from '../base/unknown-error.ts'
import { invalidArgument } from '../errors.ts'
import type { Logger } from '../observe/logger.ts'

/**
 * Compresses and decompresses in place of the built-in codec of this name; the format is the one that Kafka defines for
 * the name, which other clients have to understand. Both functions may take their time: nothing else waits for them.
 * Message sets of magic 0 and 1 are left to the built-in codec.
 * @since 0.1.0
 */
export interface RecordCodec {
  readonly name: Exclude<CodecName, 'none'>
  /** If it fails, or saves nothing, the batch is sent uncompressed. `records` must not be kept. */
  compress(records: Buffer): Uint8Array | Promise<Uint8Array>
  /** If it fails, the batch is corrupt: it is reported and fetched again. */
  decompress(records: Buffer): Uint8Array | Promise<Uint8Array>
}

/** Names are those of the codecs; every one but 'none' may be replaced. */
const replaceable: readonly string[] = ['gzip', 'snappy', 'lz4', 'zstd']

/** A client's own codecs. */
export class RecordCodecs {
  readonly #byId = new Map<number, RecordCodec>()
  readonly #logger: Logger

  /** @throws KafkaError ERR__INVALID_ARG for what is no codec */
  constructor(codecs: readonly RecordCodec[], logger: Logger) {
    this.#logger = logger
    const given: unknown = codecs
    if (!Array.isArray(given)) throw invalidArgument('the option codecs takes a list of codecs')
    for (const codec of codecs) {
      const { name } = codec
      if (!replaceable.includes(name)) {
        throw invalidArgument(`the name of a codec must be one of ${replaceable.join(', ')}, not '${name}'`)
      }
      if (typeof codec.compress !== 'function' || typeof codec.decompress !== 'function') {
        throw invalidArgument(`the codec '${name}' must have the functions compress and decompress`)
      }
      this.#byId.set(codecByName(name).id, codec)
    }
  }

  /** The one with this name, for a producer; null where the built-in codec is used. */
  compressing(name: CodecName): OwnCodec | null {
    const builtIn = codecByName(name)
    const codec = this.#byId.get(builtIn.id)
    return codec === undefined ? null : new OwnCodec(builtIn, codec, this.#logger)
  }

  /**
   * The batches, those that have one of these codecs uncompressed.
   * Rejects with whatever the codec throws; ProtocolError for a checksum that does not match, or too many bytes.
   */
  async uncompressed(
    batches: readonly RecordBatch[],
    limits: { readonly checkCrcs: boolean; readonly maxBatchBytes: number },
  ): Promise<RecordBatch[]> {
    const readable: RecordBatch[] = []
    for (const batch of batches) {
      const codec = batch.magic === 2 ? this.#byId.get(batch.codecId) : undefined
      readable.push(codec === undefined ? batch : await uncompress(batch, codec, limits))
    }
    return readable
  }
}

async function uncompress(
  batch: RecordBatch,
  codec: RecordCodec,
  { checkCrcs, maxBatchBytes }: { readonly checkCrcs: boolean; readonly maxBatchBytes: number },
): Promise<RecordBatch> {
  if (checkCrcs) batch.checkCrc()
  const records = bytesOf(codec, await codec.decompress(batch.recordBytes()))
  if (records.length > maxBatchBytes) {
    throw new ProtocolError(`a batch has ${records.length} bytes, the limit is ${maxBatchBytes}`)
  }
  return batch.uncompressed(records)
}

/** An own codec as producers use codecs: it always compresses beside them. */
export class OwnCodec implements CompressionCodec {
  readonly name: CodecName
  readonly id: number
  readonly minLevel: number
  readonly maxLevel: number
  readonly #codec: RecordCodec
  readonly #logger: Logger

  constructor({ name, id, minLevel, maxLevel }: CompressionCodec, codec: RecordCodec, logger: Logger) {
    this.name = name
    this.id = id
    this.minLevel = minLevel
    this.maxLevel = maxLevel
    this.#codec = codec
    this.#logger = logger
  }

  ready(): null {
    return null
  }

  /** What has not been compressed beside is left as it is. */
  compress(data: Uint8Array): Buffer {
    return asBuffer(data)
  }

  async compressBeside(data: Uint8Array): Promise<Buffer> {
    try {
      return asBuffer(bytesOf(this.#codec, await this.#codec.compress(asBuffer(data))))
    } catch (error) {
      const why = messageOf(error)
      this.#logger.error(
        'CODEC',
        `the codec '${this.name}' cannot compress a batch, which is sent uncompressed: ${why}`,
      )
      throw error
    }
  }

  decompress(): Buffer {
    throw new ProtocolError(`the codec '${this.name}' is a producer's`)
  }

  implementation(): string {
    return 'the application'
  }
}

function bytesOf({ name }: RecordCodec, given: unknown): Uint8Array {
  if (given instanceof Uint8Array) return given
  throw new TypeError(`the codec '${name}' has returned no bytes`)
}

function asBuffer(data: Uint8Array): Buffer {
  return Buffer.isBuffer(data) ? data : Buffer.from(data.buffer, data.byteOffset, data.length)
}
