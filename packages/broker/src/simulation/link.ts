/** How fast something travels from one host to another. */

/**
 * How what one host sends reaches another.
 * @since 0.1.0
 */
export interface Link {
  /** How long every chunk takes, ms. */
  readonly latencyMs: number
  /** How much longer it may take, by chance, ms. */
  readonly jitterMs: number
  /** How many bytes arrive per ms at most. */
  readonly bytesPerMs: number
  /** Larger writes arrive in several chunks; bytes. */
  readonly maxChunkBytes: number
}

/** The default: hosts in one data center. */
export const quickLink: Link = { latencyMs: 0.2, jitterMs: 0.3, bytesPerMs: 100_000, maxChunkBytes: 65_536 }
