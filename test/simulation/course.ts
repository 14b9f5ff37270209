/** Where the reader of a partition may go next: on, where it was sent, or where its policy says. */
import type { LogView, Standing } from './log-view.ts'
import type { World } from './world.ts'

/** What comes next. */
export type Target =
  /** It was sent there, or has just read what is before. */
  | { readonly to: 'offset'; readonly offset: number }
  | { readonly to: 'beginning' }
  /** So many messages before the end. */
  | { readonly to: 'end'; readonly tail: number }
  /** Nothing is committed. */
  | { readonly to: 'policy' }
  /** Nobody can know. */
  | { readonly to: 'anywhere' }

/** `auto.offset.reset`; an age in ms. */
export type Policy = 'earliest' | 'latest' | 'error' | { readonly ageMs: number }

export interface CourseSettings {
  readonly policy: Policy
  /** The brokers know at any time what the log is: no replica that lags becomes the leader. */
  readonly isExact: boolean
  /** Nothing goes wrong. */
  readonly isQuiet: boolean
  /** Offsets are missing where records of the same keys have come later. */
  readonly isCompacted: boolean
}

/** Without faults, a logical offset has been looked up by then. */
const LOOKED_UP_MS = 3000

interface Move {
  readonly target: Target
  /** Virtual ms. */
  readonly at: number
  /** Where the log began and ended at that time, or a moment before. */
  readonly start: number
  readonly end: number
}

export class Course {
  readonly partition: number
  readonly #world: World
  readonly #name: string
  readonly #log: LogView
  readonly #settings: CourseSettings
  #move: Move
  /** Where the log was cut, as long as the reader may not know it. */
  #cut: number | null = null

  constructor(world: World, name: string, log: LogView, partition: number, settings: CourseSettings) {
    this.#world = world
    this.#name = `${name} [${partition}]`
    this.#log = log
    this.partition = partition
    this.#settings = settings
    this.#move = { target: { to: 'policy' }, at: 0, start: 0, end: 0 }
  }

  /** The reader is sent somewhere. */
  sent(target: Target): void {
    this.#moved(target)
    this.#cut = null
  }

  /** The reader begins again with what is committed, or with nothing. */
  restarted(committed: number | undefined): void {
    // Whether it learns of the cut depends on what was committed with the offset.
    if (this.#cut !== null) this.#moved({ to: 'anywhere' })
    else this.#moved(committed === undefined ? { to: 'policy' } : { to: 'offset', offset: committed })
  }

  /** The log has lost what was from this offset on. */
  cutAt(offset: number): void {
    this.#cut = Math.min(offset, this.#cut ?? Infinity)
  }

  /** The reader says that it cannot go on. */
  stopped(why: string): void {
    if (!this.#settings.isExact || this.#cut !== null) return
    const { target } = this.#move
    if (target.to === 'policy' || target.to === 'anywhere') return
    this.#log.look()
    const mayBeOut = target.to === 'offset' ? this.#mayBeOut(target.offset) : this.#hasLost
    if (!mayBeOut) this.#world.complain(`${this.#name} stops at ${words(target)}, which is there: ${why}`)
  }

  take(offset: number, value: string): void {
    const { target } = this.#move
    if (this.#settings.isExact && !this.#isExpected(target, offset)) {
      this.#log.look()
      if (this.#cut !== null) this.#takeAfterCut(target, offset, value)
      else this.#check(target, offset)
    }
    this.#moved({ to: 'offset', offset: offset + 1 }, offset + 1)
  }

  /** @param least - where the log ends at least */
  #moved(target: Target, least = 0): void {
    const start = this.#log.start(this.partition)
    this.#move = { target, at: this.#world.now, start, end: Math.max(least, this.#log.end(this.partition)) }
  }

  // The next one, without a reason to look closer.
  #isExpected(target: Target, offset: number): boolean {
    return this.#cut === null && target.to === 'offset' && target.offset === offset
  }

  #check(target: Target, offset: number): void {
    const why = this.#objection(target, offset)
    if (why !== null) this.#world.complain(`${this.#name} goes to ${offset} from ${words(target)}: ${why}`)
  }

  // What was fetched before the log was cut still comes. What has been written since then does not pass unread.
  #takeAfterCut(target: Target, offset: number, value: string): void {
    const cut = this.#cut ?? 0
    const isThere = this.#present.some(each => each.offset === offset && each.value === value)
    if (!isThere) return
    if (offset < cut) {
      // The message that it was processing comes again.
      const isAgain = target.to === 'offset' && offset === target.offset - 1
      if (target.to === 'offset' && target.offset <= cut && !isAgain) this.#check(target, offset)
      return
    }
    this.#cut = null
    if (target.to !== 'offset') return
    const from = Math.min(target.offset, cut)
    const why = this.#objection({ to: 'offset', offset: from }, offset)
    // With nothing left of what it had read, it begins where its policy says.
    if (why !== null && this.#objectionOfPolicy(offset) !== null)
      this.#world.complain(
        `${this.#name} goes to ${offset} from ${target.offset}, and the log was cut at ${cut}: ${why}`,
      )
  }

  /** Why the reader may not go there; null if it may. */
  #objection(target: Target, offset: number): string | null {
    switch (target.to) {
      case 'anywhere':
        return null
      case 'policy':
        return this.#objectionOfPolicy(offset)
      case 'beginning':
      case 'end': {
        const why = target.to === 'end' ? this.#objectionOfEnd(target.tail, offset) : this.#skipped(-Infinity, offset)
        // Where it led may be gone before it is read.
        return why !== null && this.#hasLost ? this.#objectionOfPolicy(offset) : why
      }
      case 'offset': {
        const why = offset < target.offset ? 'it was read' : this.#skipped(target.offset, offset)
        if (why === null) return this.#objectionOfSilence(target.offset, offset)
        return this.#mayBeOut(target.offset) ? this.#objectionOfPolicy(offset) : why
      }
      default:
        return target satisfies never
    }
  }

  // What is missing was out of range, and the policy is to say so.
  #objectionOfSilence(from: number, offset: number): string | null {
    if (this.#settings.policy !== 'error' || this.#settings.isCompacted || offset === from) return null
    return `${from} is gone, and the reader has not said so`
  }

  #objectionOfEnd(tail: number, offset: number): string | null {
    const least = this.#move.end - tail
    if (offset < least) return `the log ended at ${this.#move.end}`
    const lookedUp = this.#settings.isQuiet ? this.#log.endAfter(this.partition, this.#move.at + LOOKED_UP_MS) : null
    return this.#skipped(Math.min(this.#log.end(this.partition), lookedUp ?? Infinity) - tail, offset)
  }

  #objectionOfPolicy(offset: number): string | null {
    const { policy } = this.#settings
    if (policy === 'earliest') return this.#skipped(-Infinity, offset)
    if (policy === 'latest') return offset < this.#move.end ? `the log ended at ${this.#move.end}` : null
    if (policy === 'error') return 'the reader has not said that it is out of range'
    const youngest = this.#world.wallTime - policy.ageMs
    const passed = this.#present.find(each => each.offset < offset && each.timestamp >= youngest)
    if (passed !== undefined) return `${passed.offset} is young enough`
    const found = this.#present.find(each => each.offset === offset)
    const oldest = youngest - (this.#world.now - this.#move.at)
    return found !== undefined && found.timestamp < oldest - 1 ? 'it is too old' : null
  }

  /** What is there between two offsets, in words; null if nothing is. */
  #skipped(from: number, to: number): string | null {
    const passed = this.#present.filter(({ offset }) => offset >= from && offset < to)
    const [first] = passed
    return first === undefined ? null : `${passed.length} messages are skipped, the first at ${first.offset}`
  }

  // At the last look, which has just been.
  #mayBeOut(offset: number): boolean {
    return offset < this.#log.start(this.partition) || offset > this.#move.end
  }

  /** The log has lost its beginning since the reader was sent. */
  get #hasLost(): boolean {
    return this.#log.start(this.partition) > this.#move.start
  }

  get #present(): readonly Standing[] {
    return this.#log.present(this.partition)
  }
}

function words(target: Target): string {
  switch (target.to) {
    case 'offset':
      return `${target.offset}`
    case 'end':
      return target.tail === 0 ? 'the end' : `${target.tail} before the end`
    case 'policy':
      return 'nothing committed'
    case 'beginning':
      return 'the beginning'
    case 'anywhere':
      return 'anywhere'
    default:
      return target satisfies never
  }
}
