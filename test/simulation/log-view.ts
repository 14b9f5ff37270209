/** What stands in the logs of a topic, as readers may see it, and what has stood there. */
import type { World } from './world.ts'

export interface Standing {
  readonly offset: number
  readonly value: string
  /** ms since the epoch. */
  readonly timestamp: number
}

interface Span {
  readonly at: number
  readonly start: number
  readonly end: number
}

class PartitionView {
  present: readonly Standing[] = []
  /** Whatever has stood at an offset. */
  readonly values = new Map<number, Set<string>>()
  /** Begin and end of the log whenever it was looked at. */
  readonly spans: Span[] = [{ at: 0, start: 0, end: 0 }]

  get last(): Span {
    return this.spans.at(-1) as Span // there is one from the beginning
  }
}

export class LogView {
  readonly topic: string
  readonly #world: World
  readonly #isCompacted: boolean
  readonly #partitions: readonly PartitionView[]

  /** @param isCompacted - the log begins where it always has, though records are missing */
  constructor(world: World, topic: string, partitions: number, isCompacted: boolean) {
    this.#world = world
    this.topic = topic
    this.#isCompacted = isCompacted
    this.#partitions = Array.from({ length: partitions }, () => new PartitionView())
  }

  get partitions(): number {
    return this.#partitions.length
  }

  /** Takes note of what is there now. */
  look(): void {
    const present = this.#partitions.map((): Standing[] => [])
    for (const { partition, offset, value, timestamp } of this.#world.cluster.messages(this.topic))
      present[partition]?.push({ offset, value: String(value), timestamp })
    this.#partitions.forEach((view, partition) => {
      view.present = present[partition] ?? []
      for (const { offset, value } of view.present) {
        const known = view.values.get(offset)
        if (known === undefined) view.values.set(offset, new Set([value]))
        else known.add(value)
      }
      const { end: before } = view.last
      const end = (view.present.at(-1)?.offset ?? before - 1) + 1
      const start = this.#isCompacted ? 0 : (view.present[0]?.offset ?? end)
      view.spans.push({ at: this.#world.now, start, end })
    })
  }

  /** As of the last look, in order. */
  present(partition: number): readonly Standing[] {
    return this.#view(partition).present
  }

  /** Whether this has ever been seen there. */
  has(partition: number, offset: number, value: string): boolean {
    return this.#view(partition).values.get(offset)?.has(value) === true
  }

  /** Where each value was ever seen. */
  places(): Map<string, string[]> {
    const places = new Map<string, string[]>()
    this.#partitions.forEach(({ values }, partition) => {
      for (const [offset, seen] of values) {
        for (const value of seen) {
          const at = places.get(value)
          if (at === undefined) places.set(value, [`${partition}:${offset}`])
          else at.push(`${partition}:${offset}`)
        }
      }
    })
    return places
  }

  /** As of the last look. */
  start(partition: number): number {
    return this.#view(partition).last.start
  }

  /** As of the last look. */
  end(partition: number): number {
    return this.#view(partition).last.end
  }

  /** Where the log began, as of the last look before a moment. */
  startBefore(partition: number, at: number): number {
    return this.#view(partition).spans.findLast(span => span.at <= at)?.start ?? 0
  }

  /** Where the log ended, as of the first look after a moment; null if there was none. */
  endAfter(partition: number, at: number): number | null {
    return this.#view(partition).spans.find(span => span.at >= at)?.end ?? null
  }

  #view(partition: number): PartitionView {
    const view = this.#partitions[partition]
    if (view === undefined) throw new Error(`${this.topic} has no partition ${partition}`)
    return view
  }
}
