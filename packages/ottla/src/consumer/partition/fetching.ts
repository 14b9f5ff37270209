/** What the fetcher knows about one partition. */
import { OFFSET_INVALID } from '../../types.ts'

/** Written by the fetcher, and by the cursor when it moves. */
export class Fetching {
  low = OFFSET_INVALID
  high = OFFSET_INVALID
  /** The last stable offset: every transaction before it has ended. */
  lastStable = OFFSET_INVALID
  /** The end for this consumer: the high watermark or the last stable offset (`isolation.level`). */
  end = OFFSET_INVALID
  /** The end that was last reported to the application. */
  reportedEnd = OFFSET_INVALID
  /** The last request: its question number and offset, the broker asked, and the leader epoch. */
  question = -1
  askedOffset = OFFSET_INVALID
  askedNode = -1
  askedEpoch = -1
  /** The last fetch from its broker left it out. */
  isLeftOut = false
  /** No fetch before this moment (monotonic ms). */
  retryAt = 0
  failures = 0
  /** When a broker last answered for it (monotonic ms); -1 for never. */
  fetchedAt = -1
  /** The limit instead of fetch.message.max.bytes when a batch is larger than that; 0 otherwise. */
  grownMaxBytes = 0
  /** The broker to read from instead of the leader (KIP-392) until `preferredUntil`; -1 for none. */
  preferredReplica = -1
  preferredUntil = 0
  /** A replica was of no use: reads only from the leader, and asks for no other replica, before this moment. */
  leaderUntil = 0

  /** Reports the end again when it is reached again. */
  forgetEnd(): void {
    this.reportedEnd = OFFSET_INVALID
  }

  /** The position has moved: ends a backoff. */
  restart(): void {
    this.forgetEnd()
    this.retryAt = 0
    this.failures = 0
  }

  /** Reads from a replica until this moment. */
  preferReplica(node: number, until: number): void {
    this.preferredReplica = node
    this.preferredUntil = until
  }

  /** Reads only from the leader until this moment. */
  stayWithLeader(until: number): void {
    this.preferredReplica = -1
    this.leaderUntil = until
  }
}
