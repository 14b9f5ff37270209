/** What a leader knows of the partition's followers in one leader epoch, and what follows from it. */
import type { Timer } from '../base/clock.ts'

/** How far a follower is, by its own fetches. */
interface Progress {
  /** Where its log ended at its last fetch; -1 before the first one. */
  endOffset: number
  /** When it last had all of the leader's records, ms since the epoch; -Infinity: never. */
  caughtUpAt: number
  /** Its last fetch, ms since the epoch, and where the leader's log ended then. */
  fetchedAt: number
  leaderEndOffset: number
}

/** The limits that decide who is in sync. */
export interface InSyncRules {
  /** `replica.lag.time.max.ms` */
  readonly maxLagMs: number
  readonly now: number
}

export class Leadership {
  /** Where the log ended when the broker became the leader. */
  readonly epochStart: number
  /** Takes followers that lag out of the ISR. */
  lagTimer: Timer | null = null
  readonly #followers = new Map<number, Progress>()
  #endOffset: number

  /** @param inSync the followers in the ISR, which have as much time to fetch as if they had just caught up */
  constructor(epochStart: number, inSync: readonly number[], now: number) {
    this.epochStart = epochStart
    this.#endOffset = epochStart
    for (const id of inSync) this.#progress(id).caughtUpAt = now
  }

  /** Where a follower's log ended at its last fetch; -1 before the first one. */
  endOffsetOf(id: number): number {
    return this.#followers.get(id)?.endOffset ?? -1
  }

  /** The leader's log has grown. @param isFetching whether a follower would have fetched in the meantime */
  appended(endOffset: number, now: number, isFetching: (id: number) => boolean): void {
    if (endOffset === this.#endOffset) return
    for (const [id, progress] of this.#followers) {
      if (progress.endOffset !== this.#endOffset || !isFetching(id)) continue
      progress.caughtUpAt = now
      progress.fetchedAt = now
      progress.leaderEndOffset = this.#endOffset
    }
    this.#endOffset = endOffset
  }

  /** A follower asks for what comes after `offset`: it has all records before. */
  fetched(id: number, offset: number, leaderEndOffset: number, now: number): void {
    const progress = this.#progress(id)
    if (offset >= leaderEndOffset) progress.caughtUpAt = now
    // It has what the leader had at its fetch before this one.
    else if (offset >= progress.leaderEndOffset) progress.caughtUpAt = Math.max(progress.caughtUpAt, progress.fetchedAt)
    progress.endOffset = offset
    progress.fetchedAt = now
    progress.leaderEndOffset = leaderEndOffset
  }

  /**
   * The high watermark: the least end offset of the ISR, and of replicas that are about to join it.
   * @param mayJoin whether a replica outside of the ISR could become part of it
   */
  watermark(
    endOffset: number,
    isr: readonly number[],
    self: number,
    mayJoin: (id: number) => boolean,
    rules: InSyncRules,
  ): number {
    let watermark = endOffset
    for (const id of isr) if (id !== self) watermark = Math.min(watermark, this.endOffsetOf(id))
    for (const [id, progress] of this.#followers) {
      if (progress.endOffset >= watermark || isr.includes(id)) continue
      if (mayJoin(id) && isCaughtUp(progress, endOffset, rules)) watermark = progress.endOffset
    }
    return watermark
  }

  /** The members of the ISR that have lagged for too long. */
  lagging(endOffset: number, isr: readonly number[], self: number, rules: InSyncRules): number[] {
    return isr.filter(id => id !== self && !isCaughtUp(this.#progress(id), endOffset, rules))
  }

  /** When a member of the ISR that lags now has lagged for too long, ms since the epoch; null if none lags. */
  nextLag(endOffset: number, isr: readonly number[], self: number, maxLagMs: number): number | null {
    let next: number | null = null
    for (const id of isr) {
      const { endOffset: own, caughtUpAt } = this.#progress(id)
      if (id === self || own === endOffset) continue
      next = Math.min(next ?? Infinity, caughtUpAt + maxLagMs + 1)
    }
    return next
  }

  close(): void {
    this.lagTimer?.cancel()
    this.lagTimer = null
  }

  #progress(id: number): Progress {
    let progress = this.#followers.get(id)
    if (progress === undefined) {
      // Never, whatever time the cluster's clock begins with.
      progress = { endOffset: -1, caughtUpAt: -Infinity, fetchedAt: -Infinity, leaderEndOffset: Infinity }
      this.#followers.set(id, progress)
    }
    return progress
  }
}

function isCaughtUp(progress: Progress, leaderEndOffset: number, { maxLagMs, now }: InSyncRules): boolean {
  return progress.endOffset === leaderEndOffset || now - progress.caughtUpAt <= maxLagMs
}
