/** The offsets of one partition: stored (to be committed) apart from committed. Pure bookkeeping. */
import { OFFSET_INVALID } from '../types.ts'

/** What a commit of a partition would say. */
export interface StoredOffset {
  readonly offset: number
  readonly leaderEpoch: number
  readonly metadata: string | null
}

/**
 * The next commit of one partition, for the time that it is assigned. Plain fields: stored is written once per
 * message that is handed out.
 */
export class OffsetStore {
  /** Offset of the next message to process, or OFFSET_INVALID while nothing is stored. */
  stored = OFFSET_INVALID
  storedLeaderEpoch = -1
  storedMetadata: string | null = null
  /** What the group has, as far as this client knows; OFFSET_INVALID if nothing. */
  committed = OFFSET_INVALID

  /** Replaces what is stored, lower ones included (the program went back). */
  store(offset: number, leaderEpoch: number, metadata: string | null = null): void {
    this.stored = offset
    this.storedLeaderEpoch = leaderEpoch
    this.storedMetadata = metadata
  }

  /**
   * What an automatic commit, or one without offsets, sends; null if there is nothing new. Never below what is
   * committed: a program that went back keeps its progress unless it commits an offset itself.
   */
  pending(): StoredOffset | null {
    if (this.stored < 0 || this.stored <= this.committed) return null
    return { offset: this.stored, leaderEpoch: this.storedLeaderEpoch, metadata: this.storedMetadata }
  }

  /** The broker took a commit, of whatever origin. */
  commitSucceeded(offset: number): void {
    this.committed = offset
  }
}
