/** Requests to the leaders of partitions, with a loop for each leader: a slow one holds up no other's partitions. */
import type { Timer } from '../../base/clock.ts'
import { WorkLoop } from '../../base/work-loop.ts'
import type { ClientContext } from '../../cluster/context.ts'
import { retryBackoffMs } from '../../cluster/rounds.ts'
import type { MetadataCache } from '../../cluster/metadata.ts'
import type { Cursor } from '../partition/cursor.ts'

export interface LeaderQuestion {
  /** The cursors that wait for an answer. */
  cursors(): readonly Cursor[]
  /** @param leader -1 where there is none. Resolves with whether something is left to retry; must not reject */
  ask(leader: number, cursors: readonly Cursor[]): Promise<boolean>
}

interface LeaderLoop {
  readonly loop: WorkLoop
  failures: number
  /** Set during a backoff. */
  timer: Timer | null
}

export class LeaderLoops {
  readonly #context: ClientContext
  readonly #metadata: MetadataCache
  readonly #question: LeaderQuestion
  readonly #loops = new Map<number, LeaderLoop>()
  #isClosed = false

  constructor(context: ClientContext, metadata: MetadataCache, question: LeaderQuestion) {
    this.#context = context
    this.#metadata = metadata
    this.#question = question
  }

  /** Asks the leaders of all waiting cursors; a leader that has just failed, after its backoff. */
  kick(): void {
    if (this.#isClosed) return
    const leaders = new Set(this.#question.cursors().map(cursor => this.#leaderOf(cursor)))
    for (const leader of leaders) this.#loop(leader).loop.kick()
  }

  /** Sends nothing more; the owner aborts requests in flight. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const { timer } of this.#loops.values()) timer?.cancel()
    await Promise.all([...this.#loops.values()].map(({ loop }) => loop.stop()))
  }

  #loop(leader: number): LeaderLoop {
    let found = this.#loops.get(leader)
    if (found === undefined) {
      const made: LeaderLoop = { loop: new WorkLoop(() => this.#run(leader, made)), failures: 0, timer: null }
      this.#loops.set(leader, (found = made))
    }
    return found
  }

  async #run(leader: number, each: LeaderLoop): Promise<void> {
    if (each.timer !== null) return
    const cursors = this.#question.cursors().filter(cursor => this.#leaderOf(cursor) === leader)
    const again = cursors.length > 0 && (await this.#question.ask(leader, cursors))
    if (!again) each.failures = 0
    if (!again || this.#isClosed) return
    each.timer = this.#context.clock.setTimer(retryBackoffMs(this.#context, ++each.failures), () => {
      each.timer = null
      each.loop.kick()
    })
  }

  #leaderOf({ topic, partition }: Cursor): number {
    return this.#metadata.snapshot.topics.get(topic)?.partitions[partition]?.leader ?? -1
  }
}
