/** What the fetcher knows of one partition. */
import { OFFSET_INVALID } from '../../types.ts'

/** Written by the fetcher, and by the cursor where that moves. */
export class Fetching {
  low = OFFSET_INVALID
  high = OFFSET_INVALID
  /** Behind the last message whose transaction has ended; all before it is either committed or aborted. */
  lastStable = OFFSET_INVALID
  /** Behind the last message that may be seen (`isolation.level`). */
  end = OFFSET_INVALID
  /** End that was last told to the program. */
  endTold = OFFSET_INVALID
  /** The last question: its number and offset, and by which broker of which epoch it is to be answered. */
  question = -1
  askedOffset = OFFSET_INVALID
  askedNode = -1
  askedEpoch = -1
  /** The last fetch from its broker went without it. */
  isLeftOut = false
  /** No fetch before this moment (monotonic ms). */
  retryAt = 0
  failures = 0
  /** When a broker last answered for it (monotonic ms); -1 for never. */
  fetchedAt = -1
  /** Grown beyond fetch.message.max.bytes when not even one batch fitted; 0 while not. */
  grownMaxBytes = 0
  /** Broker to read from instead of the leader (KIP-392), -1 for none, until the moment beside it. */
  preferredReplica = -1
  preferredUntil = 0
  /** The replica was of no use: only the leader is read from, and not asked for another one, before this moment. */
  leaderUntil = 0

  /** The end is told again, when it is reached again. */
  forgetEnd(): void {
    this.endTold = OFFSET_INVALID
  }

  /** Reading goes on elsewhere: nothing is waited for. */
  restart(): void {
    this.forgetEnd()
    this.retryAt = 0
    this.failures = 0
  }

  /** Reads from a replica for a while. */
  preferReplica(node: number, until: number): void {
    this.preferredReplica = node
    this.preferredUntil = until
  }

  /** Reads from the leader alone for a while. */
  stayWithLeader(until: number): void {
    this.preferredReplica = -1
    this.leaderUntil = until
  }
}
