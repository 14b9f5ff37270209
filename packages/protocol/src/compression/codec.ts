/** The interface of codecs; their table is in `codecs.ts`. */

/**
 * Names of the codecs, as in `compression.codec`.
 *
 * @since 0.1.0
 */
export type CodecName = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

/**
 * A codec for the records of a batch.
 *
 * @since 0.1.0
 */
export interface CompressionCodec {
  readonly name: CodecName
  /** The number in a batch's attributes. */
  readonly id: number
  /** Range of `compression.level`; -1, the codec's own default, is always allowed. */
  readonly minLevel: number
  readonly maxLevel: number
  /**
   * Loads what the codec needs. Null if it can be used at once.
   *
   * @returns a promise that rejects with an Error that names what is missing
   */
  ready(): Promise<void> | null
  /**
   * Compresses all of `data`. The next call may overwrite the result.
   *
   * @param level - clamped to the codec's range; -1, the default, is the codec's own default
   * @throws Error if the codec is not ready
   */
  compress(data: Uint8Array, level?: number): Buffer
  /**
   * The same on another thread, of which Node has few; the result belongs to the caller. Undefined for codecs so fast
   * that the hand-over does not pay.
   *
   * @param data - must not change until the promise settles
   */
  readonly compressBeside?: ((data: Uint8Array, level?: number) => Promise<Buffer>) | undefined
  /**
   * Decompresses all of `data`. Allocates memory for the actual output, never for a size that the data claims.
   *
   * @param maxBytes - a larger output is refused
   * @throws ProtocolError if the data is corrupt or its output larger than `maxBytes`
   */
  decompress(data: Uint8Array, maxBytes: number): Buffer
  /** The implementation, for logs: a package's name, `node:zlib` or `javascript`. */
  implementation(): string
}
