/** What a group has done with the messages of its topic, and what it may not do. */
import type { Consumer, Message } from 'ottla'
import type { Way } from './ways.ts'
import type { World } from './world.ts'

const SAMPLE_MS = 200
/** By then every member has noticed that its generation is over. */
const NOTICED_MS = 15_000

/** A member, as far as it matters here. */
export interface Processor {
  readonly name: string
  readonly way: Way
  /** Whether what it has processed at a time may be processed again, in peace, too; virtual ms. */
  mayRepeat(at: number): boolean
  /** A loop of the program: `poll` and `readMessage` have given up a message when they give it. */
  readonly isLoop: boolean
  readonly assigned: readonly number[]
}

export interface LedgerSettings {
  readonly group: string
  /** Whether a generation of the group is that of all its members. */
  readonly hasGenerations: boolean
  /** Nothing goes wrong: no faults, no crashes. */
  readonly isQuiet: boolean
}

/** How far the group has come. */
export class Ledger {
  readonly #world: World
  readonly #group: string
  #hasGenerations: boolean
  readonly isQuiet: boolean
  /** Members that have left with a message in their hands, which another one gets. */
  readonly #leavers = new Set<string>()
  /** Members that have not been closed. */
  readonly #present = new Set<Processor>()
  /** Who has processed a message last, and when, virtual ms. */
  readonly #processors = new Map<string, { readonly member: Processor; readonly at: number }>()
  /** Messages that may be committed, by partition and offset. */
  readonly committable = new Set<string>()
  /** Messages that some member has done with. */
  readonly processed = new Set<string>()
  /** Who had a partition in a generation. */
  readonly #owners = new Map<string, string>()
  /** By partition: everything below may be committed. */
  readonly #front = new Map<number, number>()
  /** By partition: what was committed when it was looked at last. */
  readonly #committed = new Map<number, number>()
  #interruptions = 0
  #interruptedUntil = -1
  #isWatching = true
  steps = 0

  constructor(world: World, { group, hasGenerations, isQuiet }: LedgerSettings) {
    this.#world = world
    this.#group = group
    this.#hasGenerations = hasGenerations
    this.isQuiet = isQuiet
  }

  began(member: Processor): void {
    this.#present.add(member)
  }

  /** It begins to leave. */
  left(member: string): void {
    this.#leavers.add(member)
  }

  /** It has been closed. */
  ended(member: Processor): void {
    this.#present.delete(member)
  }

  /**
   * A generation ends while its members are at work, for a reason that is none of theirs: what they had not committed is
   * processed again. @returns a function that says that the reason is over
   */
  interrupted(): () => void {
    this.#interruptions++
    return () => {
      this.#interruptions--
      this.#interruptedUntil = this.#world.now + NOTICED_MS
    }
  }

  /** The coordinator has forgotten the group's members: generations begin anew. */
  forgotten(): void {
    this.#hasGenerations = false
  }

  take(
    member: Processor,
    consumer: Consumer,
    { partition, offset }: Pick<Message, 'partition' | 'offset'>,
    isAtMostOnce: boolean,
  ): string {
    const place = `${partition}:${offset}`
    if (isAtMostOnce) {
      this.committable.add(place)
      this.processed.add(place)
    }
    this.steps++
    this.#checkOwner(member, partition, place)
    const { generationId } = consumer.groupMetadata()
    // Members of a KIP-848 group have epochs of their own.
    if (this.#hasGenerations && generationId >= 0) {
      const key = `${generationId}/${partition}`
      const owner = this.#owners.get(key) ?? member.name
      if (owner !== member.name) {
        this.#world.complain(
          `${place} is given to ${member.name} in generation ${generationId}, in which ${owner} had it`,
        )
      }
      this.#owners.set(key, member.name)
    }
    return place
  }

  done(place: string, member: Processor): void {
    const before = this.#processors.get(place)
    if (this.isQuiet && before !== undefined && !this.#mayRepeat(before.member, before.at) && !this.#isLeft(member))
      this.#world.complain(
        `${place} is processed by ${before.member.name} (${before.member.way}) and by ${member.name} (${member.way})`,
      )
    this.#processors.set(place, { member, at: this.#world.now })
    this.processed.add(place)
    this.committable.add(place)
    this.steps++
  }

  /** Looks now and then whether more is committed than may be. */
  async watch(): Promise<void> {
    while (this.#isWatching) {
      this.check()
      await this.#world.lookAgain(SAMPLE_MS)
    }
  }

  stop(): void {
    this.#isWatching = false
  }

  check(): void {
    for (const { partition, offset } of this.#world.cluster.committedOffsets(this.#group)) {
      let front = this.#front.get(partition) ?? 0
      while (front < offset && this.committable.has(`${partition}:${front}`)) front++
      if (front < offset) {
        this.#world.complain(`${offset} is committed for partition ${partition}, and nobody is done with ${front}`)
        front = offset
      }
      this.#front.set(partition, front)
      const before = this.#committed.get(partition) ?? 0
      // In a storm, a commit that was given up may arrive late.
      if (this.isQuiet && offset < before)
        this.#world.complain(`${offset} is committed for partition ${partition}, for which ${before} was`)
      this.#committed.set(partition, offset)
    }
  }

  #mayRepeat(member: Processor, at: number): boolean {
    return this.#isInterrupted(at) || member.mayRepeat(at) || this.#isLeft(member)
  }

  #isInterrupted(at: number): boolean {
    return this.#interruptions > 0 || at <= this.#interruptedUntil
  }

  // What a loop has in its hands when its consumer is closed comes again, perhaps before the loop is done with it.
  #isLeft(member: Processor): boolean {
    return member.isLoop && this.#leavers.has(member.name)
  }

  // A member that is cut off does not know that it has lost its partitions. What it had not given up yet when its group
  // was turned into one of the other protocol and back counts as given up, as in Kafka.
  #checkOwner(member: Processor, partition: number, place: string): void {
    if (!this.isQuiet || this.#isInterrupted(this.#world.now)) return
    for (const other of this.#present) {
      if (other === member || !other.assigned.includes(partition)) continue
      this.#world.complain(`${place} is given to ${member.name} while ${other.name} has the partition`)
    }
  }
}
