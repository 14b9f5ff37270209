/** The offsets of one partition: what may be stored (to be committed), what is, and what is committed. Pure bookkeeping. */
import { OFFSET_INVALID } from '../../types.ts'

/** What a commit of a partition would say. */
export interface StoredOffset {
  readonly offset: number
  readonly leaderEpoch: number
  readonly metadata: string | null
}

/**
 * The next commit of one partition, for the time that it is assigned. The one owner of these rules:
 * - An era lasts from one move of the position (seek, reset, truncation) to the next. What was handed out in an earlier
 *   one stores nothing.
 * - Offsets that hold nothing for the program (markers, aborted or compacted messages) count as done when all before them
 *   is.
 * - Where the client stores offsets, a move stores where it leads: at once when that is back, and when nothing handed out
 *   before is at work any more when that is forward. Where the program stores them, a move back only takes back what is not committed yet.
 * - Nothing is committed below what is committed, but after a move.
 *
 * Plain fields: stored is written once per message that is handed out.
 */
export class OffsetStore {
  /** Offset of the next message to process, or OFFSET_INVALID while nothing is stored. */
  stored = OFFSET_INVALID
  storedLeaderEpoch = -1
  storedMetadata: string | null = null
  /** What the group has, as far as this client knows; OFFSET_INVALID if nothing. */
  committed = OFFSET_INVALID
  committedMetadata: string | null = null
  /** Grows with every move. */
  era = 0
  /** Works on messages side by side; null for a reader that takes one at a time. */
  worker: { readonly pending: number } | null = null
  /** What was handed out last is not done, of a reader that takes one at a time; a move by the program settles it. */
  inHand = false
  /** Of what is stored, some was handed out and is not committed. */
  holdsWork = false
  /** The partition has been given up, and may be another's. */
  isReleased = false
  /** The client stores offsets: `enable.auto.offset.store`, or a transaction is to commit them. */
  isAutomatic: boolean

  #storedEra = 0
  /** All that was handed out in this era before this offset is done. */
  #done = OFFSET_INVALID
  #doneLeaderEpoch = -1
  /** What is done takes the place of what is stored as soon as nothing is at work. */
  #isOwed = false
  /** The last move's place is not known yet. */
  #isMoving = false
  /** The last move was not the program's, and all before it was stored. */
  #wasAllStored = false
  /** Moved since the last commit: the next one may go back. */
  #mayGoBack = false
  /** The last stretch without anything to hand out. */
  #gapFrom = OFFSET_INVALID
  #gapEnd = OFFSET_INVALID
  #gapLeaderEpoch = -1
  #underWay = 0

  constructor(isAutomatic = true) {
    this.isAutomatic = isAutomatic
  }

  /**
   * Replaces what is stored, lower ones included.
   * @param era when the message before was handed out
   * @returns false for an era that is over: nothing is stored
   */
  store(offset: number, leaderEpoch: number, era = this.era, metadata: string | null = null): boolean {
    if (era !== this.era) return false
    if (offset === this.#gapFrom) {
      offset = this.#gapEnd
      leaderEpoch = this.#gapLeaderEpoch
    }
    this.stored = this.#done = offset
    this.storedLeaderEpoch = this.#doneLeaderEpoch = leaderEpoch
    this.storedMetadata = metadata
    this.#storedEra = era
    this.#isOwed = false
    this.#isMoving = false
    this.holdsWork = true
    return true
  }

  /** The group's own offset is where reading begins. */
  resumed(offset: number, metadata: string | null): void {
    this.committed = offset
    this.committedMetadata = metadata
  }

  /** The position moves; `begins` tells where to. @param position where it was, unless the program moves it */
  moved(position = OFFSET_INVALID): void {
    this.#settle()
    if (position < 0) this.inHand = false
    this.#wasAllStored = position >= 0 && (this.stored === position || (this.stored < 0 && this.committed === position))
    this.era++
    this.#done = OFFSET_INVALID
    this.#isOwed = false
    this.#isMoving = true
    this.#mayGoBack = true
    this.#gapFrom = this.#gapEnd = OFFSET_INVALID
  }

  /** This is the next offset to hand out, after a move or for the first time. */
  begins(offset: number, leaderEpoch: number): void {
    // Reading that begins again where it is has not moved.
    if (!this.#isMoving && this.#done >= 0) return
    this.#done = offset
    this.#doneLeaderEpoch = leaderEpoch
    if (!this.#isMoving) return
    this.#isMoving = false
    if (this.isAutomatic || this.#wasAllStored) {
      this.#isOwed = true
      this.#settle()
    } else if (this.stored > offset && this.#storedEra !== this.era) {
      if (offset > this.committed) this.#storeDone()
      else this.stored = OFFSET_INVALID
    }
  }

  /** Reading has gone on from one offset to another without anything to hand out. */
  passed(from: number, to: number, leaderEpoch: number): void {
    if (this.#gapEnd !== from) this.#gapFrom = from
    this.#gapEnd = to
    if (leaderEpoch >= 0) this.#gapLeaderEpoch = leaderEpoch
    else if (this.#gapFrom === from) this.#gapLeaderEpoch = -1
    if (this.#done === from) {
      if (this.isAutomatic || this.stored === from || (this.stored < 0 && this.committed === from)) this.#isOwed = true
      this.#done = to
      this.#doneLeaderEpoch = this.#gapLeaderEpoch
    } else {
      this.#passCommitted()
    }
  }

  /**
   * What an automatic commit, or one without offsets, sends; null if there is nothing new. Below what is committed only
   * after a move: else a program that has committed an offset itself keeps that.
   */
  pending(): StoredOffset | null {
    this.#settle()
    const { stored, committed } = this
    if (stored < 0 || this.#isMoving) return null
    // What is under way may be of before the move.
    if (stored === committed && !(this.#mayGoBack && this.#underWay > 0)) return null
    if (stored < committed && !this.#mayGoBack) return null
    return { offset: stored, leaderEpoch: this.storedLeaderEpoch, metadata: this.storedMetadata }
  }

  get isBeingCommitted(): boolean {
    return this.#underWay > 0
  }

  /** A commit is on its way; its end is told with the era of now. */
  commitBegins(): number {
    this.#underWay++
    return this.era
  }

  /** @param committed what the broker took, of whatever origin; null when it did not */
  commitEnded(era: number, committed: { readonly offset: number; readonly metadata?: string | null } | null): void {
    this.#underWay--
    if (committed === null) return
    this.committed = committed.offset
    this.committedMetadata = committed.metadata ?? null
    if (era !== this.era) return
    this.#mayGoBack = false
    if (this.stored <= committed.offset) this.holdsWork = false
    this.#passCommitted()
  }

  /** A partition that was assigned anew by the program at another offset: that is a move. */
  follows(before: OffsetStore): void {
    this.committed = before.committed
    this.committedMetadata = before.committedMetadata
    if (before.stored >= 0 || before.committed >= 0) this.moved()
  }

  // What the group has already ends where nothing follows but what nobody is given.
  #passCommitted(): void {
    const { committed } = this
    if (committed !== this.#gapFrom || committed < 0 || this.stored > committed) return
    this.stored = this.#gapEnd
    this.storedLeaderEpoch = this.#gapLeaderEpoch
    this.storedMetadata = this.committedMetadata
    this.#storedEra = this.era
  }

  #settle(): void {
    if (!this.#isOwed) return
    const isAtWork = this.inHand || (this.worker !== null && this.worker.pending > 0)
    if (isAtWork && this.#done > Math.max(this.stored, this.committed)) return
    this.#isOwed = false
    this.#storeDone()
  }

  #storeDone(): void {
    const isGap = this.#done === this.#gapEnd
    if (!isGap) {
      this.storedMetadata = null
      this.holdsWork = false
    }
    if (isGap && this.stored < 0) this.storedMetadata = this.committedMetadata
    this.stored = this.#done
    this.storedLeaderEpoch = this.#doneLeaderEpoch
    this.#storedEra = this.era
  }
}
