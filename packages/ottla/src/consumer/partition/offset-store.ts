/** The stored and the committed offset of one partition. Pure bookkeeping. */
import { OFFSET_INVALID } from '../../types.ts'
import { Gaps } from './gaps.ts'

/** What a commit of the partition would send. */
export interface StoredOffset {
  readonly offset: number
  readonly leaderEpoch: number
  readonly metadata: string | null
}

/**
 * Decides what the next commit of one partition sends, for as long as it is assigned. The one owner of these rules:
 * - An era lasts from one move of the position (seek, reset, truncation) to the next. Messages delivered in an earlier
 *   era store nothing.
 * - Offsets without a message for the application (markers, aborted or compacted messages) are done when everything
 *   before them is.
 * - If the client stores offsets, a move stores its destination: a move back at once, a move forward when no earlier
 *   message is in progress any more. If the application stores them, a move back only drops a stored offset that is
 *   not committed yet.
 * - Only after a move a commit may go back below the committed offset.
 *
 * Plain fields: `stored` is written once per delivered message.
 */
export class OffsetStore {
  /** The offset of the next message to process; OFFSET_INVALID while nothing is stored. */
  stored = OFFSET_INVALID
  storedLeaderEpoch = -1
  storedMetadata: string | null = null
  /** What the group has, as far as this client knows; OFFSET_INVALID for nothing. */
  committed = OFFSET_INVALID
  committedMetadata: string | null = null
  /** Grows with every move. */
  era = 0
  /** A run, which processes many messages at once; null for a reader that takes one at a time. */
  worker: { readonly running: number } | null = null
  /**
   * For a reader that takes one message at a time: the last one is in progress. A move by the application ends that.
   */
  isInProgress = false
  /** The stored offset covers delivered messages that are not committed. */
  coversMessages = false
  /** The partition has been given up, and may belong to another member. */
  isReleased = false
  /** The client stores offsets: `enable.auto.offset.store`, or for a transaction that commits them. */
  isAutomatic: boolean

  #storedEra = 0
  /** Everything delivered in this era before this offset is done. */
  #done = OFFSET_INVALID
  #doneLeaderEpoch = -1
  /** `#done` is to be stored as soon as nothing is in progress. */
  #isStoreDue = false
  /** The destination of the last move is not known yet. */
  #isMoving = false
  /** The last move was not by the application, and everything before it was stored. */
  #wasAllStored = false
  /** Moved since the last commit: the next one may go back. */
  #mayGoBack = false
  /** The last gap: offsets without a message to deliver. */
  #gapFrom = OFFSET_INVALID
  #gapEnd = OFFSET_INVALID
  #gapLeaderEpoch = -1
  #commitsInFlight = 0
  /** Where reading began, or began again after the last move; for the lag while nothing is committed. */
  start = OFFSET_INVALID
  /** What reading has passed without a message. */
  readonly gaps = new Gaps()

  constructor(isAutomatic = true) {
    this.isAutomatic = isAutomatic
  }

  /**
   * Replaces the stored offset, even by a lower one.
   * @param era the era in which the message before the offset was delivered
   * @returns false for an earlier era: nothing is stored
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
    this.#isStoreDue = false
    this.#isMoving = false
    this.coversMessages = true
    return true
  }

  /** Reading begins at the committed offset. */
  resumed(offset: number, metadata: string | null): void {
    this.committed = offset
    this.committedMetadata = metadata
  }

  /** The position moves; `begins` follows. @param position the old one, unless the application moves it */
  moved(position = OFFSET_INVALID): void {
    this.#settle()
    if (position < 0) this.isInProgress = false
    this.#wasAllStored = position >= 0 && (this.stored === position || (this.stored < 0 && this.committed === position))
    this.era++
    this.#done = OFFSET_INVALID
    this.#isStoreDue = false
    this.#isMoving = true
    this.#mayGoBack = true
    this.#gapFrom = this.#gapEnd = OFFSET_INVALID
    this.gaps.clear()
  }

  /** This is the next offset to deliver, after a move or for the first time. */
  begins(offset: number, leaderEpoch: number): void {
    // Not a move: reading only begins again where it is.
    if (!this.#isMoving && this.#done >= 0) return
    this.start = offset
    this.#done = offset
    this.#doneLeaderEpoch = leaderEpoch
    if (!this.#isMoving) return
    this.#isMoving = false
    if (this.isAutomatic || this.#wasAllStored) {
      this.#isStoreDue = true
      this.#settle()
    } else if (this.stored > offset && this.#storedEra !== this.era) {
      if (offset > this.committed) this.#storeDone()
      else this.stored = OFFSET_INVALID
    }
  }

  /** Reading has passed a gap. */
  passed(from: number, to: number, leaderEpoch: number): void {
    this.gaps.add(from, to)
    if (this.#gapEnd !== from) this.#gapFrom = from
    this.#gapEnd = to
    if (leaderEpoch >= 0) this.#gapLeaderEpoch = leaderEpoch
    else if (this.#gapFrom === from) this.#gapLeaderEpoch = -1
    if (this.#done === from) {
      if (this.isAutomatic || this.stored === from || (this.stored < 0 && this.committed === from))
        this.#isStoreDue = true
      this.#done = to
      this.#doneLeaderEpoch = this.#gapLeaderEpoch
    } else {
      this.#passCommitted()
    }
  }

  /**
   * What an automatic commit, or one without arguments, sends; null if there is nothing new. It goes below the
   * committed offset only after a move: otherwise a higher offset that the application has committed itself stands.
   */
  pending(): StoredOffset | null {
    this.#settle()
    const { stored, committed } = this
    if (stored < 0 || this.#isMoving) return null
    // A commit in flight may be from before the move.
    if (stored === committed && !(this.#mayGoBack && this.#commitsInFlight > 0)) return null
    if (stored < committed && !this.#mayGoBack) return null
    return { offset: stored, leaderEpoch: this.storedLeaderEpoch, metadata: this.storedMetadata }
  }

  /** The next offset that may have a message, from this one on. */
  behindGap(offset: number): number {
    return offset >= this.#gapFrom && offset < this.#gapEnd ? this.#gapEnd : offset
  }

  get isBeingCommitted(): boolean {
    return this.#commitsInFlight > 0
  }

  /** A commit is sent. @returns the current era, for `commitEnded` */
  commitBegins(): number {
    this.#commitsInFlight++
    return this.era
  }

  /** @param committed the offset that the broker accepted, whoever chose it; null when it did not */
  commitEnded(era: number, committed: { readonly offset: number; readonly metadata?: string | null } | null): void {
    this.#commitsInFlight--
    if (committed === null) return
    this.committed = committed.offset
    this.committedMetadata = committed.metadata ?? null
    this.gaps.forgetBefore(committed.offset)
    if (era !== this.era) return
    this.#mayGoBack = false
    if (this.stored <= committed.offset) this.coversMessages = false
    this.#passCommitted()
  }

  /** The application has assigned the partition again, perhaps at another offset: that is a move. */
  follows(before: OffsetStore): void {
    this.committed = before.committed
    this.committedMetadata = before.committedMetadata
    if (before.stored >= 0 || before.committed >= 0) this.moved()
  }

  // Stores the end of a gap that begins at the committed offset.
  #passCommitted(): void {
    const { committed } = this
    if (committed !== this.#gapFrom || committed < 0 || this.stored > committed) return
    this.stored = this.#gapEnd
    this.storedLeaderEpoch = this.#gapLeaderEpoch
    this.storedMetadata = this.committedMetadata
    this.#storedEra = this.era
  }

  #settle(): void {
    if (!this.#isStoreDue) return
    const isBusy = this.isInProgress || (this.worker !== null && this.worker.running > 0)
    if (isBusy && this.#done > Math.max(this.stored, this.committed)) return
    this.#isStoreDue = false
    this.#storeDone()
  }

  #storeDone(): void {
    const isGap = this.#done === this.#gapEnd
    if (!isGap) {
      this.storedMetadata = null
      this.coversMessages = false
    }
    if (isGap && this.stored < 0) this.storedMetadata = this.committedMetadata
    this.stored = this.#done
    this.storedLeaderEpoch = this.#doneLeaderEpoch
    this.#storedEra = this.era
  }
}
