/** Keeps an eye on topics: which of the wanted ones exist, which may not be read, which match a pattern. */
import { ErrorCode } from '@ottla/protocol'
import type { Timer } from '../base/clock.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { ClientContext } from '../cluster/context.ts'
import { KafkaError } from '../errors.ts'
import type { TopicPartition } from '../types.ts'

/** What the watch needs of its consumer. */
export interface TopicWatchHost {
  /** Topics that are consumed by name. */
  namedTopics(): ReadonlySet<string>
  /** Partitions that are assigned. */
  partitions(): readonly TopicPartition[]
  /** An error that the program should know of. */
  raise(error: KafkaError): void
}

// How often a topic that may not be read is complained of.
const REPEAT_MS = 1000
// A timer may be a little early.
const EARLY_MS = 10

/** Tells of missing topics and partitions once, of forbidden topics every second for as long as they are. */
export class TopicWatch {
  readonly #context: ClientContext
  readonly #cluster: Cluster
  readonly #host: TopicWatchHost
  readonly #toldMissing = new Set<string>()
  /** When, by the name of the topic. */
  readonly #toldForbidden = new Map<string, number>()
  readonly #toldPartitions = new Set<string>()
  #repeat: Timer | null = null
  #stopped = false

  constructor(context: ClientContext, cluster: Cluster, host: TopicWatchHost) {
    this.#context = context
    this.#cluster = cluster
    this.#host = host
  }

  /** Looks at the present snapshot. */
  look(): void {
    if (this.#stopped) return
    const { topics } = this.#cluster.metadata.snapshot
    const wanted = this.#host.namedTopics()
    for (const name of this.#toldMissing) if (!wanted.has(name)) this.#toldMissing.delete(name)
    for (const name of this.#toldForbidden.keys()) if (!wanted.has(name)) this.#toldForbidden.delete(name)
    const now = this.#context.clock.now()
    let forbidden = false
    for (const name of wanted) {
      const code = topics.get(name)?.errorCode
      if (code === undefined) continue
      if (code === ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED) {
        forbidden = true
        if (now - (this.#toldForbidden.get(name) ?? -Infinity) < REPEAT_MS - EARLY_MS) continue
        this.#toldForbidden.set(name, now)
        this.#host.raise(KafkaError.of(code, `topic ${name}`))
      } else if (code === ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART || code === ErrorCode.ERR_TOPIC_EXCEPTION) {
        if (!this.#toldMissing.has(name)) {
          this.#toldMissing.add(name)
          this.#host.raise(KafkaError.of(code, `topic ${name}`))
        }
      } else if (code === ErrorCode.ERR_NO_ERROR) {
        this.#toldMissing.delete(name)
        this.#toldForbidden.delete(name)
      }
    }
    this.#lookAtPartitions()
    this.#repeat?.cancel()
    this.#repeat = forbidden ? this.#context.clock.setTimer(REPEAT_MS, () => this.look()) : null
  }

  #lookAtPartitions(): void {
    const { topics } = this.#cluster.metadata.snapshot
    const missing = new Set<string>()
    for (const { topic, partition } of this.#host.partitions()) {
      const known = topics.get(topic)
      if (known?.errorCode !== ErrorCode.ERR_NO_ERROR || partition < known.partitions.length) continue
      const name = `${topic} [${partition}]`
      missing.add(name)
      if (!this.#toldPartitions.has(name)) this.#host.raise(KafkaError.of(ErrorCode.ERR__UNKNOWN_PARTITION, name))
    }
    this.#toldPartitions.clear()
    for (const name of missing) this.#toldPartitions.add(name)
  }

  stop(): void {
    this.#stopped = true
    this.#repeat?.cancel()
  }
}
