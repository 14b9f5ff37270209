/** How fast something travels from one host to another. */

/**
 * How what one host sends reaches another.
 * @since 0.1.0
 */
export interface Link {
  /** For every chunk, ms. */
  readonly latencyMs: number
  /** At most so much more, by chance, ms. */
  readonly jitterMs: number
  readonly bytesPerMs: number
  /** Larger writes arrive in several chunks; bytes. */
  readonly maxChunkBytes: number
}

export const quickLink: Link = { latencyMs: 0.2, jitterMs: 0.3, bytesPerMs: 100_000, maxChunkBytes: 65_536 }
