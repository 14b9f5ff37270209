/** What a codec is; the table of them is in `codecs.ts`. */

/**
 * Names of the codecs, as `compression.codec` has them.
 *
 * @since 0.1.0
 */
export type CodecName = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

/**
 * One way to compress the records of a batch.
 *
 * @since 0.1.0
 */
export interface CompressionCodec {
  readonly name: CodecName
  /** The number in a batch's attributes. */
  readonly id: number
  /** Range of `compression.level`; -1, which leaves it to the codec, is always allowed. */
  readonly minLevel: number
  readonly maxLevel: number
  /**
   * Loads what the codec needs. Null when it can be used now.
   *
   * @returns a promise that rejects with an Error saying what is missing
   */
  ready(): Promise<void> | null
  /**
   * Compresses all of `data`. What is returned may be overwritten by the next call.
   *
   * @param level - brought into the codec's range; -1, the default, is the codec's own choice
   * @throws Error when the codec is not ready
   */
  compress(data: Uint8Array, level?: number): Buffer
  /**
   * The same on a thread beside this one, of which Node has few; what is returned is the caller's. Only where the work
   * is worth the way: a codec that is done sooner than it could be handed over has none.
   *
   * @param data - not to be changed until the promise is settled
   */
  readonly compressBeside?: ((data: Uint8Array, level?: number) => Promise<Buffer>) | undefined
  /**
   * Decompresses all of `data`. Memory is claimed for what comes out, never for what the data claims.
   *
   * @param maxBytes - more than this is refused
   * @throws ProtocolError when the data is corrupt or would grow past `maxBytes`
   */
  decompress(data: Uint8Array, maxBytes: number): Buffer
  /** What does the work, for logs: a package's name, `node:zlib` or `javascript`. */
  implementation(): string
}
