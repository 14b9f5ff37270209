/** What one broker knows of the cluster: it hears of the controller's changes in their order, perhaps late. */
import type { Clock, Timer } from '../base/clock.ts'
import type { Topic } from '../topics/topics.ts'
import type { TopicView, TopicsView } from '../topics/views.ts'
import type { PartitionState, Replica } from './replica.ts'

/** What the controller announces. */
export type Announcement =
  | { readonly kind: 'partition'; readonly topic: Topic; readonly index: number; readonly state: PartitionState }
  | { readonly kind: 'deleted'; readonly topic: Topic }
  | { readonly kind: 'broker'; readonly brokerId: number; readonly isUp: boolean }

/** What a broker does about news. */
export interface MetadataListener {
  /** The broker learns of a partition for the first time. */
  made(topic: Topic, index: number): Replica
  changed(replica: Replica, state: PartitionState): void
  deleted(replica: Replica): void
}

interface KnownTopic extends TopicView {
  readonly partitions: Replica[]
}

export class BrokerMetadata implements TopicsView {
  readonly #clock: Clock
  readonly #listener: MetadataListener
  readonly #topics = new Map<string, KnownTopic>()
  readonly #byId = new Map<string, KnownTopic>()
  readonly #down = new Set<number>()
  #unheard: { readonly since: number; readonly news: Announcement }[] = []
  #lagMs = 0
  #isListening = true
  #timer: Timer | null = null

  constructor(clock: Clock, listener: MetadataListener) {
    this.#clock = clock
    this.#listener = listener
  }

  all(): IterableIterator<KnownTopic> {
    return this.#topics.values()
  }

  get(name: string): KnownTopic | undefined {
    return this.#topics.get(name)
  }

  byId(id: string): KnownTopic | undefined {
    return this.#byId.get(id)
  }

  partition(name: string, index: number): Replica | undefined {
    return this.#topics.get(name)?.partitions[index]
  }

  isUp(brokerId: number): boolean {
    return !this.#down.has(brokerId)
  }

  /** Every partition that the broker knows of. */
  *replicas(): Generator<Replica> {
    for (const { partitions } of this.#byId.values()) yield* partitions
  }

  /** The controller announces a change. */
  announce(news: Announcement): void {
    if (this.#lagMs <= 0 && this.#isListening && this.#unheard.length === 0) {
      this.#apply(news)
      return
    }
    this.#unheard.push({ since: this.#clock.now(), news })
    this.#hear()
  }

  /** Sets how long after the controller the broker hears of changes, those on their way included. */
  setLag(ms: number): void {
    this.#lagMs = ms
    this.#hear()
  }

  /** The broker hears of nothing until {@link resume}. */
  pause(): void {
    this.#isListening = false
    this.#timer?.cancel()
    this.#timer = null
  }

  resume(): void {
    this.#isListening = true
    this.#hear()
  }

  /** Hears of everything at once, as a broker that starts: of each partition only the last state matters. */
  catchUp(): void {
    this.#timer?.cancel()
    this.#timer = null
    // A key keeps its place in the map: partitions of a new topic come in the order of their indexes.
    const last = new Map<string, Announcement>()
    for (const { news } of this.#unheard) last.set(keyOf(news), news)
    this.#unheard = []
    for (const news of last.values()) this.#apply(news)
  }

  // Applies what is due and waits for the rest.
  #hear(): void {
    this.#timer?.cancel()
    this.#timer = null
    if (!this.#isListening) return
    for (;;) {
      const next = this.#unheard[0]
      if (next === undefined) return
      const left = next.since + this.#lagMs - this.#clock.now()
      if (left > 0) {
        if (left !== Infinity) this.#timer = this.#clock.setTimer(left, () => this.#hear())
        return
      }
      this.#unheard.shift()
      this.#apply(next.news)
    }
  }

  #apply(news: Announcement): void {
    switch (news.kind) {
      case 'partition': {
        const replica = this.#replica(news.topic, news.index)
        // A leader knows of the changes that it has asked for before they are announced.
        if (news.state.version > replica.version) this.#listener.changed(replica, news.state)
        return
      }
      case 'deleted': {
        const { id, name } = news.topic
        const known = this.#byId.get(id)
        if (known === undefined) return
        this.#byId.delete(id)
        if (this.#topics.get(name) === known) this.#topics.delete(name)
        for (const replica of known.partitions) this.#listener.deleted(replica)
        return
      }
      case 'broker':
        if (news.isUp) this.#down.delete(news.brokerId)
        else this.#down.add(news.brokerId)
        return
      default:
        news satisfies never
    }
  }

  #replica(topic: Topic, index: number): Replica {
    let known = this.#byId.get(topic.id)
    if (known === undefined) {
      const { id, name, isInternal, configs } = topic
      known = { id, name, isInternal, configs, partitions: [] }
      this.#byId.set(id, known)
      this.#topics.set(name, known)
    }
    // Partitions are announced in the order of their indexes.
    const { partitions } = known
    let replica = partitions[index]
    if (replica === undefined) partitions.push((replica = this.#listener.made(topic, index)))
    return replica
  }
}

function keyOf(news: Announcement): string {
  switch (news.kind) {
    case 'partition':
      return `partition ${news.topic.id} ${news.index}`
    case 'deleted':
      return `deleted ${news.topic.id}`
    case 'broker':
      return `broker ${news.brokerId}`
    default:
      return news satisfies never
  }
}
